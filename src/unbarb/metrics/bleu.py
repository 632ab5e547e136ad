"""BLEU: how many of the output's word 1- to 4-grams stand in the reference, 0…100.

Papineni et al. 2002 (https://aclanthology.org/P02-1040/) by sacrebleu (Post 2018,
https://aclanthology.org/W18-6319/), of the corpus, tokenised as 13a, case-sensitive, one reference a
sentence. The metric's name carries sacrebleu's own signature.
"""

from __future__ import annotations

from collections.abc import Sequence

from sacrebleu.metrics import BLEU

from unbarb.metrics.measured import Measured
from unbarb.metrics.overlap import ROUNDS, corpus_score

METRIC = "bleu"


def bleu(outputs: Sequence[str | None], references: Sequence[str], rounds: int = ROUNDS) -> Measured:
    """BLEU-4 of the outputs that there are, with sacrebleu's bootstrap interval."""
    return corpus_score(METRIC, BLEU(), outputs, references, rounds)
