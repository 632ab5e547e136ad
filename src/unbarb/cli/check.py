"""``unbarb check``: score and decide, change nothing."""

from __future__ import annotations

import typer

from unbarb.cli.job import Job, run
from unbarb.cli.options import (
    AsJson,
    BatchSize,
    DirectionOf,
    IdColumn,
    InputFile,
    InputFormat,
    NoColor,
    OutputFile,
    PolicyName,
    Quiet,
    Resume,
    TextColumn,
    Texts,
    View,
    ViewOf,
)


def register(app: typer.Typer) -> None:
    """Add the command to `app`."""
    app.command("check", short_help="Find toxic language and decide; change nothing.")(check)


def check(
    texts: Texts = None,
    input: InputFile = None,
    format: InputFormat = None,
    column: TextColumn = "text",
    id_column: IdColumn = None,
    policy: PolicyName = "default",
    direction: DirectionOf = "none",
    json: AsJson = False,
    output: OutputFile = None,
    resume: Resume = False,
    view: ViewOf = View.auto,
    batch: BatchSize = None,
    quiet: Quiet = False,
    no_color: NoColor = False,
) -> None:
    """Find toxic language and say what the policy decides; change nothing.

    Exit codes: 0 every text is allowed, 1 some are not, 2 wrong use, 3 some rows could not be read.
    """
    job = Job(
        texts=texts,
        input=input,
        format=format,
        column=column,
        id_column=id_column,
        policy=policy,
        direction=direction,
        json=json,
        output=output,
        resume=resume,
        view=view,
        batch=batch,
        quiet=quiet,
        no_color=no_color,
    )
    raise typer.Exit(run(job, carry_out=False))
