"""Log loss: minus the log-likelihood that the probabilities give to what is true, mean over samples.

Good 1952 (https://doi.org/10.1111/j.2517-6161.1952.tb00104.x), natural logarithm. Probabilities are kept
1e-15 away from 0 and 1, so that one sure mistake is dear (34.5) and not infinite; equals scikit-learn's
``log_loss`` for probabilities within that.
"""

from __future__ import annotations

import numpy as np

from unbarb.metrics.scored import Floats, Values, as_floats, classes, scored

METRIC = "log_loss/1"
NEAREST = 1e-15


def per_sample(scores: Values, labels: Values) -> Floats:
    """Nats of every sample, shape (n,), lower is better; NaN where a number is missing."""
    value = np.clip(as_floats(scores), NEAREST, 1 - NEAREST)
    label = as_floats(labels)
    return -(label * np.log(value) + (1 - label) * np.log1p(-value))


def log_loss(scores: Values, labels: Values) -> float | None:
    """0…34.5, lower is better, .693 for a coin; `None` without samples."""
    value, label = scored(scores, labels).columns
    classes(label)
    return float(per_sample(value, label).mean()) if len(value) else None
