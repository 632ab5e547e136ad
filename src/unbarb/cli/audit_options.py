"""What the commands of ``unbarb audit`` share: where the record is, and how it is opened."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, date, datetime, time, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from unbarb.errors import InputError, MissingExtra

if TYPE_CHECKING:
    from unbarb.audit import AuditLog

LogUrl = Annotated[
    str,
    typer.Option(
        "--log", metavar="URL", envvar="UNBARB_AUDIT",
        help="The record: sqlite:///FILE, the path of such a file, or postgresql://USER@HOST/DATABASE.",
    ),
]  # fmt: skip
KeysFile = Annotated[
    Path | None,
    typer.Option(
        "--keys", metavar="FILE", envvar="UNBARB_AUDIT_KEYS", show_default=False,
        help="The record's keys. Default for SQLite: the record's file with .keys after it.",
    ),
]  # fmt: skip
Since = Annotated[
    str | None,
    typer.Option("--from", metavar="DAY", show_default=False, help="First day, as 2026-05-01, in UTC."),
]
Until = Annotated[
    str | None,
    typer.Option("--to", metavar="DAY", show_default=False, help="Last day, included."),
]
AsJson = Annotated[bool, typer.Option("--json", help="The outcome as JSON.")]
Sure = Annotated[bool, typer.Option("--yes", help="Do it; without this it is only asked.")]


def opened(url: str, keys: Path | None, *, create: bool = False) -> AuditLog:
    """The record, whose tables must be there unless `create` is given.

    Raises:
        MissingExtra: the extra 'serve' is not installed.
        AuditError, ConfigError: it cannot be opened.
    """
    from unbarb.audit import AuditLog

    return AuditLog.open(url, keys=keys, create=create)


@contextmanager
def extra() -> Iterator[None]:
    """Around imports of what needs the extra 'serve'.

    Raises:
        MissingExtra: it is not installed.
    """
    try:
        yield
    except ModuleNotFoundError as error:
        if error.name is None or error.name.startswith("unbarb"):
            raise
        raise MissingExtra.for_feature("unbarb audit", error.name, "serve") from error


def day(given: str | None, option: str) -> date | None:
    """A day written as 2026-05-31.

    Raises:
        InputError: it is written otherwise.
    """
    try:
        return None if given is None else date.fromisoformat(given)
    except ValueError as error:
        raise InputError(f"{option} {given!r}: write a day as 2026-05-31") from error


def midnights(since: str | None, until: str | None) -> tuple[datetime | None, datetime | None]:
    """The beginning of the first day and the end of the last, in UTC."""
    first, last = day(since, "--from"), day(until, "--to")
    return (
        None if first is None else datetime.combine(first, time(), UTC),
        None if last is None else datetime.combine(last + timedelta(1), time(), UTC),
    )


def agreed(sure: bool, what: str) -> None:
    """Ask on a terminal, unless --yes was given.

    Raises:
        InputError: nobody can be asked, or the answer was no.
    """
    if not sure and not sys.stdin.isatty():
        raise InputError(f"{what}: give --yes where nobody can be asked")
    if not sure and not typer.confirm(f"{what}?", err=True):
        raise InputError("nothing was done")
