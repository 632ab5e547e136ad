"""The options that several commands share."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import Annotated, Literal

import typer

from unbarb.errors import ConfigError

Format = StrEnum("Format", ["text", "jsonl", "csv", "tsv"])
View = StrEnum("View", ["auto", "table", "lines"])
Way = Literal["input", "output", "none"]

Texts = Annotated[
    list[str] | None,
    typer.Argument(metavar="TEXT", help="Texts. Without any, or with -, standard input is read."),
]
InputFile = Annotated[
    Path | None,
    typer.Option(
        "--input", "-i", metavar="FILE", show_default=False,
        help=".txt (one text a line), .jsonl, .csv or .tsv; each also with .gz.",
    ),
]  # fmt: skip
InputFormat = Annotated[
    Format | None,
    typer.Option(help="Format of the input, where its name does not tell it; standard input is text."),
]
TextColumn = Annotated[
    str,
    typer.Option("--column", "--field", metavar="NAME", help="CSV column or JSONL field with the text."),
]
IdColumn = Annotated[
    str | None,
    typer.Option(
        "--id-column", "--id-field", metavar="NAME", show_default=False,
        help="CSV column or JSONL field that holds the id. Default: id, where there is one.",
    ),
]  # fmt: skip
PolicyName = Annotated[
    str, typer.Option("--policy", "-p", metavar="NAME|FILE", help="A preset, or a policy file.")
]
DirectionOf = Annotated[
    Way, typer.Option(help="Whether texts go into a model or come out of it; the policy may differ.")
]
AsJson = Annotated[bool, typer.Option("--json", help="One verdict a line, as JSON, to standard output.")]
OutputFile = Annotated[
    Path | None,
    typer.Option(
        "--output", "-o", metavar="FILE", show_default=False,
        help="Write verdicts to FILE as JSONL. Until all are done it is called FILE.part.",
    ),
]  # fmt: skip
Resume = Annotated[bool, typer.Option("--resume", help="Go on with a FILE.part that a stopped run left.")]
ViewOf = Annotated[
    View, typer.Option(help="What is printed: a table, plain lines, or auto (table to a terminal).")
]
BatchSize = Annotated[
    int | None,
    typer.Option(
        "--batch", min=1, max=100_000, metavar="N", show_default=False,
        help="Texts worked on at a time. Default: 256; 1 in a table, which shows the time of each.",
    ),
]  # fmt: skip
Quiet = Annotated[bool, typer.Option("--quiet", "-q", help="Print no view, no totals and no progress.")]
NoColor = Annotated[bool, typer.Option("--no-color", help="No colours; so does the variable NO_COLOR.")]
Models = Annotated[
    Path | None,
    typer.Option(metavar="DIR", show_default=False, help="Folder with the field's models, as org/name."),
]
Download = Annotated[
    bool,
    typer.Option("--download", help="Fetch the field's models from the hub where they are missing."),
]
ReportJson = Annotated[bool, typer.Option("--json", help="Print report.json to standard output.")]


def pair(given: str, option: str = "--set") -> tuple[str, str]:
    """``KEY=VALUE`` as it was given to `option`.

    Raises:
        ConfigError: there is no ``=``.
    """
    key, mark, value = given.partition("=")
    if not mark:
        example = ", as --set training.epochs=1" if option == "--set" else ""
        raise ConfigError(f"{option} {given!r}: give KEY=VALUE{example}")
    return key, value
