"""Accuracy: the share of samples whose predicted class is the true one.

For several labels at once it is the exact match, all labels of a sample right together (Godbole and
Sarawagi 2004, https://doi.org/10.1007/978-3-540-24775-3_5); equals scikit-learn's ``accuracy_score``.
"""

from __future__ import annotations

from collections.abc import Hashable, Sequence

from unbarb.errors import InputError

METRIC = "accuracy/1"


def hits(predicted: Sequence[Hashable], truth: Sequence[Hashable]) -> list[float | None]:
    """1 for a sample that is right, 0 for one that is wrong, `None` for one without a prediction.

    Raises:
        InputError: the two differ in length.
    """
    if len(predicted) != len(truth):
        raise InputError(f"{len(predicted)} predictions for {len(truth)} truths; give one each")
    return [None if p is None else float(p == t) for p, t in zip(predicted, truth, strict=True)]


def accuracy(predicted: Sequence[Hashable], truth: Sequence[Hashable]) -> float | None:
    """0…1, higher is better; `None` without a scored sample."""
    there = [hit for hit in hits(predicted, truth) if hit is not None]
    return sum(there) / len(there) if there else None
