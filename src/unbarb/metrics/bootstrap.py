"""Intervals by resampling: what a figure might have been on another sample of the same size.

Percentile bootstrap (Efron and Tibshirani 1993, chapter 13); two systems on the same samples are
compared by resampling samples, not systems (Koehn 2004, https://aclanthology.org/W04-3250/). Seeded:
the same columns give the same interval. Samples without a number are left out before resampling.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from unbarb.errors import InputError
from unbarb.metrics.scored import Floats, Values, scored

METRIC = "bootstrap/1"

SEED, ROUNDS, LEVEL = 13, 1000, 0.95


@dataclass(frozen=True, slots=True)
class Interval:
    """A percentile interval around `value`."""

    value: float
    low: float
    high: float


def mean(values: Values) -> float | None:
    """The mean of the samples that have a number, `None` without any."""
    (column,) = scored(values).columns
    return float(column.mean()) if len(column) else None


def interval(
    statistic: Callable[..., float | None],
    *columns: Values,
    rounds: int = ROUNDS,
    level: float = LEVEL,
    seed: int = SEED,
) -> Interval | None:
    """The interval of ``statistic(*columns)``; `None` when it has no value on them.

    A resample without a value (a class missing) is drawn anew, at most as often as there are rounds.

    Raises:
        InputError: `rounds` under 1 or `level` outside 0…1.
    """
    if rounds < 1 or not 0 < level < 1:
        raise InputError(
            f"{rounds} rounds at level {level}; give at least 1 round and a level between 0 and 1"
        )
    kept = scored(*columns)
    value = statistic(*kept.columns) if kept.n else None
    if value is None:
        return None
    draws = _draws(statistic, kept.columns, rounds, np.random.default_rng(seed))
    low, high = np.quantile(draws, [(1 - level) / 2, (1 + level) / 2]) if len(draws) else (value, value)
    return Interval(value, float(low), float(high))


def paired_difference(
    first: Values, second: Values, *, rounds: int = ROUNDS, level: float = LEVEL, seed: int = SEED
) -> Interval | None:
    """The interval of mean(first − second) over the samples that both have a number for."""
    kept = scored(first, second)
    if not kept.n:
        return None
    return interval(mean, kept.columns[0] - kept.columns[1], rounds=rounds, level=level, seed=seed)


def _draws(
    statistic: Callable[..., float | None],
    columns: tuple[Floats, ...],
    rounds: int,
    random: np.random.Generator,
) -> Floats:
    n = len(columns[0])
    found: list[float] = []
    for _ in range(2 * rounds):
        if len(found) == rounds:
            break
        chosen = random.integers(0, n, n)
        value = statistic(*(column[chosen] for column in columns))
        if value is not None:
            found.append(value)
    return np.array(found)
