"""Exact bounds of a share that was counted.

Clopper and Pearson 1934 (https://doi.org/10.1093/biomet/26.4.404). Never too narrow, also for 0 of n,
where a bootstrap says nothing. Found by bisection on the binomial tail.
"""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np

from unbarb.errors import InputError

METRIC = "clopper_pearson/1"


def upper_bound(hits: int, n: int, level: float = 0.95) -> float:
    """The one-sided upper bound of the share behind `hits` of `n`: 1 for n = 0.

    Raises:
        InputError: `hits` is outside 0…n, or `level` outside 0…1.
    """
    _check(hits, n, level)
    if hits == n:
        return 1.0
    return _bisect(lambda share: _tail(hits, n, share) > 1 - level)


def lower_bound(hits: int, n: int, level: float = 0.95) -> float:
    """The one-sided lower bound of the share behind `hits` of `n`: 0 for n = 0."""
    return 1.0 - upper_bound(n - hits, n, level)


def interval(hits: int, n: int, level: float = 0.95) -> tuple[float, float]:
    """The two-sided interval: half of what `level` leaves on either side."""
    side = (1 + level) / 2
    return lower_bound(hits, n, side), upper_bound(hits, n, side)


def _check(hits: int, n: int, level: float) -> None:
    if not 0 <= hits <= n or not 0 < level < 1:
        raise InputError(
            f"{hits} of {n} at level {level}; hits must be within 0…n and level between 0 and 1"
        )


def _tail(hits: int, n: int, share: float) -> float:
    """P(X <= hits) of n draws with `share`, 0 < share < 1."""
    k = np.arange(hits + 1)
    logs = np.cumsum(np.log(np.concatenate(([1.0], (n - k[:-1]) / (k[:-1] + 1.0)))))
    return float(np.exp(logs + k * math.log(share) + (n - k) * math.log1p(-share)).sum())


def _bisect(too_low: Callable[[float], bool]) -> float:
    low, high = 0.0, 1.0
    for _ in range(60):
        middle = (low + high) / 2
        low, high = (middle, high) if too_low(middle) else (low, middle)
    return high
