"""Labels of prepared rows as a matrix, and whether there is enough of each to learn from.

A label that a row says nothing about is NaN: it takes no part in a loss and is not counted in a figure. A
share of votes counts as positive from one half on, where a learner needs classes.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from unbarb.errors import InputError

Floats = NDArray[np.float64]
Flags = NDArray[np.bool_]

POSITIVE = 0.5
"""The share of votes from which on a row has a label."""


def label_matrix(rows: Sequence[Mapping[str, Any]], labels: Sequence[str]) -> Floats:
    """Labels of `rows`, shape (rows, labels), NaN where a row does not know one."""
    found = [[row["labels"].get(label, np.nan) for label in labels] for row in rows]
    return np.array(found, np.float64).reshape(len(rows), len(labels))


def positives(matrix: Floats) -> Floats:
    """The matrix in classes: 1, 0 and NaN."""
    return np.where(np.isnan(matrix), np.nan, (matrix >= POSITIVE).astype(np.float64))


def learnable(rows: Sequence[Mapping[str, Any]], labels: Sequence[str]) -> Floats:
    """The label matrix of rows to learn from.

    Raises:
        InputError: a label has no row with it, or none without it; all such labels at once.
    """
    matrix = label_matrix(rows, labels)
    with_it, known = (matrix >= POSITIVE).sum(axis=0), (~np.isnan(matrix)).sum(axis=0)
    problems = [
        f"{label}: {found:,} of {said:,} rows that know it have it; some with and some without are needed"
        for label, found, said in zip(labels, with_it.tolist(), known.tolist(), strict=True)
        if not 0 < found < said
    ]
    if problems:
        raise InputError(
            "the training rows do not teach every label of data.labels:\n  "
            + "\n  ".join(problems)
            + "\n  add rows, or leave these labels out of data.labels"
        )
    return matrix


def positive_weights(matrix: Floats, how: str) -> Floats:
    """What a positive row of each label weighs, a negative one weighing 1: shape (labels,).

    ``balanced`` makes both classes weigh the same (negatives over positives), ``sqrt`` is the root of that:
    rare labels are heard without drowning their precision. ``none`` is 1.
    """
    with_it = np.maximum((matrix >= POSITIVE).sum(axis=0), 1)
    ratio = (matrix < POSITIVE).sum(axis=0) / with_it
    power = {"none": 0.0, "sqrt": 0.5, "balanced": 1.0}[how]
    weights: Floats = np.maximum(ratio, 1e-6) ** power
    return weights
