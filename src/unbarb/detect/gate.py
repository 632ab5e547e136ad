"""The gate: a small reader of piece ids that settles the clearly clean before the encoder is asked.

Every piece has a short vector; three neighbours together light up filters, the strongest light of each
filter in the text counts, and a linear layer makes the six scores of it. It learnt them from the
encoder. All weights are whole numbers small enough that their sums are exact in single precision, so
a text's score depends on nothing else. It is never used to verify a rewrite; what recall it loses
stands in the model's card.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import chain
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from unbarb.detect.arrays import read_arrays
from unbarb.errors import ModelError
from unbarb.text import LABELS

TEXTS = 64
"""Texts read at once, so that what is in work stays in the processor's cache."""

ALARM, LOUD = 0.4, 0.8
"""The toxicity from which on a sentence among others is not settled with them: where it alarms the n-grams
too, and where it does not."""
CALM = 0.5
"""The n-grams' logit of toxicity from which on a text alarms them, and is not settled."""
TOXICITY = LABELS.index("toxicity")

FloatArray = NDArray[np.float32]


class Gate:
    """Six scores per text, and which texts are clearly clean.

    With p pieces, vectors of d numbers and h filters, the file holds `pieces` (p + 1, d), the last row
    zeros for what stands outside a text, `filters` (3 d, h) and their `offsets` (h,), `outputs`
    (h, labels) with `scale` and `bias` (labels,), `floors` (labels,): a text is settled when every
    score is under its label's; and `shrinkage` (labels,), by which a settled text's scores are multiplied.

    Raises:
        ModelError: the file is missing, damaged or of another layout.
    """

    def __init__(self, path: Path) -> None:
        pieces, filters, offsets, outputs, scale, self._bias, self.floors, self._shrinkage = read_arrays(
            path, "pieces", "filters", "offsets", "outputs", "scale", "bias", "floors", "shrinkage"
        )
        if len(filters) != 3 * pieces.shape[1] or outputs.shape != (len(offsets), len(LABELS)):
            raise ModelError(f"{path}: its arrays do not fit each other; run `unbarb models verify`")
        self._outside = len(pieces) - 1
        self._pieces = pieces.astype(np.float32)
        self._filters = filters.astype(np.float32)
        self._offsets = offsets.astype(np.float32)
        self._outputs = outputs.astype(np.float64)
        self._scale = scale.astype(np.float64)

    def scores(self, texts: Sequence[Sequence[int]]) -> FloatArray:
        """Scores of each text, given as its piece ids: shape (texts, labels); zeros for an empty one."""
        found = np.zeros((len(texts), len(LABELS)), np.float32)
        filled = [at for at, ids in enumerate(texts) if len(ids)]
        for start in range(0, len(filled), TEXTS):
            chosen = filled[start : start + TEXTS]
            found[chosen] = self._read([texts[at] for at in chosen])
        return found

    def _read(self, texts: Sequence[Sequence[int]]) -> FloatArray:
        lengths = np.array([len(ids) for ids in texts])
        outside = (self._outside,)
        ids = [*chain(outside, *chain.from_iterable((one, outside) for one in texts))]
        vectors = self._pieces[ids]
        lit = np.concatenate((vectors[:-2], vectors[1:-1], vectors[2:]), axis=1) @ self._filters
        starts = np.cumsum(lengths + 1) - lengths - 1
        edges = np.stack((starts, starts + lengths), axis=1).ravel()
        edges = edges[:-1]  # the last text reaches to the end
        strongest = np.maximum.reduceat(lit, edges, axis=0)[::2]
        strongest = np.maximum(strongest + self._offsets, 0.0)
        logits = (strongest.astype(np.float64) @ self._outputs) * self._scale + self._bias
        return np.asarray(1.0 / (1.0 + np.exp(-logits)), np.float32)

    def settles(self, scores: FloatArray) -> NDArray[np.bool_]:
        """Which of the texts with these scores (texts, labels) are clearly clean, (texts,)."""
        return np.asarray((scores < self.floors).all(axis=1))

    def calm(self, grams: FloatArray) -> NDArray[np.bool_]:
        """Which of the texts with these logits of n-grams (texts, labels) may be settled, (texts,)."""
        return np.asarray(grams[:, TOXICITY] < CALM)

    def alarmed(self, scores: FloatArray, grams: FloatArray) -> NDArray[np.bool_]:
        """Which sentences with these scores and logits (sentences, labels) must be read, (sentences,).

        Alone the gate is a poor judge of a few words, such as "see no. 7".
        """
        return np.asarray(scores[:, TOXICITY] >= np.where(self.calm(grams), LOUD, ALARM))

    def shrunk(self, scores: FloatArray, grams: FloatArray) -> FloatArray:
        """What settled texts are said to score: as low as the encoder scores such texts.

        The gate is less sure than the encoder. Its scores as they are would rank what it settles over
        texts that were read. The n-grams know better than the gate which of them is the least clean.
        """
        return np.asarray(swayed(scores, grams) * self._shrinkage, np.float32)


def swayed(scores: FloatArray, grams: FloatArray) -> FloatArray:
    """Low scores (texts, labels), their odds multiplied as the n-grams' logits say."""
    return np.asarray(scores * np.exp(grams), np.float32)
