"""J 2025: the mean over sentences of STA · SIM · FL, the score of CLEF TextDetox 2025.

https://github.com/pan-webis-de/pan-code, ``clef25/text-detoxification/evaluation``. Quirks: STA is 1 as
soon as the output is no more toxic than the reference (see ``sta.py``), SIM is .4 to the source and .6 to
the reference, FL is XCOMET-lite with source, output and reference. The scale is narrow: doing nothing
scores .475 and the best system .685, so *copy* must stand beside it; references score .85 because they
are compared with themselves. Where we differ: a batch that fails is unscored, there it is 0.
"""

from __future__ import annotations

from unbarb.metrics.scored import Floats, Values, as_floats

METRIC = "j_2025/1"


def j_2025(sta: Values, sim: Values, fluency: Values) -> Floats:
    """J of every sentence, 0…1, shape (n,), higher is better; NaN where any part has no number."""
    return as_floats(sta) * as_floats(sim) * as_floats(fluency)
