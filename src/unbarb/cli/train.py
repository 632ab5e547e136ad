"""``unbarb train``: make a model from a recipe; what an interrupted run finished is not made again."""

from __future__ import annotations

import json
import sys
from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer

from unbarb.data.corpora import Corpora
from unbarb.errors import ConfigError, MissingExtra


def register(app: typer.Typer) -> None:
    """Add the command to `app`."""
    app.command("train")(train)


def train(
    recipe: Annotated[Path, typer.Argument(help="A recipe file; those that ship are in unbarb/recipes.")],
    out: Annotated[Path, typer.Option(help="Run folder: logs, checkpoints, and the model in model/.")],
    data: Annotated[
        Path | None, typer.Option(help="Folder with the corpora. Default: the variable UNBARB_DATA.")
    ] = None,
    set_: Annotated[
        list[str] | None, typer.Option("--set", help="Another value, as detector.epochs=1; repeatable.")
    ] = None,
    threads: Annotated[int, typer.Option(min=1, help="Processor threads.")] = 2,
) -> None:
    """Make the embedded model: tune, merge, export, quantise, choose thresholds, write the card.

    Steps whose files lie in the run folder are skipped, so an interrupted run goes on where it was.
    """
    corpora = Corpora(data) if data else Corpora.from_environment()
    overrides = dict(_pair(one) for one in set_ or [])
    try:
        import torch

        from unbarb.cli.embedded import EmbeddedRun
        from unbarb.train.recipe import load_recipe
    except ModuleNotFoundError as error:
        if error.name is None or error.name.startswith("unbarb"):
            raise
        raise MissingExtra.for_feature("unbarb train", error.name, "train") from error
    torch.set_num_threads(threads)
    settings = load_recipe(recipe, overrides)
    run = EmbeddedRun(settings, corpora, out, _told)
    run.make()
    (out / "recipe.json").write_text(json.dumps(asdict(settings), indent=2) + "\n", encoding="utf-8")
    typer.echo(f"model: {run.bundle}")


def _pair(given: str) -> tuple[str, str]:
    key, mark, value = given.partition("=")
    if not mark:
        raise ConfigError(f"--set {given!r}: give KEY=VALUE, as --set detector.epochs=1")
    return key, value


def _told(part: str, step: int, steps: int, loss: float) -> None:
    if step % 25 == 0 or step == steps:
        print(f"\r{part}: step {step}/{steps}, loss {loss:.4f}", end="", file=sys.stderr, flush=True)
