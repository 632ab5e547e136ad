"""PR-AUC as average precision: the mean of the precisions at every recall step, no interpolation.

AP = Σ (Rₖ − Rₖ₋₁) Pₖ over the distinct thresholds; equals scikit-learn's ``average_precision_score``
(https://scikit-learn.org/stable/modules/generated/sklearn.metrics.average_precision_score.html).
"""

from __future__ import annotations

import numpy as np

from unbarb.metrics.scored import Values, classes, scored

METRIC = "pr_auc/1"


def pr_auc(scores: Values, labels: Values) -> float | None:
    """0…1, higher is better; scores that know nothing get the share of positives; `None` without any."""
    value, label = scored(scores, labels).columns
    positive = classes(label)
    if not positive.any():
        return None
    order = np.argsort(-value, kind="stable")
    hits = np.cumsum(positive[order])
    ends = np.append(np.flatnonzero(np.diff(value[order])), len(order) - 1)
    precision = hits[ends] / (ends + 1)
    recall = hits[ends] / hits[-1]
    return float(np.sum(np.diff(recall, prepend=0.0) * precision))
