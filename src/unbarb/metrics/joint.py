"""J, the one figure for a rewrite: less toxic, same meaning, fluent, all three at once.

As in Logacheva et al. 2022, ParaDetox (https://aclanthology.org/2022.acl-long.469/): the mean over
sentences of STA · SIM · FL. Where we differ: toxicity and fluency are probabilities, not decisions, and
the meaning is .4 of the cosine to the source and .6 of the cosine to a human reference. What that is worth
against people's ratings is measured by ``unbarb evaluate judge``, and stands in a report's footer.
"""

from __future__ import annotations

from unbarb.metrics.scored import Floats, Values, as_floats

METRIC = "joint/1"

TO_SOURCE, TO_REFERENCE = 0.4, 0.6


def joint(toxicity: Values, to_source: Values, to_reference: Values, fluency: Values) -> Floats:
    """J of every sentence, shape (n,), higher is better; NaN where any part has no number."""
    near = TO_SOURCE * as_floats(to_source) + TO_REFERENCE * as_floats(to_reference)
    return (1 - as_floats(toxicity)) * near * as_floats(fluency)
