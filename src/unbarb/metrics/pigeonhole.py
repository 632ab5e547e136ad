"""Pigeonhole bootstrap: how sure is a figure when both the prompts and the training runs are a sample?

Rows (seeds) and columns (prompts) of a table are drawn anew, each with replacement and on its own, after
Owen 2007 (https://arxiv.org/abs/0712.1111): the interval errs on the wide side. With one row it is the
plain bootstrap over columns. With few rows it says little of the runs; show them too.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from unbarb.errors import InputError
from unbarb.metrics.bootstrap import LEVEL, SEED, Interval

METRIC = "pigeonhole/1"

ROUNDS = 1000
Table = NDArray[np.float64]


def pigeonhole(
    statistic: Callable[..., float],
    *tables: Table,
    rounds: int = ROUNDS,
    level: float = LEVEL,
    seed: int = SEED,
) -> Interval | None:
    """The interval of ``statistic(*tables)``, tables of one shape (rows, columns); NaN are unscored.

    `None` when the statistic has no value (NaN) on them; draws without a value are left out.

    Raises:
        InputError: tables of different shapes.
    """
    shapes = {table.shape for table in tables}
    if len(shapes) != 1 or len(next(iter(shapes))) != 2:
        raise InputError(f"tables of shapes {sorted(shapes)}; give them all as (rows, columns)")
    value = statistic(*tables)
    if np.isnan(value):
        return None
    rows, columns = tables[0].shape
    random = np.random.default_rng(seed)
    draws = np.array([_draw(statistic, tables, rows, columns, random) for _ in range(rounds)])
    low, high = np.nanquantile(draws, [(1 - level) / 2, (1 + level) / 2])
    return Interval(float(value), float(low), float(high))


def mean(table: Table) -> float:
    """The mean of what was scored; NaN when nothing was."""
    there = table[~np.isnan(table)]
    return float(there.mean()) if there.size else float("nan")


def mean_difference(first: Table, second: Table) -> float:
    """The mean of first − second where both were scored: the same prompts and the same seeds."""
    return mean(first - second)


def _draw(
    statistic: Callable[..., float],
    tables: tuple[Table, ...],
    rows: int,
    columns: int,
    random: np.random.Generator,
) -> float:
    at = np.ix_(random.integers(0, rows, rows), random.integers(0, columns, columns))
    return statistic(*(table[at] for table in tables))
