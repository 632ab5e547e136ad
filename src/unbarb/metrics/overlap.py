"""What sacrebleu's corpus metrics share: the outputs that there are, scored, with an interval.

The interval is sacrebleu's own paired-bootstrap one (Koehn 2004, https://aclanthology.org/W04-3250/).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from unbarb.errors import InputError
from unbarb.metrics.measured import Measured

ROUNDS, SEED = 200, 12345
"""sacrebleu's default seed."""


def corpus_score(
    name: str, metric: Any, outputs: Sequence[str | None], references: Sequence[str], rounds: int
) -> Measured:
    """`metric` of `outputs` against one reference each; outputs that are `None` are unscored.

    Raises:
        InputError: the two differ in length.
    """
    if len(outputs) != len(references):
        raise InputError(f"{len(outputs)} outputs for {len(references)} references; give one each")
    both = [(o, r) for o, r in zip(outputs, references, strict=True) if o is not None]
    unscored = len(outputs) - len(both)
    if not both:
        return Measured(name, None, 0, unscored)
    _plain_floats(metric)
    score = metric.corpus_score([o for o, _ in both], [[r for _, r in both]], n_bootstrap=rounds)
    name = f"{name}|{metric.get_signature().format(short=True)}"
    low, high = score._mean - score._ci, score._mean + score._ci
    return Measured(name, score.score, len(both), unscored, low, high, seed=SEED)


def _plain_floats(metric: Any) -> None:
    """Draws without any match score 0.0 and all others a numpy float; sacrebleu's mean takes no mixture."""
    compute = metric._compute_score_from_stats

    def plain(stats: Any) -> Any:
        found = compute(stats)
        found.score = float(found.score)
        return found

    metric._compute_score_from_stats = plain
