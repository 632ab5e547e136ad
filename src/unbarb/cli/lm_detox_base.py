"""The base of an experiment that makes its own: an untrained model that reads a first part of the texts."""

from __future__ import annotations

import shutil
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from unbarb.data.prepared import MANIFEST, Prepared, write_prepared
from unbarb.errors import InputError

if TYPE_CHECKING:
    from unbarb.train.experiment import Experiment

Row = dict[str, Any]


def texts_set(folder: Path, rows: Sequence[Row]) -> Prepared:
    """`rows` as a prepared set, without dev rows: arms take as many steps, and none stops at its best.

    Raises:
        InputError: a set with other rows is there.
    """
    if (folder / MANIFEST).is_file():
        found = Prepared.load(folder)
        if found.split("train") != list(rows):
            raise InputError(f"{folder} was made of other texts; name another --out, or delete it")
        return found
    folder.parent.mkdir(parents=True, exist_ok=True)
    return write_prepared(folder, "texts", {"train": rows})


def scratch_base(experiment: Experiment, rows: Sequence[Row], out: Path, *, quiet: bool) -> Path:
    """The folder of the base made here; a run that was stopped goes on, a finished one is taken."""
    from unbarb.train.objectives import train
    from unbarb.train.scratch import write_scratch

    assert experiment.scratch is not None, "only asked for a base that is made here"
    prepared = texts_set(out / "texts" / "base", rows)
    untrained = out / "untrained"
    if not (untrained / "config.json").is_file():
        part = untrained.with_name("untrained.part")
        shutil.rmtree(part, ignore_errors=True)
        write_scratch(part, experiment.scratch, (row["text"] for row in prepared.rows("train")))
        part.rename(untrained)
    train(experiment.scratch_recipe(str(untrained)), prepared, out / "base", quiet=quiet)
    shutil.rmtree(out / "base" / "checkpoints", ignore_errors=True)
    return out / "base" / "model"
