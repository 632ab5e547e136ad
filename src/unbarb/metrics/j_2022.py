"""J 2022: the mean over sentences of STA · SIM · FL, with STA and FL decisions.

Logacheva et al. 2022, ParaDetox (https://aclanthology.org/2022.acl-long.469/), code
https://github.com/s-nlp/paradetox, ``evaluation_detox``. Quirks: STA and FL are 0 or 1, so one decision
takes a sentence out; STA compares a raw logit with 0.8 (see ``sta.py``); SIM is to the source, so a copy
has 1; no reference is needed.
"""

from __future__ import annotations

from unbarb.metrics.scored import Floats, Values, as_floats

METRIC = "j_2022/1"


def j_2022(sta: Values, sim: Values, fluent: Values) -> Floats:
    """J of every sentence, 0…1, shape (n,), higher is better; NaN where any part has no number."""
    return as_floats(sta) * as_floats(sim) * as_floats(fluent)
