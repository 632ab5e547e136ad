"""Infilling noise: which words of a text are hidden, drawn anew every epoch.

Spans of words are hidden whose lengths follow Poisson(3), until 30 % of the words are gone: the noise that
BART learnt to fill (Lewis et al. 2020, https://arxiv.org/abs/1910.13461) and that MaRCo trained its experts
with (Hallinan et al. 2023, https://arxiv.org/abs/2212.10543).
"""

from __future__ import annotations

import numpy as np

Spans = list[tuple[int, int]]
"""Half-open stretches of words, in order, with a word between any two."""


def hidden(words: int, rng: np.random.Generator, share: float = 0.3, mean: float = 3.0) -> Spans:
    """Spans of together ``max(1, round(share · words))`` of so many words, where they find room; each has a
    word or more.
    """
    left = max(1, round(share * words)) if words else 0
    gone = np.zeros(words, bool)
    while left:
        length = min(left, max(1, int(rng.poisson(mean))))
        # A start whose span, and the words beside it, are all still there.
        apart = np.convolve(gone, np.ones(3, int), "same") > 0
        room = [at for at in range(words - length + 1) if not apart[at : at + length].any()]
        if not room:
            if length == 1:
                break
            left = min(left, length - 1)  # shorter spans may still find a place
            continue
        start = int(rng.choice(room))
        gone[start : start + length] = True
        left -= length
    edges = np.flatnonzero(np.diff(np.concatenate(([0], gone.astype(int), [0]))))
    return [(int(start), int(end)) for start, end in edges.reshape(-1, 2)]
