"""Expected calibration error: how far probabilities are from the shares they promise.

Ten equally wide bins, the absolute gap between mean score and share of positives, weighted by bin size
(Guo et al. 2017, https://arxiv.org/abs/1706.04599, for the binary case with the positive class's
probability).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from unbarb.metrics.scored import Values, classes, scored

METRIC = "ece/1"


@dataclass(frozen=True, slots=True)
class Bin:
    """The samples of one bin: how many, their mean score and their share of positives."""

    n: int
    mean_score: float
    positive: float


def bins(scores: Values, labels: Values, count: int = 10) -> list[Bin]:
    """The bins that hold any sample, lowest scores first."""
    value, label = scored(scores, labels).columns
    positive = classes(label)
    place = np.clip((value * count).astype(int), 0, count - 1)
    full = [place == i for i in range(count) if (place == i).any()]
    return [Bin(int(m.sum()), float(value[m].mean()), float(positive[m].mean())) for m in full]


def calibration_error(scores: Values, labels: Values, count: int = 10) -> float | None:
    """0…1, lower is better; `None` without samples."""
    found = bins(scores, labels, count)
    total = sum(b.n for b in found)
    return sum(b.n * abs(b.mean_score - b.positive) for b in found) / total if total else None
