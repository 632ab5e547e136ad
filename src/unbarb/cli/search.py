"""``unbarb search``: look for a better learning rate, rank and targets."""

from __future__ import annotations

import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from unbarb.cli.options import pair
from unbarb.data.prepared import Prepared
from unbarb.errors import InputError, MissingExtra

if TYPE_CHECKING:
    from unbarb.train.schema import TrainRecipe


def register(app: typer.Typer) -> None:
    """Add the command to `app`."""
    app.command("search")(search)


def search(
    recipe: Annotated[str, typer.Argument(help="A recipe file, or the name of one that ships.")],
    data: Annotated[Path, typer.Option(help="A set of `unbarb data prepare`; its dev rows judge.")],
    out: Annotated[Path, typer.Option(help="Folder of the search: trials, table, best.yaml, search.png.")],
    trials: Annotated[int, typer.Option(min=1, help="Trials in all; a stopped search goes on.")] = 20,
    targets: Annotated[
        list[str] | None,
        typer.Option(
            help="Targets to choose from, as q,v or all-linear; repeatable."
            " Default: the recipe's and all-linear."
        ),
    ] = None,
    set_: Annotated[
        list[str] | None, typer.Option("--set", help="Another value for every trial; repeatable.")
    ] = None,
) -> None:
    """Search for a better learning rate, rank and targets of a recipe.

    Every trial is a run on the training rows, judged by the best loss on the dev rows; a trial worse
    than the median at the same step is stopped. Short trials do: --set training.max_steps=300.

    Exit codes: 0 done, 2 a recipe or set that cannot be used.
    """
    overrides = dict(pair(one) for one in set_ or [])
    try:
        from unbarb.train.reader import load
        from unbarb.train.search import search as look
        from unbarb.train.search import space_of
    except ModuleNotFoundError as error:
        if error.name is None or error.name.startswith("unbarb"):
            raise
        raise MissingExtra.for_feature("unbarb search", error.name, "train") from error
    settings = load(recipe, overrides)
    prepared = Prepared.load(data)
    found = look(
        settings,
        carried_out_on(prepared),
        out,
        trials=trials,
        space=space_of(settings, [_targets(one) for one in targets or []]),
        fingerprint=prepared.digest,
        told=lambda line: print(line, file=sys.stderr, flush=True),
    )
    typer.echo("\n".join(table(found.trials)))
    typer.echo(f"best: dev loss {found.value:.4f}, {out / 'best.yaml'}")


def carried_out_on(prepared: Prepared) -> Any:
    """Trains a trial's recipe on `prepared`; what was logged of the dev loss goes to the watch."""
    from unbarb.train.objectives import as_dict, check_rows, objective
    from unbarb.train.run import Run
    from unbarb.train.search import Watch

    class Watched(Run):
        """A run that tells its dev loss as it is logged."""

        watch: Watch

        def log(self, step: int, **figures: float) -> None:
            super().log(step, **figures)
            if "eval_loss" in figures:
                self.watch(step, figures["eval_loss"])

    def carry_out(recipe: TrainRecipe, folder: Path, watch: Watch) -> float:
        check_rows(recipe.objective, prepared)
        train = objective(recipe.objective)
        digests = {"data": prepared.digest}
        with Watched.begin(folder, recipe=as_dict(recipe), digests=digests, quiet=True) as run:
            run.watch = watch
            run.finish(**train(recipe, prepared, run))
            return best_of(run.metrics(), prepared)

    return carry_out


def best_of(metrics: Sequence[Mapping[str, Any]], prepared: Prepared) -> float:
    """The lowest dev loss of a run.

    Raises:
        InputError: there is none, for the set has no dev rows or the run was too short for a look.
    """
    losses = [float(line["eval_loss"]) for line in metrics if "eval_loss" in line]
    if not losses:
        raise InputError(
            f"{prepared.folder}: no dev loss was logged; a search needs dev rows, and a"
            " training.evaluate_every below the number of steps"
        )
    return min(losses)


def table(trials: Sequence[Mapping[str, Any]]) -> list[str]:
    """Trials, best first, in columns."""
    order = sorted(trials, key=lambda row: (row["eval_loss"] is None, row["eval_loss"] or 0.0))
    cells = [list(order[0]), *([_cell(row.get(key)) for key in order[0]] for row in order)]
    widths = [max(len(row[at]) for row in cells) for at in range(len(cells[0]))]
    padded = [[one.ljust(width) for one, width in zip(row, widths, strict=True)] for row in cells]
    return ["  ".join(row).rstrip() for row in padded]


def _cell(value: Any) -> str:
    if isinstance(value, float):
        return f"{value:.4g}"
    return "–" if value is None else ",".join(value) if isinstance(value, list) else str(value)


def _targets(given: str) -> list[str] | str:
    return given if given == "all-linear" else given.split(",")
