"""The share of the toxic texts found when at most a given share of the clean ones is flagged.

The true positive rate at the lowest threshold whose false positive rate is not above `rate`, a point of
the ROC curve (Fawcett 2006, https://doi.org/10.1016/j.patrec.2005.10.010). A threshold stands between
distinct scores: tied samples are flagged together or not at all.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from unbarb.errors import InputError
from unbarb.metrics.scored import Values, classes, scored

METRIC = "recall_at_false_alarm/1"


@dataclass(frozen=True, slots=True)
class Operating:
    """A threshold (flag from it on) and what it finds and falsely flags, shares 0…1."""

    threshold: float
    recall: float
    false_alarms: float


def operating_point(scores: Values, labels: Values, rate: float = 0.01) -> Operating | None:
    """The point of highest recall with false alarms at most `rate`; `None` when a class is missing.

    Raises:
        InputError: `rate` lies outside 0…1.
    """
    if not 0 <= rate <= 1:
        raise InputError(f"false alarm rate {rate}; allowed is 0…1, as a share (1 % is 0.01)")
    value, label = scored(scores, labels).columns
    positive = classes(label)
    if positive.all() or not positive.any():
        return None
    clean = np.sort(value[~positive])[::-1]
    allowed = math.floor(rate * len(clean) + 1e-9)
    first_spared = clean[allowed] if allowed < len(clean) else -np.inf
    flagged = value > first_spared
    threshold = float(value[flagged].min()) if flagged.any() else math.inf
    return Operating(threshold, float(flagged[positive].mean()), float(flagged[~positive].mean()))


def recall_at_false_alarm(scores: Values, labels: Values, rate: float = 0.01) -> float | None:
    """0…1, higher is better; `None` when a class is missing."""
    point = operating_point(scores, labels, rate)
    return None if point is None else point.recall
