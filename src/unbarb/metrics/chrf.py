"""chrF: F2 of character 1- to 6-grams shared with the reference, 0…100.

Popović 2015 (https://aclanthology.org/W15-3049/) by sacrebleu (Post 2018,
https://aclanthology.org/W18-6319/), white space left out, case-sensitive, one reference a sentence. The
metric's name carries sacrebleu's own signature.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from sacrebleu.metrics import CHRF

from unbarb.metrics.measured import Measured
from unbarb.metrics.overlap import ROUNDS, corpus_score
from unbarb.metrics.scored import Floats

METRIC = "chrf"


def chrf(outputs: Sequence[str | None], references: Sequence[str], rounds: int = ROUNDS) -> Measured:
    """chrF2 of the outputs that there are, with sacrebleu's bootstrap interval."""
    return corpus_score(METRIC, CHRF(), outputs, references, rounds)


def sentence_chrf(outputs: Sequence[str | None], references: Sequence[str]) -> Floats:
    """chrF2 of each sentence, 0…1 (not 0…100: it is a factor of J 2024), shape (n,); NaN without output."""
    metric = CHRF()
    return np.array(
        [
            np.nan if output is None else metric.sentence_score(output, [reference]).score / 100
            for output, reference in zip(outputs, references, strict=True)
        ]
    )
