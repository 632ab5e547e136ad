"""``unbarb audit``: check, read, keep and report on the record of decisions."""

from __future__ import annotations

import json as json_format
from pathlib import Path
from typing import Annotated, Any

import typer

from unbarb.audit import DEFAULT_URL
from unbarb.cli import audit_keys, audit_records
from unbarb.cli.audit_options import AsJson, KeysFile, LogUrl, Since, Until, day, extra, opened
from unbarb.errors import ConfigError, InputError

TAMPERED = 1
"""Exit code where the record, or a report, is not as it was written."""


def register(app: typer.Typer) -> None:
    """Add the group of commands to `app`."""
    group = typer.Typer(
        no_args_is_help=True, rich_markup_mode=None, help="Check, read and keep the record of decisions."
    )
    group.command("verify")(verify)
    group.command("checkpoint")(checkpoint)
    group.command("report")(report)
    audit_records.register(group)
    group.command("drain")(drain)
    group.command("migrate")(migrate)
    audit_keys.register(group)
    app.add_typer(group, name="audit")


def verify(
    log: LogUrl = DEFAULT_URL,
    keys: KeysFile = None,
    checkpoints: Annotated[
        list[Path] | None,
        typer.Option(
            metavar="FILE", show_default=False,
            help="Checkpoints that were published: the lines that 'unbarb audit checkpoint' printed.",
        ),
    ] = None,
    trust: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE", show_default=False,
            help="Check signatures with these public keys, not with the record's own.",
        ),
    ] = None,
    report: Annotated[
        Path | None,
        typer.Option(
            metavar="DIR", show_default=False, help="Check the signature of a report, not the record."
        ),
    ] = None,
    json: AsJson = False,
) -> None:  # fmt: skip
    """Say whether the record is as it was written, and name every tampering.

    Exit codes: 0 it is, 1 it is not, 2 it cannot be read.
    """
    with extra():
        from unbarb.audit.checkpoint import published
        from unbarb.audit.keys import Keyring
        from unbarb.audit.verify import verify as verified
    if report is not None:
        _check_report(report, trust or keys or _beside(log), json)
        return
    trusted = Keyring.load(trust) if trust else None
    given = [statement for file in checkpoints or [] for statement in published(file)]
    with opened(log, keys) as record:
        found = verified(record, given, trusted)
    if json:
        typer.echo(json_format.dumps(found.to_dict()))
    else:
        for tampering in found.tamperings:
            typer.echo(str(tampering))
        state = "intact" if found.intact else f"NOT intact: {len(found.tamperings)} findings"
        typer.echo(
            f"{state}; {found.records} records ({found.first} to {found.last}), signed up to record"
            f" {found.vouched}; {found.checkpoints} checkpoints, {found.published} of {len(given)} given"
            f" ones confirmed; {found.texts} encrypted texts, {found.erased} erased"
        )
    if not found.intact:
        raise typer.Exit(TAMPERED)


def _check_report(folder: Path, keys: Path, json: bool) -> None:
    from unbarb.audit.keys import Keyring
    from unbarb.audit.report import check_report

    checked = check_report(folder, Keyring.load(keys))
    if json:
        outcome = {"intact": not checked.wrong, "log": checked.log, "wrong": checked.wrong}
        typer.echo(json_format.dumps(outcome))
    else:
        for wrong in checked.wrong:
            typer.echo(wrong)
        state = "not as it was made" if checked.wrong else f"as it was made on {checked.made}"
        typer.echo(f"{folder}: {state}, signed by {checked.key}, about log {checked.log}")
    if checked.wrong:
        raise typer.Exit(TAMPERED)


def _beside(url: str) -> Path:
    """The keys beside a SQLite record."""
    from unbarb.audit.database import parsed

    where = parsed(url)
    if where.get_backend_name() != "sqlite":
        raise ConfigError("say with --keys or --trust which keys to check the signature with")
    return Path(f"{where.database}.keys")


def checkpoint(
    log: LogUrl = DEFAULT_URL,
    keys: KeysFile = None,
    output: Annotated[
        Path | None,
        typer.Option(
            "--output", "-o", metavar="FILE", show_default=False, help="Append it to this file too."
        ),
    ] = None,
) -> None:
    """Sign where the record stands now and print that as a line of JSON.

    Keep the line where nobody who can write to the record can change it: against it a record that was
    cut or rebuilt as a whole shows.

    Exit codes: 0 done, 2 the record cannot be written.
    """
    with opened(log, keys) as record:
        line = json_format.dumps(record.checkpoint().to_dict())
    typer.echo(line)
    if output is not None:
        try:
            with output.open("a", encoding="utf-8") as file:
                file.write(line + "\n")
        except OSError as error:
            raise InputError(
                f"{output}: cannot be written ({error.strerror}); keep the line above"
            ) from error


def report(
    out: Annotated[Path, typer.Option(metavar="DIR", help="Folder for the report and its signature.")],
    since: Since = None,
    until: Until = None,
    log: LogUrl = DEFAULT_URL,
    keys: KeysFile = None,
) -> None:
    """Write a signed report: volumes, actions, labels, policies, models, failures, proof of the chain.

    report.html needs nothing beside it and prints well; report.json has the same figures; report.sig.json
    is the signature of both, which 'unbarb audit verify --report DIR' checks.

    Exit codes: 0 done, 2 the record cannot be read.
    """
    with extra():
        from unbarb.audit.report import write_report
    first, last = day(since, "--from"), day(until, "--to")
    with opened(log, keys) as record:
        typer.echo(str(write_report(record, out, first, last)))


def drain(
    log: LogUrl = DEFAULT_URL,
    keys: KeysFile = None,
    spill: Annotated[
        Path | None,
        typer.Option(
            metavar="DIR", show_default=False,
            help="Where decisions were spilled to. Default for SQLite: the record's file with .spill.",
        ),
    ] = None,
    json: AsJson = False,
) -> None:  # fmt: skip
    """Record what was spilled to disk while the record could not be written. A server does so by itself.

    Exit codes: 0 done, 1 something spilled was changed since and refused, 2 the record cannot be written.
    """
    from unbarb.audit import AuditLog

    with AuditLog.open(log, keys=keys, create=False, spill=spill) as record:
        drained = record.drain()
    outcome: dict[str, Any] = {"recorded": drained.recorded, "refused": drained.refused}
    told = f"{drained.recorded} recorded, {drained.refused} refused"
    typer.echo(json_format.dumps(outcome) if json else told)
    if drained.refused:
        raise typer.Exit(TAMPERED)


def migrate(log: LogUrl = DEFAULT_URL, keys: KeysFile = None) -> None:
    """Make the tables of a record, or bring them to the form of this release. Running it again is safe.

    Exit codes: 0 done, 2 it cannot be done.
    """
    with opened(log, keys, create=True):
        from unbarb.audit.database import newest

        typer.echo(f"{log.rpartition('@')[2]}: at migration {newest()}")
