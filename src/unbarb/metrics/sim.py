"""SIM, content preservation: cosine of sentence embeddings, to the source and to a human reference.

Wieting et al. 2019 (https://aclanthology.org/P19-1427/) for the measure; TextDetox takes LaBSE (Feng et
al. 2022, https://aclanthology.org/2022.acl-long.62/). SIM of 2022 and 2024 is to the source alone, that
of 2025 is .4 to the source + .6 to the reference.
"""

from __future__ import annotations

import numpy as np

from unbarb.errors import InputError
from unbarb.metrics.scored import Floats, Values, as_floats

METRIC = "sim/1"
TO_SOURCE, TO_REFERENCE = 0.4, 0.6


def cosine(first: Floats, second: Floats) -> Floats:
    """Of each pair of rows, −1…1, shape (n,); a row of zeros has none (NaN).

    Raises:
        InputError: the two, (n, width) each, differ in shape.
    """
    first, second = np.asarray(first, dtype=float), np.asarray(second, dtype=float)
    if first.shape != second.shape or first.ndim != 2:
        raise InputError(f"embeddings {first.shape} and {second.shape}; both must be (n, width)")
    norms = np.linalg.norm(first, axis=1) * np.linalg.norm(second, axis=1)
    found: Floats = np.full(len(first), np.nan)
    np.divide((first * second).sum(axis=1), norms, out=found, where=norms > 0)
    return found


def sim_2025(to_source: Values, to_reference: Values) -> Floats:
    """.4 of the cosine to the source and .6 of that to the reference, shape (n,)."""
    return TO_SOURCE * as_floats(to_source) + TO_REFERENCE * as_floats(to_reference)
