"""ROC-AUC: how often a positive sample scores above a negative one, ties counted half.

The Mann-Whitney U statistic over the number of pairs (Hanley and McNeil 1982,
https://doi.org/10.1148/radiology.143.1.7063747); equals scikit-learn's ``roc_auc_score``.
"""

from __future__ import annotations

import numpy as np

from unbarb.metrics.scored import Floats, Values, classes, scored

METRIC = "roc_auc/1"


def roc_auc(scores: Values, labels: Values) -> float | None:
    """0…1, higher is better, .5 for scores that know nothing; `None` when a class is missing."""
    value, label = scored(scores, labels).columns
    positive = classes(label)
    ups = int(positive.sum())
    downs = len(positive) - ups
    if not ups or not downs:
        return None
    rank_sum = float(_ranks(value)[positive].sum())
    return (rank_sum - ups * (ups + 1) / 2) / (ups * downs)


def _ranks(value: Floats) -> Floats:
    """Ranks from 1, ties sharing their mean rank, shape (n,)."""
    _, inverse, counts = np.unique(value, return_inverse=True, return_counts=True)
    last = np.cumsum(counts)
    mean: Floats = last - (counts - 1) / 2
    return mean[inverse]
