"""chrF and BLEU of a set of rewrites, by sacrebleu: case-sensitive, one reference a sentence, 0…100.

Popović 2015 (https://aclanthology.org/W15-3049/), Papineni et al. 2002
(https://aclanthology.org/P02-1040/), Post 2018 (https://aclanthology.org/W18-6319/). The metric's name
carries sacrebleu's own signature.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sacrebleu.metrics import BLEU, CHRF

from unbarb.metrics.measured import Measured

ROUNDS, SEED = 200, 12345
"""sacrebleu's own resampling and its default seed."""


def chrf(outputs: Sequence[str | None], references: Sequence[str], rounds: int = ROUNDS) -> Measured:
    """chrF2, characters only."""
    return _measured("chrf", CHRF(), outputs, references, rounds)


def bleu(outputs: Sequence[str | None], references: Sequence[str], rounds: int = ROUNDS) -> Measured:
    """BLEU-4, tokenised as 13a."""
    return _measured("bleu", BLEU(), outputs, references, rounds)


def _measured(
    name: str, metric: Any, outputs: Sequence[str | None], references: Sequence[str], rounds: int
) -> Measured:
    both = [(o, r) for o, r in zip(outputs, references, strict=True) if o is not None]
    unscored = len(outputs) - len(both)
    if not both:
        return Measured(name, None, 0, unscored)
    score = metric.corpus_score([o for o, _ in both], [[r for _, r in both]], n_bootstrap=rounds)
    half = score._ci
    signature = metric.get_signature().format(short=True)
    name = f"{name}|{signature}"
    return Measured(
        name, score.score, len(both), unscored, score._mean - half, score._mean + half, seed=SEED
    )
