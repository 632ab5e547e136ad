"""ROUGE-1, ROUGE-2, ROUGE-L: F1 of words, word pairs and the longest common subsequence, 0…1.

Lin 2004 (https://aclanthology.org/W04-1013/) by Google's rouge-score, with Porter's stemmer, mean over
sentences; letters and digits a–z, 0–9 only, so that text in another script has no words and scores 0.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from rouge_score.rouge_scorer import RougeScorer

from unbarb.errors import InputError
from unbarb.metrics.scored import Floats

METRIC = "rouge/1"
KINDS = ("rouge1", "rouge2", "rougeL")


def rouge(outputs: Sequence[str | None], references: Sequence[str]) -> dict[str, Floats]:
    """F1 of each sentence by kind, 0…1, shape (n,), higher is nearer; NaN without output.

    Raises:
        InputError: the two differ in length.
    """
    if len(outputs) != len(references):
        raise InputError(f"{len(outputs)} outputs for {len(references)} references; give one each")
    scorer = RougeScorer(list(KINDS), use_stemmer=True)
    rows = [None if o is None else scorer.score(r, o) for o, r in zip(outputs, references, strict=True)]
    return {
        kind: np.array([np.nan if row is None else row[kind].fmeasure for row in rows]) for kind in KINDS
    }
