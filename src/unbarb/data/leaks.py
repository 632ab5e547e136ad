"""What a split by row would leak: the share of test rows whose source text stands in train too."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Hashable, Sequence
from dataclasses import dataclass
from statistics import fmean

from unbarb.errors import ConfigError

DRAWS = 10


@dataclass(frozen=True, slots=True)
class RowSplitLeak:
    """`leaked` is the share, 0…1, of test rows whose source is in train too, a mean over `draws` splits.

    `share` of the `rows` were test; `sources` is how many different sources there are.
    """

    share: float
    leaked: float
    rows: int
    sources: int
    draws: int = DRAWS


def row_split_leak(
    sources: Sequence[Hashable], share: float, seed: int = 13, draws: int = DRAWS
) -> RowSplitLeak:
    """Split rows by chance, as if each stood alone, and count test rows whose source is in train.

    `sources` holds the normalised source of every row (`unbarb.data.split.group_key`); rows that share one
    are rewrites of the same text.

    Raises:
        ConfigError: `share` leaves no row to one of the sides.
    """
    size = round(share * len(sources))
    if not 0 < size < len(sources):
        raise ConfigError(f"a test share of {share} of {len(sources):,} rows leaves one side empty")
    everywhere = Counter(sources)
    leaked = []
    for draw in range(draws):
        test = random.Random(f"{seed}:{draw}").sample(sources, size)
        here = Counter(test)
        leaked.append(sum(count for source, count in here.items() if count < everywhere[source]) / size)
    return RowSplitLeak(share, fmean(leaked), len(sources), len(everywhere), draws)
