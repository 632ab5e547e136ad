"""STA, style transfer accuracy: is the output non-toxic? Three definitions, one a year of the field.

* 2022 (Logacheva et al., https://aclanthology.org/2022.acl-long.469/): a decision, 0 or 1. The published
  code compares the *raw logit* of "toxic" with 0.8, not its probability
  (https://github.com/s-nlp/detox, ``emnlp2021/metric/metric.py``), and so do we.
* 2024 (TextDetox, https://github.com/pan-webis-de/pan-code): the softmax probability of "neutral".
* 2025 (TextDetox 2025, https://pan.webis.de/clef25/pan25-web/text-detoxification.html): with n the
  probability of "neutral" of source s, output g, reference r, the larger of [n(r) ≤ n(g)] and
  (n(g) + [n(s) ≤ n(g)]) / 2. It is 1 as soon as the output is no more toxic than the reference, and an
  unchanged source gets at least .5.
"""

from __future__ import annotations

import numpy as np

from unbarb.metrics.scored import Floats, Values, as_floats

METRIC = "sta/1"
LOGIT_2022 = 0.8
"""Compared with the logit of "toxic", as published."""


def sta_2022(toxic_logit: Values) -> Floats:
    """1 where the logit of "toxic" is 0.8 or less, else 0; NaN stays NaN; shape (n,)."""
    logit = as_floats(toxic_logit)
    return np.where(np.isnan(logit), np.nan, (logit <= LOGIT_2022).astype(float))


def sta_2024(neutral: Values) -> Floats:
    """P(neutral) of every output as it is, shape (n,)."""
    return as_floats(neutral)


def sta_2025(neutral_source: Values, neutral_output: Values, neutral_reference: Values) -> Floats:
    """From P(neutral) of the three texts, shape (n,); NaN where any is missing."""
    source, output, reference = map(as_floats, (neutral_source, neutral_output, neutral_reference))
    found = np.maximum(reference <= output, (output + (source <= output)) / 2)
    return np.where(np.isnan(source + output + reference), np.nan, found)
