"""``unbarb rewrite``: decide and carry the decision out."""

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
    app.command("rewrite", short_help="Find toxic language and rewrite, mask or withhold it.")(rewrite)


def rewrite(
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
    """Find toxic language and carry out what the policy decides: rewrite, mask, withhold.

    A rewrite is checked before it is shown.

    Exit codes: 0 done, 2 wrong use, 3 some rows could not be read.
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
    raise typer.Exit(run(job, carry_out=True))
