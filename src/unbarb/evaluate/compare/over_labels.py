"""Figures over several labels at once, and what two classifiers differ by in them.

Texts are resampled, so that all labels of a text stay together; a text counts when it has all its numbers.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from itertools import combinations

import numpy as np

from unbarb.evaluate.results import Row, Table
from unbarb.metrics import label_f1, log_loss, pr_auc, roc_auc
from unbarb.metrics.f1 import Counts, counts
from unbarb.metrics.measured import Measured, measure
from unbarb.metrics.scored import Floats

THRESHOLD = 0.5
ROUNDS = 200
NOTE = (
    "First less second on the texts that both scored, with the interval from resampling texts: one that"
    " holds 0 says that the sample does not tell the two apart."
)

Statistic = Callable[[Floats, Floats], float | None]
"""Of scores and truths, both (n, labels)."""


def _counted(value: Floats, label: Floats) -> dict[str, Counts]:
    return {str(at): counts(value[:, at], label[:, at], THRESHOLD) for at in range(value.shape[1])}


def _macro_f1(value: Floats, label: Floats) -> float | None:
    return label_f1.macro_label_f1(_counted(value, label))


def _micro_f1(value: Floats, label: Floats) -> float | None:
    return label_f1.micro(_counted(value, label)).f1


def _mean_of(
    metric: Callable[[Floats, Floats], float | None], value: Floats, label: Floats
) -> float | None:
    found = [metric(value[:, at], label[:, at]) for at in range(value.shape[1])]
    there = [one for one in found if one is not None]
    return sum(there) / len(there) if there else None


STATISTICS: Mapping[str, tuple[str, Statistic]] = {
    "macro F1": (label_f1.METRIC, _macro_f1),
    "micro F1": (label_f1.MICRO, _micro_f1),
    "macro ROC-AUC": ("mean_roc_auc/1", partial(_mean_of, roc_auc.roc_auc)),
    "macro PR-AUC": ("mean_pr_auc/1", partial(_mean_of, pr_auc.pr_auc)),
    "log loss": ("mean_log_loss/1", partial(_mean_of, log_loss.log_loss)),
}


def over_labels(value: Floats, label: Floats) -> dict[str, Measured]:
    """Every statistic of scores and truths, both (n, labels)."""
    width = label.shape[1]

    def figure(metric: str, statistic: Statistic) -> Measured:
        def of_columns(*columns: Floats) -> float | None:
            return statistic(np.stack(columns[:width], 1), np.stack(columns[width:], 1))

        return measure(metric, of_columns, *value.T, *label.T, rounds=ROUNDS)

    return {name: figure(*found) for name, found in STATISTICS.items()}


def differences(systems: Mapping[str, Floats], label: Floats, digest: str) -> list[Table]:
    """What every two of `systems` differ by, paired; no table under two systems."""
    rows = tuple(
        Row(f"{one} − {other}", _difference(systems[one], systems[other], label))
        for one, other in combinations(systems, 2)
    )
    return [Table("significance", "all labels", NOTE, digest, rows)] if rows else []


def _difference(first: Floats, second: Floats, label: Floats) -> dict[str, Measured]:
    width = label.shape[1]

    def figure(metric: str, statistic: Statistic) -> Measured:
        def of_columns(*columns: Floats) -> float | None:
            one, other, true = (np.stack(columns[at * width : (at + 1) * width], 1) for at in range(3))
            values = statistic(one, true), statistic(other, true)
            return None if values[0] is None or values[1] is None else values[0] - values[1]

        return measure(f"paired_{metric}", of_columns, *first.T, *second.T, *label.T, rounds=ROUNDS)

    return {name: figure(*found) for name, found in STATISTICS.items()}
