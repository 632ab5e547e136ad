"""FL by perplexity: how surprised is a language model by the outputs?

exp of the mean negative log-likelihood of a token, over all tokens of all outputs (Jelinek et al. 1977,
https://doi.org/10.1121/1.2016299). Lower is more usual, which is not the same as fluent: a short platitude
has the lowest. Two perplexities compare only under one model and its tokeniser.
"""

from __future__ import annotations

import math

import numpy as np

from unbarb.errors import InputError
from unbarb.metrics.scored import Values, scored

METRIC = "perplexity/1"


def perplexity(nats: Values, tokens: Values) -> float | None:
    """From each output's summed negative log-likelihood and its number of tokens; `None` without tokens.

    Raises:
        InputError: a likelihood above 1 (nats below 0).
    """
    loss, count = scored(nats, tokens).columns
    if np.any(loss < 0):
        raise InputError(f"negative log-likelihood {loss.min():g}; it is 0 or more")
    total = float(count.sum())
    return math.exp(float(loss.sum()) / total) if total else None
