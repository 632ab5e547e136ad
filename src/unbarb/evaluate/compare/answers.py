"""What a run says to every row of a split: read where it is written, else asked of the saved model.

Answers are added to ``predictions-SPLIT.jsonl`` of the run as they come, so that a split is answered once
and a comparison that was stopped goes on where it stopped. Answers to rows of another prepared set than
the run was trained on get a file of their own, with the beginning of that set's digest in its name.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from unbarb.errors import InputError
from unbarb.evaluate.compare.items import Items, json_rows

RECIPE, MODEL = "recipe.yaml", "model"
LABELLED = ("classification", "naive_bayes", "logistic", "bilstm", "generative")
REWRITERS = ("seq2seq", "causal", "preference")
DIGITS = 12

Moved = Callable[[str, int, int | None], None]
"""Called with whose answers are being written, how many there are, and of how many."""


def still(step: str, rows: int, total: int | None) -> None:
    """Tells nobody."""


def answered(name: str, folder: Path, facts: Mapping[str, Any], items: Items, moved: Moved = still) -> Path:
    """The file with what the run in `folder` says to all `items`; its model answers what is not there.

    A folder without a recipe, or of an objective that answers nothing, is taken as it is.

    Raises:
        InputError: the run has not finished, has neither predictions nor a model to ask, learnt from rows
            of another kind, or cannot be written to.
        ModelError: its model does not load.
    """
    path = folder / _file(facts, items)
    if facts.get("status", "finished") != "finished":
        raise InputError(f"{folder}: the run has not finished; go on with `unbarb train`")
    if not items.prepared or not (folder / RECIPE).is_file():
        if path.is_file():
            return path
        raise InputError(
            f"{folder} has no {path.name} and no {RECIPE}; give a run of `unbarb train`"
            if items.prepared
            else f"{folder} has no {path.name}; give a prepared set as data, and its model will answer it"
        )
    said = _said(path)
    left = [at for at, ids in enumerate(items.ids) if not said.intersection(ids)]
    if left:
        _answer(name, folder, path, items, left, moved)
    return path


def _file(facts: Mapping[str, Any], items: Items) -> str:
    if not items.prepared:
        return "predictions-dev.jsonl"
    learnt_from = facts.get("digests", {}).get("data")
    other = items.prepared != learnt_from and facts.get("status") is not None
    of_set = f"-{items.prepared.removeprefix('sha256:')[:DIGITS]}" if other else ""
    return f"predictions-{items.side}{of_set}.jsonl"


def _said(path: Path) -> set[str]:
    """The ids that are answered; a last line that a killed process left half written is taken away."""
    if not path.is_file():
        return set()
    written = path.read_bytes()
    whole = written.rfind(b"\n") + 1
    if whole < len(written):
        with path.open("r+b") as file:
            file.truncate(whole)
    return {str(row["id"]) for row in json_rows(path) if "id" in row}


def _answer(name: str, folder: Path, path: Path, items: Items, left: Sequence[int], moved: Moved) -> None:
    rows = [_row(items, at) for at in left]
    total, done = len(items.ids), len(items.ids) - len(left)
    moved(name, done, total)
    try:
        with path.open("a", encoding="utf-8") as file:
            for row in _asked(folder, items.kind, rows):
                file.write(json.dumps(row, ensure_ascii=False) + "\n")
                file.flush()
                done += 1
                moved(name, done, total)
    except OSError as error:
        raise InputError(
            f"{path} cannot be written: {error.strerror or error}; copy the run to a place that can"
        ) from error


def _row(items: Items, at: int) -> dict[str, Any]:
    if items.kind == "pairs":
        return {"id": items.ids[at][0], "source": items.texts[at], "target": items.references[at]}
    return {"id": items.ids[at][0], "text": items.texts[at], "labels": dict(items.labels[at])}


def _asked(folder: Path, kind: str, rows: Sequence[Mapping[str, Any]]) -> Iterator[dict[str, Any]]:
    """The rows with what the run's model says."""
    import yaml

    from unbarb.train.schema import TrainRecipe

    recipe = TrainRecipe.model_validate(yaml.safe_load((folder / RECIPE).read_text("utf-8")))
    wanted = REWRITERS if kind == "pairs" else LABELLED
    if recipe.objective not in wanted:
        raise InputError(
            f"{folder} learnt {recipe.objective}, and {kind} rows are answered by {', '.join(wanted)};"
            " give other --data, or other runs"
        )
    if recipe.objective in LABELLED and recipe.objective != "generative":
        from unbarb.evaluate.compare.classified import classified

        return classified(folder / MODEL, rows)
    from unbarb.evaluate.compare.generating import generated

    return generated(folder / MODEL, recipe, rows)
