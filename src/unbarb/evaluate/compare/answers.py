"""What a run says to every row of a split: read where it is written, else asked of the saved model.

Answers are added to ``predictions-SPLIT.jsonl`` of the run as they come, so that a split is answered once
and a comparison that was stopped goes on where it stopped. Answers to rows of another prepared set than
the run was trained on get a file of their own, with the beginning of that set's digest in its name.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from unbarb.errors import InputError
from unbarb.evaluate.compare.items import Items, json_rows

RECIPE = "recipe.yaml"
DIGITS = 12

Row = Mapping[str, Any]
Ask = Callable[[Path, str, Sequence[Row]], Iterator[dict[str, Any]]]
"""Gives the rows, of a kind, with what the model of the run in a folder says to each."""
Moved = Callable[[str, int, int | None], None]
"""Called with whose answers are being written, how many there are, and of how many."""


def nobody(run: Path, kind: str, rows: Sequence[Row]) -> Iterator[dict[str, Any]]:
    """Asks no model.

    Raises:
        InputError: always.
    """
    raise InputError(f"{run} has no predictions for {len(rows)} {kind}, and nothing here asks its model")


def still(step: str, rows: int, total: int | None) -> None:
    """Tells nobody."""


@dataclass(frozen=True, slots=True)
class Answering:
    """How the models of runs are asked (`unbarb.train.ask` does it), and who is told how far they are."""

    ask: Ask = nobody
    moved: Moved = still


UNASKED = Answering()


def answered(
    name: str, folder: Path, facts: Mapping[str, Any], items: Items, answering: Answering = UNASKED
) -> Path:
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
        _answer(name, folder, path, items, left, answering)
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


def _answer(
    name: str, folder: Path, path: Path, items: Items, left: Sequence[int], answering: Answering
) -> None:
    rows = [_row(items, at) for at in left]
    total, done = len(items.ids), len(items.ids) - len(left)
    answering.moved(name, done, total)
    try:
        with path.open("a", encoding="utf-8") as file:
            for row in answering.ask(folder, items.kind, rows):
                file.write(json.dumps(row, ensure_ascii=False) + "\n")
                file.flush()
                done += 1
                answering.moved(name, done, total)
    except OSError as error:
        raise InputError(
            f"{path} cannot be written: {error.strerror or error}; copy the run to a place that can"
        ) from error


def _row(items: Items, at: int) -> dict[str, Any]:
    if items.kind == "pairs":
        return {"id": items.ids[at][0], "source": items.texts[at], "target": items.references[at]}
    return {"id": items.ids[at][0], "text": items.texts[at], "labels": dict(items.labels[at])}
