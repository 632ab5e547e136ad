"""J calibrated: as J, but a rewrite as near as another person's counts as having kept the content.

(1 − toxicity) · content · fluency. Content is the nearness of J (.4 of the cosine to the source + .6 of
the cosine to a reference), 0 up to what rewrites of *other* sentences reach and 1 from where people's
second rewrites begin to differ. Both bounds were measured with all-MiniLM-L6-v2 on ParaDetox
(https://aclanthology.org/2022.acl-long.469/), 1,500 sentences with two rewrites: the 95th percentile of a
stranger's rewrite, .23, and the lower quartile of a second person's, .74. Plain J takes a cosine for a
share: it gives 1 to who changes nothing, and .8 to who says the same in words of their own.
"""

from __future__ import annotations

import numpy as np

from unbarb.metrics.scored import Floats, Values, as_floats
from unbarb.metrics.sim import sim_2025

METRIC = "joint_calibrated/1"
STRANGER, SECOND_PERSON = 0.23, 0.74


def content(to_source: Values, to_reference: Values) -> Floats:
    """0…1: how much of the content is kept, shape (n,); NaN where a cosine is missing."""
    near = sim_2025(to_source, to_reference)
    return np.clip((near - STRANGER) / (SECOND_PERSON - STRANGER), 0.0, 1.0)


def joint_calibrated(toxicity: Values, to_source: Values, to_reference: Values, fluency: Values) -> Floats:
    """J of every sentence, 0…1, shape (n,), higher is better; NaN where any part has no number."""
    return (1 - as_floats(toxicity)) * content(to_source, to_reference) * as_floats(fluency)
