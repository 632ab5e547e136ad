"""Paired significance: could the difference of two systems on the same samples be chance?

Approximate randomisation (Noreen 1989; Riezler and Maxwell 2005,
https://aclanthology.org/W05-0908/): in each round the two systems' numbers change places on a random
half of the samples; p is the share of rounds that differ as much or more, counting the real one. Seeded.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from unbarb.errors import InputError
from unbarb.metrics.scored import Values, scored

METRIC = "paired_randomisation/1"
ROUNDS, SEED = 2000, 13


def holm(p_values: Sequence[float | None]) -> list[float | None]:
    """Corrected for how many they are, step down (Holm 1979, https://www.jstor.org/stable/4615733)."""
    order = sorted((p, at) for at, p in enumerate(p_values) if p is not None)
    found: list[float | None] = [None] * len(p_values)
    highest = 0.0
    for rank, (p, at) in enumerate(order):
        highest = max(highest, min(1.0, p * (len(order) - rank)))
        found[at] = highest
    return found


def p_value(first: Values, second: Values, *, rounds: int = ROUNDS, seed: int = SEED) -> float | None:
    """Two-sided, above 0…1, over the samples that both have a number for; `None` without any.

    Raises:
        InputError: `rounds` under 1, or columns of different length.
    """
    if rounds < 1:
        raise InputError(f"{rounds} rounds; give at least 1")
    one, other = scored(first, second).columns
    if not len(one):
        return None
    difference = one - other
    seen = abs(difference.mean())
    random = np.random.default_rng(seed)
    hits = sum(
        abs((difference * random.choice((-1.0, 1.0), len(difference))).mean()) >= seen - 1e-12
        for _ in range(rounds)
    )
    return (int(hits) + 1) / (rounds + 1)
