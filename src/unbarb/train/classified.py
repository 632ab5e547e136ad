"""A run's classifier over rows it may never have seen."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from unbarb.train.classifier import load_classifier, np_round

AT_ONCE = 256


def classified(model: Path, rows: Sequence[Mapping[str, Any]]) -> Iterator[dict[str, Any]]:
    """Each row with its ``scores`` by label.

    Raises:
        ModelError: `model` holds no classifier, or a damaged one.
        MissingExtra: it needs a package that is not installed.
    """
    classifier = load_classifier(model)
    for start in range(0, len(rows), AT_ONCE):
        chunk = rows[start : start + AT_ONCE]
        scores = classifier.predict_proba([row["text"] for row in chunk])
        for row, one in zip(chunk, scores, strict=True):
            yield {**row, "scores": dict(zip(classifier.labels, np_round(one), strict=True))}
