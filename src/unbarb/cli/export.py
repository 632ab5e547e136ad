"""``unbarb export``: make of a trained model what is served, and check that it still says the same."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any

import typer

from unbarb.errors import ConfigError
from unbarb.plugins import missing_extra


class Format(StrEnum):
    """What is written."""

    merged = "merged"
    adapter = "adapter"
    onnx = "onnx"
    ctranslate2 = "ctranslate2"


def register(app: typer.Typer) -> None:
    """Add the command to `app`."""
    app.command("export")(export)


def export(
    run: Annotated[Path, typer.Argument(help="A run of `unbarb train`, or a model's folder.")],
    to: Annotated[
        Format,
        typer.Option(
            help="merged: the whole model; adapter: as it is, with a card; onnx: a classifier, without"
            " torch; ctranslate2: a model that writes, several times faster on a processor."
        ),
    ],
    out: Annotated[Path, typer.Option(help="The new folder.")],
    checkpoint: Annotated[str, typer.Option(help="best, last, or the step of a checkpoint.")] = "best",
    base: Annotated[
        str | None, typer.Option(help="The model under the adapter, where it is not the one it names.")
    ] = None,
    dtype: Annotated[str, typer.Option(help="Numbers of a merged model: bf16, fp32 or fp16.")] = "bf16",
    precision: Annotated[str, typer.Option(help="Numbers of onnx and ctranslate2: int8 or fp32.")] = "int8",
    prompts: Annotated[
        Path | None, typer.Option(help="Texts to compare on, one a line. Default: the run's own dev texts.")
    ] = None,
    tolerance: Annotated[
        float | None,
        typer.Option(min=0.0, help="How much drift is let pass. Default: what rounding makes."),
    ] = None,
    push: Annotated[
        str | None, typer.Option(metavar="ORG/NAME", help="Upload it to this repository of the hub.")
    ] = None,
    public: Annotated[bool, typer.Option("--public", help="Make a new repository public.")] = False,
) -> None:
    """Merge, convert or copy a trained model, compare it with what was trained, and write its card.

    The same texts are put to the model before and after; where it says something else the export fails and
    nothing is kept. Exit codes: 0 done, 2 it cannot be done, with what to do.
    """
    try:
        from unbarb.export.exporting import Wanted, export_to
    except ModuleNotFoundError as error:
        if error.name is None or error.name.startswith("unbarb"):
            raise
        raise missing_extra("unbarb export", error) from error
    if tolerance is not None and to is Format.adapter:
        raise ConfigError("--tolerance: an adapter is copied as it is, so there is nothing to compare")
    told: dict[str, Any] = export_to(
        Wanted(
            run,
            to.value,
            out,
            checkpoint,
            base,
            dtype,
            precision,
            prompts,
            tolerance,
            push,
            private=not public,
        )
    )
    for line in told["lines"]:
        typer.echo(line)
