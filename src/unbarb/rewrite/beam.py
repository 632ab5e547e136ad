"""The likeliest ways to tag a sentence, best first, when places are tagged independently."""

from __future__ import annotations

import heapq

import numpy as np
from numpy.typing import NDArray


def likeliest(
    logp: NDArray[np.float32], width: int, choices: int = 6
) -> list[tuple[float, NDArray[np.int64]]]:
    """The `width` likeliest tag rows with their log-probability, best first and exact.

    Args:
        logp: log-probabilities, shape (places, tags).
        choices: how many of a place's best tags may be taken.
    """
    order = np.argsort(-logp, axis=1)[:, :choices]
    best = np.take_along_axis(logp, order, axis=1)
    loss = best[:, :1] - best
    steps = [
        (float(loss[place, rank]), place, rank)
        for place in range(len(logp))
        for rank in range(1, loss.shape[1])
    ]
    steps = heapq.nsmallest(4 * width, steps)
    top = float(best[:, 0].sum())
    found: list[tuple[float, dict[int, int]]] = [(0.0, {})]
    for cost, place, rank in steps:
        # Extending every row by one more change keeps the list exact: steps come cheapest first.
        grown = [
            (total + cost, {**changes, place: rank}) for total, changes in found if place not in changes
        ]
        found = heapq.nsmallest(width, found + grown, key=lambda item: item[0])
        if len(found) == width and cost > found[-1][0]:
            break
    rows = []
    for total, changes in found:
        row = order[:, 0].copy()
        for place, rank in changes.items():
            row[place] = order[place, rank]
        rows.append((top - total, row))
    return rows
