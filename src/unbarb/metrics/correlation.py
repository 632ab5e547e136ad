"""Agreement of two gradings: Pearson's r, Spearman's ρ, Kendall's τ-b.

Pearson 1895, Spearman 1904, Kendall 1945 (https://doi.org/10.1093/biomet/33.3.239), by scipy, ties
shared. Pearson asks for a line, the other two for the same order.
"""

from __future__ import annotations

import numpy as np
from scipy import stats

from unbarb.metrics.scored import Values, scored

METRIC = "pearson/1"
SPEARMAN, KENDALL = "spearman/1", "kendall_tau_b/1"


def pearson(first: Values, second: Values) -> float | None:
    """−1…1; `None` under three samples or when one side is constant."""
    one, other = scored(first, second).columns
    if len(one) < 3 or np.ptp(one) == 0 or np.ptp(other) == 0:
        return None
    return float(np.corrcoef(one, other)[0, 1])


def spearman(first: Values, second: Values) -> float | None:
    """−1…1: Pearson's r of the ranks."""
    one, other = scored(first, second).columns
    return pearson(stats.rankdata(one), stats.rankdata(other))


def kendall(first: Values, second: Values) -> float | None:
    """−1…1: pairs in the same order less pairs in the opposite one."""
    one, other = scored(first, second).columns
    if len(one) < 3 or np.ptp(one) == 0 or np.ptp(other) == 0:
        return None
    return float(stats.kendalltau(one, other).statistic)
