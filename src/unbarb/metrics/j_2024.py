"""J 2024: the mean over sentences of STA · SIM · chrF, the score of CLEF TextDetox 2024.

https://github.com/pan-webis-de/pan-code, ``clef24/text-detoxification/evaluate.py``. Quirks: STA is a
probability; SIM is LaBSE to the source; *fluency is chrF to one reference*, which follows human fluency
hardly at all (https://arxiv.org/abs/2507.15557) and charges a free rewrite for every word of its own.
The official score follows the human one of the English systems with a Pearson of .28.
"""

from __future__ import annotations

from unbarb.metrics.scored import Floats, Values, as_floats

METRIC = "j_2024/1"


def j_2024(sta: Values, sim: Values, chrf: Values) -> Floats:
    """J of every sentence, 0…1, shape (n,), higher is better; `chrf` is 0…1; NaN where any is missing."""
    return as_floats(sta) * as_floats(sim) * as_floats(chrf)
