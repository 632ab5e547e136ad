"""Precision, recall, F1 at a threshold, and macro-F1 over classes.

A score counts as positive from the threshold on (``>=``). What has an empty denominator is `None` for
precision and recall; F1 is then 0 when there was anything to find or anything found, and `None` when
there was neither. Macro-F1 is the unweighted mean over the classes that occur (Opitz and Burst 2019,
https://arxiv.org/abs/1911.03347, their "averaged F1"); equals scikit-learn's
``f1_score(average="macro")``.
"""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from dataclasses import dataclass

import numpy as np

from unbarb.errors import InputError
from unbarb.metrics.scored import Values, classes, scored

METRIC = "f1/1"
MACRO = "macro_f1/1"


@dataclass(frozen=True, slots=True)
class Counts:
    """What was decided: true and false positives, false and true negatives."""

    found: int
    false_alarms: int
    missed: int
    clean: int

    @property
    def precision(self) -> float | None:
        return _share(self.found, self.found + self.false_alarms)

    @property
    def recall(self) -> float | None:
        return _share(self.found, self.found + self.missed)

    @property
    def f1(self) -> float | None:
        return _share(2 * self.found, 2 * self.found + self.false_alarms + self.missed)

    @property
    def false_alarm_rate(self) -> float | None:
        return _share(self.false_alarms, self.false_alarms + self.clean)


def counts(scores: Values, labels: Values, threshold: float = 0.5) -> Counts:
    """Decide every sample at `threshold` and count."""
    value, label = scored(scores, labels).columns
    positive, flagged = classes(label), value >= threshold
    return Counts(
        int(np.sum(flagged & positive)),
        int(np.sum(flagged & ~positive)),
        int(np.sum(~flagged & positive)),
        int(np.sum(~flagged & ~positive)),
    )


def macro_f1(predicted: Sequence[Hashable], truth: Sequence[Hashable]) -> float | None:
    """0…1, higher is better; `None` without samples.

    Raises:
        InputError: the two differ in length.
    """
    if len(predicted) != len(truth):
        raise InputError(f"{len(predicted)} predictions for {len(truth)} truths; give one each")
    seen = set(predicted) | set(truth)
    if not seen:
        return None
    pairs = list(zip(predicted, truth, strict=True))
    total = 0.0
    for kind in seen:
        both = sum(bool(p == kind and t == kind) for p, t in pairs)
        either = sum(int(p == kind) + int(t == kind) for p, t in pairs)
        total += 2 * both / either
    return total / len(seen)


def _share(part: int, whole: int) -> float | None:
    return part / whole if whole else None
