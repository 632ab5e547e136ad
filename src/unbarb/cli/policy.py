"""``unbarb policy``: read a policy in plain words, and check policy files."""

from __future__ import annotations

import json as json_format
import sys
from pathlib import Path
from typing import Annotated

import typer

from unbarb import plugins
from unbarb.errors import ConfigError
from unbarb.policy import PRESETS, Policy


def register(app: typer.Typer) -> None:
    """Add the group of commands to `app`."""
    group = typer.Typer(no_args_is_help=True, rich_markup_mode=None, help="Read and check policies.")
    group.command("show")(show)
    group.command("check")(check)
    app.add_typer(group, name="policy")


def show(
    policy: Annotated[
        str, typer.Argument(metavar="[NAME|FILE]", help=f"One of {', '.join(PRESETS)}, or a policy file.")
    ] = "default",
    json: Annotated[bool, typer.Option("--json", help="The report as one JSON object.")] = False,
) -> None:
    """Say each rule of a policy as a sentence, and which of its labels nothing here can score.

    Exit codes: 0 done, 2 the policy is not valid or names a detector that cannot be loaded.
    """
    from unbarb.guard import Guard

    chosen = Policy.load(policy)
    report = chosen.report(Guard(policy=chosen, rewriter=None).panel.labels)
    typer.echo(json_format.dumps(report.to_dict(), ensure_ascii=False) if json else str(report))


def check(
    files: Annotated[list[Path], typer.Argument(metavar="FILE...", help="Policy files.")],
) -> None:
    """Check policy files and list all that is wrong with them, as file:line: what.

    Exit codes: 0 all are valid, 2 some are not.
    """
    wrong = 0
    for file in files:
        try:
            policy = Policy.load(file)
        except ConfigError as error:
            wrong += 1
            print(error, file=sys.stderr)
            continue
        typer.echo(f"{file}: valid ({policy.digest})")
        missing = sorted({one.name for one in policy.detectors} - set(plugins.names("unbarb.detectors")))
        if policy.rewriter.name not in plugins.names("unbarb.rewriters"):
            missing.append(policy.rewriter.name)
        if missing:
            print(f"{file}: note: not installed here: {', '.join(missing)}", file=sys.stderr)
    if wrong:
        raise typer.Exit(2)
