"""``unbarb audit show``, ``export``, ``erase`` and ``prune``: the records themselves."""

from __future__ import annotations

import csv
import json as json_format
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import datetime, timedelta
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, TextIO

import typer

from unbarb.audit import DEFAULT_URL
from unbarb.cli.audit_options import (
    AsJson,
    KeysFile,
    LogUrl,
    Since,
    Sure,
    Until,
    agreed,
    extra,
    midnights,
    opened,
)
from unbarb.errors import InputError

if TYPE_CHECKING:
    from unbarb.audit.read import Choice

Form = StrEnum("Form", ["jsonl", "csv"])

First = Annotated[int | None, typer.Option("--first", min=1, metavar="N", help="From this record on.")]
Last = Annotated[int | None, typer.Option("--last", min=1, metavar="N", help="Up to this record.")]
Subject = Annotated[
    str | None, typer.Option(metavar="ID", help="Of this person, as the caller named them; - reads it.")
]
Original = Annotated[str | None, typer.Option(metavar="TEXT", help="On exactly this text; - reads it.")]
Request = Annotated[str | None, typer.Option(metavar="ID", help="Of this request.")]
Texts = Annotated[bool, typer.Option("--texts", help="With the texts, decrypted, where they are kept.")]


def register(group: typer.Typer) -> None:
    """Add the commands to the group."""
    group.command("show")(show)
    group.command("export")(export)
    group.command("erase")(erase)
    group.command("prune")(prune)


def _choice(
    since: str | None = None,
    until: str | None = None,
    subject: str | None = None,
    original: str | None = None,
    **exact: Any,
) -> Choice:
    with extra():
        from unbarb.audit.read import Choice
    begin, end = midnights(since, until)
    return Choice(since=begin, until=end, subject=_read(subject), original=_read(original), **exact)


def _read(given: str | None) -> str | None:
    """An option's value, or standard input for ``-``: a command line stands in the shell's history."""
    return sys.stdin.read().removesuffix("\n") if given == "-" else given


def show(
    since: Since = None,
    until: Until = None,
    first: First = None,
    last: Last = None,
    kind: Annotated[str | None, typer.Option(help="decision, failure, policy or admin.")] = None,
    action: Annotated[str | None, typer.Option(help="allow, flag, rewrite, mask, block or route.")] = None,
    surface: Annotated[str | None, typer.Option(help="Such as native, chat or perspective.")] = None,
    request: Request = None,
    subject: Subject = None,
    original: Original = None,
    limit: Annotated[int, typer.Option(min=1, metavar="N", help="At most so many, the newest.")] = 20,
    texts: Texts = False,
    log: LogUrl = DEFAULT_URL,
    keys: KeysFile = None,
    json: Annotated[bool, typer.Option("--json", help="One record a line, as JSON.")] = False,
) -> None:
    """Show the newest records, or those that are asked for, a line each.

    Exit codes: 0 done, 1 there are none, 2 the record cannot be read.
    """
    choice = _choice(
        since, until, subject, original,
        first=first, last=last, kind=kind, action=action, surface=surface, request=request,
    )  # fmt: skip
    from unbarb.audit.read import records

    found = False
    with opened(log, keys) as record:
        for one in records(record, choice, limit=limit, texts=texts):
            found = True
            typer.echo(json_format.dumps(one, ensure_ascii=False) if json else _line(one))
    if not found:
        raise typer.Exit(1)


def _line(record: Mapping[str, Any]) -> str:
    what = record["action"] or record["error"] or (record["details"] or {}).get("what") or record["policy"]
    shown = [f"{record['sequence']:>6}", record["time"][:19], record["kind"], record["surface"], what or ""]
    if record["rule"] not in (None, "none"):
        shown.append(f"[{record['rule']}]")
    shown.append(record["request"])
    text = record.get("text")
    if text:
        shown.append(json_format.dumps([text["original"], text["text"]], ensure_ascii=False))
    # Ids come from callers: what would move a terminal's cursor is shown, not done.
    return "".join(sign if sign.isprintable() else f"\\x{ord(sign):02x}" for sign in "  ".join(shown))


def export(
    output: Annotated[
        Path | None,
        typer.Option(
            "--output", "-o", metavar="FILE", help="Default: standard output.", show_default=False
        ),
    ] = None,
    form: Annotated[Form, typer.Option("--format", help="JSON lines, or CSV.")] = Form.jsonl,
    since: Since = None,
    until: Until = None,
    first: First = None,
    last: Last = None,
    texts: Texts = False,
    log: LogUrl = DEFAULT_URL,
    keys: KeysFile = None,
) -> None:
    """Write records with all their columns as they are stored: the chain can be followed in them.

    Exit codes: 0 done, 2 the record cannot be read or the file not written.
    """
    choice = _choice(since, until, first=first, last=last)
    from unbarb.audit.read import COLUMNS, records

    columns = [*COLUMNS, "text"] if texts else list(COLUMNS)
    with _target(output) as file, opened(log, keys) as record:
        table = csv.DictWriter(file, columns)
        if form is Form.csv:
            table.writeheader()
        for one in records(record, choice, texts=texts, raw=True):
            if form is Form.csv:
                table.writerow(one)
            else:
                file.write(json_format.dumps(one) + "\n")


@contextmanager
def _target(output: Path | None) -> Iterator[TextIO]:
    if output is None:
        yield sys.stdout
        return
    try:
        with output.open("w", encoding="utf-8", newline="") as file:
            yield file
    except OSError as error:
        raise InputError(f"{output}: cannot be written ({error.strerror}); give another file") from error


def erase(
    subject: Subject = None,
    original: Original = None,
    request: Request = None,
    first: First = None,
    last: Last = None,
    yes: Sure = False,
    log: LogUrl = DEFAULT_URL,
    keys: KeysFile = None,
    json: AsJson = False,
) -> None:
    """Erase encrypted texts for good: a person's, a request's, or those of some records.

    The records stay, with hashes and scores, the erasure is recorded, and the chain stays valid. Backups
    are yours to see to.

    Exit codes: 0 done, 2 it cannot be done.
    """
    choice = _choice(None, None, subject, original, request=request, first=first, last=last)
    from unbarb.audit.erase import erase as erased

    agreed(yes, "erase the encrypted texts of the chosen records for good")
    with opened(log, keys) as record:
        done = erased(record, choice)
    outcome = {"texts": done.texts, "records": done.records}
    told = f"{done.texts} texts erased, of {done.records} records"
    typer.echo(json_format.dumps(outcome) if json else told)


def prune(
    records_older_than: Annotated[
        int | None,
        typer.Option(
            "--records-older-than", min=1, metavar="DAYS", show_default=False,
            help="Delete whole records too, behind a signed anchor that is printed: publish it.",
        ),
    ] = None,
    yes: Sure = False,
    log: LogUrl = DEFAULT_URL,
    keys: KeysFile = None,
    json: AsJson = False,
) -> None:  # fmt: skip
    """Erase the encrypted texts whose days of retention, as their policy said, are over.

    Run it daily. The chain stays valid.

    Exit codes: 0 done, 2 it cannot be done.
    """
    with extra():
        from unbarb.audit.erase import prune_records, prune_texts
        from unbarb.audit.event import now
    time: datetime = now()
    if records_older_than is not None:
        agreed(yes, f"delete all records older than {records_older_than} days for good")
    anchor = None
    with opened(log, keys) as record:
        texts = prune_texts(record, time)
        if records_older_than is not None:
            anchor = prune_records(record, time - timedelta(records_older_than))
    if json:
        typer.echo(json_format.dumps({"texts": texts, "anchor": anchor and anchor.to_dict()}))
        return
    typer.echo(f"{texts} texts erased")
    if anchor is not None:
        typer.echo(json_format.dumps(anchor.to_dict()))
