"""F1 over several labels at once: micro (all decisions counted together) and macro (mean over labels).

As scikit-learn's ``f1_score`` for multilabel input with ``average="micro"`` and ``"macro"``
(https://scikit-learn.org/stable/modules/model_evaluation.html#from-binary-to-multiclass-and-multilabel).
Where we differ: a label that neither occurs nor is found has no F1 and is left out of the macro mean,
where scikit-learn takes 0.
"""

from __future__ import annotations

from collections.abc import Mapping

from unbarb.metrics.f1 import Counts

METRIC = "macro_label_f1/1"
MICRO = "micro_f1/1"


def micro(counts: Mapping[str, Counts]) -> Counts:
    """The decisions of all labels as those of one: ``.precision``, ``.recall`` and ``.f1`` are micro."""
    every = list(counts.values())
    return Counts(
        sum(c.found for c in every),
        sum(c.false_alarms for c in every),
        sum(c.missed for c in every),
        sum(c.clean for c in every),
    )


def macro_label_f1(counts: Mapping[str, Counts]) -> float | None:
    """The unweighted mean of the labels' F1, 0…1, higher is better; `None` when no label has one."""
    there = [c.f1 for c in counts.values() if c.f1 is not None]
    return sum(there) / len(there) if there else None
