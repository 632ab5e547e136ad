"""FL by acceptability: would a linguist accept the sentence?

The share of outputs that a classifier trained on CoLA (Warstadt et al. 2019,
https://arxiv.org/abs/1805.12471) accepts; RoBERTa-large of Krishna et al. 2020
(https://aclanthology.org/2020.emnlp-main.55/), whose label 0 is *acceptable*. ParaDetox's code joins the
tokens of its corpora to written text first (" ." becomes "."), and so do we.
"""

from __future__ import annotations

import re

import numpy as np

from unbarb.metrics.scored import Floats, Values, as_floats

METRIC = "acceptability/1"
_BEFORE = re.compile(r"\s+([.,!?;:)\]}%])")
_AFTER = re.compile(r"([(\[{])\s+")
_CLITIC = re.compile(r"\s+(n't|'(?:s|m|re|ve|d|ll|t))\b", re.IGNORECASE)
_LOOSE = re.compile(r"(\w)\s+'\s*(s|m|re|ve|d|ll|t)\b", re.IGNORECASE)


def detokenised(text: str) -> str:
    """`text` with the spaces closed up that a tokeniser put before punctuation and clitics."""
    text = _LOOSE.sub(r"\1'\2", text)
    return _AFTER.sub(r"\1", _BEFORE.sub(r"\1", _CLITIC.sub(r"\1", text))).strip()


def accepted(acceptable: Values, threshold: float = 0.5) -> Floats:
    """1 where P(acceptable) is above `threshold`, else 0; NaN stays NaN; shape (n,)."""
    value = as_floats(acceptable)
    return np.where(np.isnan(value), np.nan, (value > threshold).astype(float))
