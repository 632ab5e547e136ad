"""``unbarb train``: make a model from a recipe; what an interrupted run finished is not made again."""

from __future__ import annotations

import os
import sys
import warnings
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from unbarb.cli.options import pair
from unbarb.data.corpora import Corpora
from unbarb.data.prepared import Prepared
from unbarb.errors import ConfigError, MissingExtra

if TYPE_CHECKING:
    from unbarb.train.recipe import Recipe
    from unbarb.train.schema import TrainRecipe

INTERRUPTED = 130


def register(app: typer.Typer) -> None:
    """Add the command to `app`."""
    app.command("train")(train)


def train(
    recipe: Annotated[str, typer.Argument(help="A recipe file, or the name of one that ships.")],
    out: Annotated[Path, typer.Option(help="Run folder: figures, checkpoints, and the model in model/.")],
    data: Annotated[
        Path | None,
        typer.Option(
            help="A set of `unbarb data prepare`; for the embedded model the folder with the corpora"
            " (default: the variable UNBARB_DATA)."
        ),
    ] = None,
    set_: Annotated[
        list[str] | None, typer.Option("--set", help="Another value, as training.epochs=1; repeatable.")
    ] = None,
    threads: Annotated[
        int | None, typer.Option(min=1, help="Processor threads. Default: all; the embedded model 2.")
    ] = None,
    quiet: Annotated[bool, typer.Option("--quiet", "-q", help="Show no progress.")] = False,
) -> None:
    """Train what a recipe says: a rewriter, a classifier, or the embedded model.

    A run that was stopped goes on from its last checkpoint when the same command is given again. Under
    `accelerate launch -m unbarb train …` it uses several GPUs or machines.
    """
    overrides = dict(pair(one) for one in set_ or [])
    try:
        from unbarb.train.reader import load_any
        from unbarb.train.schema import TrainRecipe

        settings = load_any(recipe, overrides)
        if isinstance(settings, TrainRecipe):
            _by_recipe(settings, data, out, threads, quiet)
        else:
            _embedded(settings, data, out, threads or 2)
    except ModuleNotFoundError as error:
        if error.name is None or error.name.startswith("unbarb"):
            raise
        raise MissingExtra.for_feature("unbarb train", error.name, "train") from error
    except KeyboardInterrupt:
        print(f"unbarb: stopped; the same command goes on from {out / 'checkpoints'}", file=sys.stderr)
        raise typer.Exit(INTERRUPTED) from None


def _by_recipe(recipe: TrainRecipe, data: Path | None, out: Path, threads: int | None, quiet: bool) -> None:
    from unbarb.train.objectives import train as carry_out

    if data is None:
        raise ConfigError("--data is missing: name the folder of a set that `unbarb data prepare` wrote")
    prepared = Prepared.load(data)
    if threads is not None:
        # Read by every library that computes, and only when it is first imported.
        os.environ["OMP_NUM_THREADS"] = str(threads)
    # peft and trl ask transformers for it by the old name; who trains can do nothing about it.
    warnings.filterwarnings("ignore", ".*gradient_checkpointing.*", FutureWarning)
    facts = carry_out(recipe, prepared, out, quiet=quiet)
    if int(os.environ.get("RANK", "0")) == 0:
        typer.echo(summary(facts, out))


def summary(facts: Mapping[str, Any], out: Path) -> str:
    """The lines a person reads when a run is over."""
    lines = []
    if "parameters" in facts:
        count = facts["parameters"]
        lines.append(f"trained: {count['trainable']:,} of {count['total']:,} parameters")
    final = facts.get("final", {})
    told = [
        f"{name} {final[key]:.4f}"
        for key, name in (("loss", "loss"), ("eval_loss", "dev loss"))
        if key in final
    ]
    if told:
        lines.append(f"{', '.join(told)} after {facts['steps']:,} steps; kept: step {facts['best_step']:,}")
    lines.append(f"time: {facts['seconds']:,.0f} s, memory: {facts['peak_memory_mb']:,.0f} MB")
    if (out / "model").is_dir():
        lines.append(f"model: {out / 'model'}")
    return "\n".join(lines)


def _embedded(settings: Recipe, data: Path | None, out: Path, threads: int) -> None:
    import torch

    from unbarb.cli.embedded import EmbeddedRun

    corpora = Corpora(data) if data else Corpora.from_environment()
    torch.set_num_threads(threads)
    run = EmbeddedRun(settings, corpora, out, _told)
    run.make()
    typer.echo(f"model: {run.bundle}")


def _told(part: str, step: int, steps: int, loss: float) -> None:
    if step % 25 == 0 or step == steps:
        print(f"\r{part}: step {step}/{steps}, loss {loss:.4f}", end="", file=sys.stderr, flush=True)
