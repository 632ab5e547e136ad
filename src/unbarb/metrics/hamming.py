"""Hamming loss: the share of single label decisions that are wrong.

Schapire and Singer 2000 (https://doi.org/10.1023/A:1007649029923); equals scikit-learn's
``hamming_loss``.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from unbarb.errors import InputError
from unbarb.metrics.scored import Floats

METRIC = "hamming_loss/1"


def per_sample(predicted: NDArray[np.generic], truth: NDArray[np.generic]) -> Floats:
    """The share of wrong labels of each sample, shape (n,); NaN where a label has no number.

    Both are 0 or 1, shape (n, labels).

    Raises:
        InputError: the shapes differ.
    """
    said, true = np.asarray(predicted, dtype=float), np.asarray(truth, dtype=float)
    if said.shape != true.shape or said.ndim != 2:
        raise InputError(f"decisions {said.shape} for truths {true.shape}; both must be (samples, labels)")
    unknown = np.isnan(said) | np.isnan(true)
    return np.where(unknown.any(axis=1), np.nan, (said != true).mean(axis=1))


def hamming_loss(predicted: NDArray[np.generic], truth: NDArray[np.generic]) -> float | None:
    """0…1, lower is better; `None` without a scored sample."""
    shares = per_sample(predicted, truth)
    there = shares[~np.isnan(shares)]
    return float(there.mean()) if len(there) else None
