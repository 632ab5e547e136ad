"""The gate: a linear model over piece ids that settles the clearly clean without the encoder.

It reads single pieces and neighbouring pairs of one sentence at a time, in whole numbers, so that
its sums are exact. It is never used to verify a rewrite; what recall it loses stands in the card.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from unbarb.errors import ModelError

BUCKETS = 1 << 17
PIECES = 30522
PAIR = np.int64(1_000_003)


def features(ids: NDArray[np.int64]) -> NDArray[np.int64]:
    """Rows of the weight table for one sentence: its pieces, then its hashed neighbours.

    Shape (t,) → (2 t - 1,): pieces keep their id, pairs share `BUCKETS` rows behind them.
    """
    pairs = (ids[:-1] * PAIR + ids[1:]) % np.int64(BUCKETS) + PIECES
    return np.concatenate((ids, pairs))


class Gate:
    """Six scores per sentence from int8 weights: ``sigmoid(scale * sum / sqrt(t) + bias)``."""

    def __init__(self, path: Path) -> None:
        try:
            with np.load(path, allow_pickle=False) as stored:
                self._weights = stored["weights"]
                self._scale = stored["scale"]
                self._bias = stored["bias"]
                self.floor = float(stored["floor"])
        except (OSError, ValueError, KeyError) as error:
            raise ModelError(f"{path} does not load: {error}; run `unbarb models verify`") from error

    def scores(self, sentences: Sequence[NDArray[np.int64]]) -> NDArray[np.float32]:
        """Scores of each sentence, given as piece ids: shape (sentences, 6)."""
        rows = [features(ids) for ids in sentences]
        lengths = np.array([len(row) for row in rows], np.int64)
        starts = np.concatenate(([0], np.cumsum(lengths)[:-1]))
        table = self._weights[np.concatenate(rows)].astype(np.int32)
        sums = np.add.reduceat(table, starts, axis=0)
        logits = sums * self._scale / np.sqrt(lengths)[:, None] + self._bias
        return np.asarray(1.0 / (1.0 + np.exp(-logits)), np.float32)
