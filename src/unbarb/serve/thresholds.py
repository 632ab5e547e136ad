"""Where a threshold on another service's scores lies on ours: quantile matching.

Scores of two services do not mean the same, so 0.8 there is not 0.8 here. What can be kept is how much is
flagged: the mapped threshold flags the same share of the same texts. Needs numpy alone.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from unbarb.errors import InputError
from unbarb.metrics.binomial import interval


@dataclass(frozen=True, slots=True)
class Mapped:
    """A threshold on our scores; a text is flagged from it on.

    Args:
        threshold: 0…1.
        interval: the thresholds that the ends of the 95 % interval of `share` lead to, the lower first.
        share: of the texts that were to be flagged, 0…1.
        flagged: the share that `threshold` flags; tied scores can keep it from being `share`.
        n: number of texts.
        alike: share of the texts that both thresholds decide alike; None where only a share was given.
    """

    threshold: float
    interval: tuple[float, float]
    share: float
    flagged: float
    n: int
    alike: float | None = None


def of_pairs(theirs: Sequence[float], ours: Sequence[float], threshold: float) -> Mapped:
    """The threshold on our scores that flags as many of the texts as `threshold` does on theirs.

    Raises:
        InputError: the scores are not as many, are not from 0 to 1, or `threshold` flags none of the texts.
    """
    if len(theirs) != len(ours):
        raise InputError(f"{len(theirs)} scores of theirs but {len(ours)} of ours; each text needs both")
    flagged = _scores("theirs", theirs) >= threshold
    if not flagged.any():
        raise InputError(
            f"none of the {len(theirs)} texts reaches {threshold:g} there, so nothing can be matched;"
            " give texts that do, or a lower threshold"
        )
    return _matched(_scores("ours", ours), int(flagged.sum()), flagged)


def of_share(ours: Sequence[float], share: float) -> Mapped:
    """The threshold on our scores that flags `share` of the texts, 0…1.

    Raises:
        InputError: the scores or the share are not from 0 to 1, or the share is less than one text.
    """
    if not 0 < share <= 1:
        raise InputError(
            f"a share of {share:g} is to be flagged; give one above 0 and up to 1 (2 % is 0.02)"
        )
    scores = _scores("ours", ours)
    count = round(share * len(scores))
    if count < 1:
        raise InputError(f"{share:g} of {len(scores)} texts is less than one; give more texts")
    return _matched(scores, count)


def _matched(scores: NDArray[np.float64], count: int, theirs: NDArray[np.bool_] | None = None) -> Mapped:
    """The threshold that flags `count` of the texts, or the number next to it that ties allow."""
    n = len(scores)
    low, high = interval(count, n)
    threshold = _threshold(scores, count)
    ours = scores >= threshold
    return Mapped(
        threshold=threshold,
        interval=(_threshold(scores, high * n), _threshold(scores, low * n)),
        share=count / n,
        flagged=float(ours.mean()),
        n=n,
        alike=None if theirs is None else float((ours == theirs).mean()),
    )


def _threshold(scores: NDArray[np.float64], count: float) -> float:
    """Midway between two scores that follow each other, where the number flagged is nearest to `count`."""
    values, sizes = np.unique(scores, return_counts=True)
    flagged = np.cumsum(sizes[::-1])[::-1]
    # Of two that are as near the lower threshold, which flags more, is taken: argmin gives the first.
    at = int(np.argmin(np.abs(flagged - count)))
    if at == 0:
        return float(values[0])
    middle = (values[at] + values[at - 1]) / 2
    # Between neighbours among the doubles there is no middle: it is one of the two.
    return float(middle if middle > values[at - 1] else values[at])


def _scores(whose: str, given: Sequence[float]) -> NDArray[np.float64]:
    scores = np.asarray(given, dtype=np.float64)
    if not len(scores):
        raise InputError("there are no texts; give some hundred at least")
    wrong = scores[~((scores >= 0) & (scores <= 1))]
    if len(wrong):
        raise InputError(f"{len(wrong)} scores of {whose} are not from 0 to 1; the first is {wrong[0]:g}")
    return scores
