"""A figure as it is reported: which metric in which version, its value, on how many samples, how sure."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from unbarb.metrics import binomial, bootstrap
from unbarb.metrics.scored import Values, scored


@dataclass(frozen=True, slots=True)
class Measured:
    """One figure. `metric` names the definition and its version (``roc_auc/1``).

    `n` samples were scored and `unscored` were not; `value` is `None` when nothing could be. `low` and
    `high` bound it at `level`; `seed` is that of the resampling, `None` for exact bounds.
    """

    metric: str
    value: float | None
    n: int
    unscored: int = 0
    low: float | None = None
    high: float | None = None
    level: float = bootstrap.LEVEL
    seed: int | None = None


def measure(
    metric: str,
    statistic: Callable[..., float | None],
    *columns: Values,
    rounds: int = 500,
    seed: int = bootstrap.SEED,
) -> Measured:
    """Take ``statistic(*columns)`` with a bootstrap interval."""
    kept = scored(*columns)
    found = bootstrap.interval(statistic, *kept.columns, rounds=rounds, seed=seed)
    if found is None:
        return Measured(metric, None, kept.n, kept.unscored, seed=seed)
    return Measured(metric, found.value, kept.n, kept.unscored, found.low, found.high, seed=seed)


def share(metric: str, hits: Values) -> Measured:
    """The share of samples that are 1 (of 0 and 1), with exact bounds."""
    kept = scored(hits)
    count = int(kept.columns[0].sum())
    if not kept.n:
        return Measured(metric, None, 0, kept.unscored)
    low, high = binomial.interval(count, kept.n)
    return Measured(metric, count / kept.n, kept.n, kept.unscored, low, high)
