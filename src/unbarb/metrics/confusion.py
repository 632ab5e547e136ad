"""Confusion matrix: how many samples of each true class were given each class.

Rows are true classes, columns predicted ones; equals scikit-learn's ``confusion_matrix``
(https://scikit-learn.org/stable/modules/model_evaluation.html#confusion-matrix).
"""

from __future__ import annotations

from collections.abc import Hashable, Sequence

import numpy as np
from numpy.typing import NDArray

from unbarb.errors import InputError

METRIC = "confusion/1"


def confusion(
    predicted: Sequence[Hashable], truth: Sequence[Hashable], classes: Sequence[Hashable]
) -> NDArray[np.int64]:
    """Counts, shape (len(classes), len(classes)); a sample predicted `None` is in no cell.

    Raises:
        InputError: the two differ in length, or hold a class that `classes` does not.
    """
    if len(predicted) != len(truth):
        raise InputError(f"{len(predicted)} predictions for {len(truth)} truths; give one each")
    place = {name: at for at, name in enumerate(classes)}
    strange = {*truth, *predicted} - {*place, None}
    if strange:
        raise InputError(f"class {min(map(repr, strange))}; known are {', '.join(map(repr, classes))}")
    counts = np.zeros((len(place), len(place)), dtype=np.int64)
    for said, true in zip(predicted, truth, strict=True):
        if said is not None:
            counts[place[true], place[said]] += 1
    return counts
