"""SemEval-2021 task 5: the characters that make a post toxic."""

from __future__ import annotations

import json
from pathlib import Path

from unbarb.data.examples import Labelled
from unbarb.data.readers.civil import stretches
from unbarb.data.split import group_key
from unbarb.data.table import rows
from unbarb.errors import InputError


def toxic_spans(path: Path) -> list[Labelled]:
    """Read columns ``spans`` (a list of code point indices) and ``text``.

    A post with a marked stretch has ``toxicity`` 1. One without has no label: its annotators saw the
    toxicity nowhere in particular, or not at all, and the file does not say which.

    Source: Pavlopoulos et al. 2021, "SemEval-2021 Task 5: Toxic Spans Detection", train and trial rows,
    https://github.com/ipavlopoulos/toxic_spans; CC0 1.0.
    """
    found = []
    for index, row in enumerate(rows(path, ("spans", "text")), start=1):
        text = row["text"]
        spans = stretches([at for at in _indices(row["spans"], path, index) if at < len(text)])
        labels = {"toxicity": 1.0} if spans else {}
        found.append(Labelled(text, labels, spans, "toxic_spans", group_key(text)))
    return found


def _indices(field: str, path: Path, row: int) -> list[int]:
    try:
        return sorted({int(at) for at in json.loads(field)})
    except (TypeError, ValueError) as error:
        raise InputError(f"{path}, row {row}: spans must be a list of indices, not {field!r}") from error
