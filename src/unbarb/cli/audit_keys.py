"""``unbarb audit keys``: make, rotate and publish the record's keys."""

from __future__ import annotations

import json as json_format
from datetime import timedelta
from pathlib import Path
from typing import Annotated

import typer

from unbarb.cli.audit_options import extra
from unbarb.errors import InputError

File = Annotated[Path, typer.Argument(metavar="FILE", help="The file of the keys.")]
Uses = Annotated[
    list[str] | None,
    typer.Option("--use", metavar="USE", help="hash, text or sign; again for several. Default: all."),
]


def register(group: typer.Typer) -> None:
    """Add the group of commands to the group."""
    keys = typer.Typer(
        no_args_is_help=True, rich_markup_mode=None, help="Make and rotate the record's keys."
    )
    keys.command("create")(create)
    keys.command("rotate")(rotate)
    keys.command("public")(public)
    group.add_typer(keys, name="keys")


def create(file: File) -> None:
    """Make a file of keys: for hashing, for encrypting texts and for signing. Only its owner may read it.

    All replicas of a service need the same file; keep a copy of it in a safe place.

    Exit codes: 0 done, 2 the file is there already or cannot be written.
    """
    with extra():
        from unbarb.audit.keys import USES, Keyring
    if file.exists():
        raise InputError(
            f"{file} is there already; 'unbarb audit keys rotate {file}' puts new keys into it"
        )
    ring = Keyring.create(file)
    typer.echo(f"{file}: {', '.join(ring.current(use).id for use in USES)}")


def rotate(
    file: File,
    use: Uses = None,
    older_than: Annotated[
        int | None,
        typer.Option(
            min=1, metavar="DAYS", show_default=False, help="Only keys that have been in use so long."
        ),
    ] = None,
) -> None:
    """Put new keys into use; the old ones stay in the file, to check and read what was written with them.

    Running servers take them up with their next record. With --older-than it can be run daily.

    Exit codes: 0 done, 2 it cannot be done.
    """
    with extra():
        from unbarb.audit.keys import USES, Keyring
    unknown = sorted(set(use or ()) - set(USES))
    if unknown:
        raise InputError(f"--use {unknown[0]!r} is none of {', '.join(USES)}")
    before = Keyring.load(file)
    age = None if older_than is None else timedelta(older_than)
    after = before.rotated(use or USES, age)
    new = [after.current(one).id for one in USES if after.keys[one] != before.keys[one]]
    typer.echo(f"{file}: {', '.join(new) if new else 'no key is that old'}")


def public(file: File) -> None:
    """Print the public halves of the signing keys, for those who verify the record or reports elsewhere.

    Exit codes: 0 done, 2 the file cannot be read.
    """
    with extra():
        from unbarb.audit.keys import Keyring
    typer.echo(json_format.dumps(Keyring.load(file).public().to_dict()))
