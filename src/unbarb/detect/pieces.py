"""A linear model over piece ids: the quickest reading of a text, used before the encoder's.

It reads single pieces and neighbouring pairs, stretch by stretch, in whole numbers, so that its sums
are exact and a text's score depends on nothing else. The sketch that chooses which candidates the
editor reads in full is one; it is never used to verify a rewrite.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from unbarb.detect.arrays import read_arrays
from unbarb.errors import ModelError

BUCKETS = 1 << 17
PIECES = 30522
STRETCH = 48
"""Pieces of the longest stretch: longer sentences are cut, so that an insult is not thinned out."""

_PAIR = np.int64(1_000_003)
_END_MARKS = np.array([999, 1012, 1029])  # ! . ?
IntArray = NDArray[np.int64]


def pair_rows(ids: IntArray) -> IntArray:
    """Rows of the weight table for each piece and the one after it: (t,) → (t − 1,)."""
    return (ids[:-1] * _PAIR + ids[1:]) % np.int64(BUCKETS) + PIECES


class PieceModel:
    """Scores per text from int8 weights, one a label: the highest of its stretches.

    A stretch of n features (pieces and pairs) scores ``sigmoid(scale * sum / sqrt(n) + bias)``.
    """

    def __init__(self, path: Path) -> None:
        weights, self._scale, self._bias = read_arrays(path, "weights", "scale", "bias")
        if len(weights) != PIECES + BUCKETS:
            raise ModelError(
                f"{path}: {len(weights)} rows of weights, must be {PIECES + BUCKETS}; reinstall unbarb"
            )
        self._weights = weights.astype(np.int16)

    def scores(self, texts: Sequence[Sequence[int]]) -> NDArray[np.float32]:
        """Scores of each text, given as its piece ids: shape (texts, labels); zeros for an empty one."""
        lengths = np.array([len(ids) for ids in texts], np.int64)
        top = np.zeros((len(texts), len(self._bias)), np.float32)
        total = int(lengths.sum())
        if not total:
            return top
        ids = np.fromiter((piece for text in texts for piece in text), np.int64, total)
        begins = np.concatenate(([0], np.cumsum(lengths)))
        owner = np.repeat(np.arange(len(texts)), lengths)
        inside = np.arange(total) - begins[owner]
        first = inside % STRETCH == 0
        first[1:] |= np.isin(ids[:-1], _END_MARKS)
        starts = np.flatnonzero(first)
        beside = np.append(~first[1:], False)
        table = self._weights[ids].astype(np.int32)
        table[:-1] += self._weights[pair_rows(ids)] * beside[:-1, None]
        sums = np.add.reduceat(table, starts, axis=0)
        features = np.add.reduceat(1 + beside.astype(np.int64), starts)
        logits = sums * self._scale / np.sqrt(features)[:, None] + self._bias
        scores = (1.0 / (1.0 + np.exp(-logits))).astype(np.float32)
        np.maximum.at(top, owner[starts], scores)
        return top
