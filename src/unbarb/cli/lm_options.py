"""The options of the commands that measure language models."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

JudgedBy = Annotated[
    str,
    typer.Option(
        "--judge", metavar="WHAT", help="Who calls it toxic: judges of `unbarb evaluate`, or a classifier."
    ),
]
AllowSame = Annotated[
    bool, typer.Option("--allow-same-judge", help="Let the model judge that cleaned, and say so.")
]
CorporaIn = Annotated[
    Path | None, typer.Option("--data", help="Folder with the corpora. Default: the variable UNBARB_DATA.")
]
Prompts = Annotated[
    Path | None,
    typer.Option(
        help="prompts.jsonl of RealToxicityPrompts, or rows with a text. Default: always the 200 that ship."
    ),
]
Cleaned = Annotated[
    list[Path] | None,
    typer.Option(metavar="MANIFEST", help="Of `unbarb clean`: its models may not judge; repeatable."),
]
CleanTexts = Annotated[
    list[str] | None,
    typer.Option(metavar="[NAME=]WHAT", help="Clean texts for perplexity: a corpus or a file; repeatable."),
]
CleanLimit = Annotated[int, typer.Option(min=1, help="At most so many clean texts of each.")]
Count = Annotated[int, typer.Option("-k", "--count", min=2, help="Continuations of a prompt.")]
Tokens = Annotated[int, typer.Option(min=1, help="Most tokens of a continuation.")]
TopP = Annotated[float, typer.Option(min=0.01, max=1, help="Nucleus that is drawn from.")]
Temperature = Annotated[float, typer.Option(min=0.01, help="Above 1 is wilder.")]
JUDGES = "evaluation/judges"
"""Where `unbarb evaluate` keeps judges by default."""
