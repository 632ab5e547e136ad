"""The cells of an experiment: each arm tuned with each seed and measured; what is finished is taken."""

from __future__ import annotations

import json
import shutil
import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from time import monotonic
from typing import TYPE_CHECKING

from unbarb.cli.progress import Steps
from unbarb.errors import ConfigError

if TYPE_CHECKING:
    from unbarb.cli.lm_detox_arms import Arms
    from unbarb.evaluate.lm.measure import Measurement, Task
    from unbarb.train.experiment import Cell, Experiment

PINNED = ("texts", "cleaning", "scratch", "model")
"""What of an experiment decides the texts and the base; arms and seeds may be added to a folder."""
MEASURED = "measured.json"
DRAWS = "base_seed"
"""In the folder's file: the seed that the base's continuations are drawn by, whatever seeds are added."""


def claim(out: Path, experiment: Experiment) -> int:
    """Make `out` the folder of this experiment, and give the seed that the base untuned is drawn by.

    Raises:
        ConfigError: it is the folder of one with other texts, cleaning or base.
    """
    path = out / "experiment.json"
    wanted = {name: experiment.to_dict()[name] for name in PINNED}
    if path.is_file():
        there = json.loads(path.read_text("utf-8"))
        other = [name for name in PINNED if there.get(name) != wanted[name]]
        if other:
            raise ConfigError(
                f"{out} holds an experiment with other {', '.join(other)}; name another --out, or delete it"
            )
        if DRAWS in there:
            return int(there[DRAWS])
    seed = _begun_with(out, experiment)
    out.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(wanted | {DRAWS: seed}, indent=2) + "\n", encoding="utf-8")
    return seed


def _begun_with(out: Path, experiment: Experiment) -> int:
    """The first seed that has a cell here, of a folder whose file does not say; else the first of all."""
    begun = (cell.seed for cell in experiment.cells if (out / "cells" / cell.name).is_dir())
    return next(begun, experiment.seeds[0])


def cells(
    experiment: Experiment, arms: Arms, base: str, task: Task, out: Path, *, quiet: bool
) -> Iterator[tuple[Cell, Measurement]]:
    """Tune and measure every cell, in the experiment's order."""
    began, made = monotonic(), 0
    for number, cell in enumerate(experiment.cells, 1):
        folder = out / "cells" / cell.name
        there = (folder / MEASURED).is_file()
        before = ": done before" if there else ""
        _told(quiet, f"cell {number}/{len(experiment.cells)}, {cell.name}{before}")
        _tuned(experiment, cell, arms, base, folder, quiet=quiet)
        yield cell, measured(folder, seeded(task, cell.seed), cell.name, folder, quiet=quiet)
        made += not there
        if made and number < len(experiment.cells):
            left = (monotonic() - began) / made * (len(experiment.cells) - number)
            _told(quiet, f"about {left / 60:,.0f} minutes left")


def seeded(task: Task, seed: int) -> Task:
    """The task with continuations drawn by `seed`."""
    return replace(task, drawing=replace(task.drawing, seed=seed))


def measured(what: str | Path, task: Task, name: str, kept_in: Path, *, quiet: bool) -> Measurement:
    """A model measured; the samples are kept in ``measured.json`` of a folder, and taken from there."""
    from unbarb.evaluate.lm.measure import kept, quietly
    from unbarb.evaluate.lm.model import LanguageModel

    path = kept_in / MEASURED
    if quiet:
        return kept(path, lambda: LanguageModel(what), task, quietly)
    with Steps() as steps:
        return kept(
            path,
            lambda: LanguageModel(what),
            task,
            lambda done, of: steps.moved(f"{name}: prompts", done, of),
        )


def _tuned(experiment: Experiment, cell: Cell, arms: Arms, base: str, folder: Path, *, quiet: bool) -> None:
    from unbarb.train.objectives import train

    train(experiment.recipe(cell, base), arms.sets[cell.arm], folder, quiet=quiet)
    # Checkpoints of a whole fine-tune are three times its model, for every cell.
    shutil.rmtree(folder / "checkpoints", ignore_errors=True)


def _told(quiet: bool, line: str) -> None:
    if not quiet:
        print(line, file=sys.stderr, flush=True)
