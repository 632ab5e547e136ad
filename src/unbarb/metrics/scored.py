"""What could not be scored: `None` and NaN are left out of a metric and counted, never taken as zero."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from unbarb.errors import InputError

Values = Sequence[float | None] | Sequence[float] | Sequence[int] | Sequence[bool] | NDArray[np.generic]
"""One number a sample; `None` and NaN say that there is none."""

Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Scored:
    """The samples that every column has a number for: equally long columns, and how many were left out."""

    columns: tuple[Floats, ...]
    unscored: int

    @property
    def n(self) -> int:
        return len(self.columns[0])


def as_floats(values: Values) -> Floats:
    """`values` as floats, shape (n,), `None` as NaN."""
    return np.array([np.nan if v is None else float(v) for v in values], dtype=np.float64)


def scored(*columns: Values) -> Scored:
    """Keep the samples that all `columns` have a number for.

    Raises:
        InputError: columns of different length, or none.
    """
    arrays = [as_floats(column) for column in columns]
    lengths = {len(array) for array in arrays}
    if len(lengths) != 1:
        raise InputError(
            f"columns of {sorted(lengths)} samples; a metric needs equally long ones, at least one"
        )
    kept = ~np.isnan(np.stack(arrays)).any(axis=0)
    return Scored(tuple(array[kept] for array in arrays), int((~kept).sum()))


def classes(labels: Floats) -> NDArray[np.bool_]:
    """Labels 0 or 1 as booleans, shape (n,).

    Raises:
        InputError: a label is neither.
    """
    if not np.isin(labels, (0.0, 1.0)).all():
        other = labels[~np.isin(labels, (0.0, 1.0))][0]
        raise InputError(f"label {other:g}; labels are 0 or 1: choose a threshold for shares of votes")
    return labels.astype(bool)
