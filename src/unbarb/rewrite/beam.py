"""The likeliest ways to tag a sentence, best first, when places are tagged independently."""

from __future__ import annotations

from dataclasses import dataclass
from heapq import heappop, heappush

import numpy as np
from numpy.typing import NDArray

from unbarb.detect.trunk import FloatArray, IntArray


@dataclass(frozen=True, slots=True, eq=False)
class Ways:
    """The likeliest tag rows, best first, written as choices.

    `tags` has shape (places, choices), each place's best tags; ``ranks[n, p]`` says which of them
    way n takes at place p (0 is the best), shape (ways, places); `likelihood` is the rows'
    log-probability, shape (ways,).
    """

    tags: IntArray
    ranks: NDArray[np.int64]
    likelihood: FloatArray


def likeliest(logp: FloatArray, width: int, choices: int = 6) -> Ways:
    """The `width` likeliest ways, exactly.

    A way is a set of steps, each from a place's best tag to another one at a price. Steps are sorted
    by price; from a set, the next ones add the next step or exchange the last one for it, so every
    set comes once, and none before a cheaper one.

    Args:
        logp: log-probabilities, shape (places, tags).
        choices: how many of a place's best tags may be taken.
    """
    tags = _top(logp, choices)
    best = np.take_along_axis(logp, tags, axis=1)
    loss = (best[:, :1] - best)[:, 1:]
    # No way takes more than `width` different steps that are dearer than all others.
    cheapest = np.argsort(loss, axis=None, kind="stable")[:width]
    at, rank = np.unravel_index(cheapest, loss.shape) if loss.size else (cheapest, cheapest)
    places, prices = at.tolist(), loss[at, rank].tolist()
    found: list[tuple[float, tuple[int, ...]]] = [(0.0, ())]
    waiting: list[tuple[float, float, tuple[int, ...]]] = (
        [(prices[0], 0.0, (0,))] if prices and width > 1 else []
    )
    while waiting and len(found) < width:
        price, before, steps = heappop(waiting)
        last = steps[-1]
        possible = all(places[step] != places[last] for step in steps[:-1])
        if possible:
            found.append((price, steps))
        following = last + 1
        if following < len(prices):
            heappush(waiting, (before + prices[following], before, (*steps[:-1], following)))
            if possible:
                heappush(waiting, (price + prices[following], price, (*steps, following)))
    ranks = np.zeros((len(found), len(logp)), np.int64)
    for way, (_, taken) in enumerate(found):
        for step in taken:
            ranks[way, places[step]] = rank[step] + 1
    lost = np.array([price for price, _ in found], np.float32)
    return Ways(tags, ranks, np.asarray(best[:, 0].sum() - lost, np.float32))


def _top(logp: FloatArray, count: int) -> IntArray:
    """Each place's `count` likeliest tags (or all there are), best first: shape (places, count)."""
    if count < logp.shape[1]:
        some = np.argpartition(-logp, count, axis=1)[:, :count]
    else:
        some = np.broadcast_to(np.arange(logp.shape[1]), logp.shape)
    order = np.argsort(-np.take_along_axis(logp, some, axis=1), axis=1, kind="stable")
    return np.take_along_axis(some, order, axis=1)
