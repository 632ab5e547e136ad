"""N-grams beside the encoder: a linear model of words and pieces of words, whose logits are added.

It knows no grammar and no context, and so errs where the encoder does not; together they err less.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path
from typing import Self

import numpy as np

from unbarb.detect.features import rows
from unbarb.detect.linear import LinearWeights
from unbarb.detect.trunk import FloatArray, sigmoid
from unbarb.errors import ModelError
from unbarb.text import LABELS

NGRAMS = "ngrams.npz"
"""The file in a model folder; a folder may lack it."""
MOST, TELLING = 3.0, 0.5
"""The most that is added to a text, and to one that tells of what others say: n-grams see neither quotation
marks around an insult nor who is called so by whom. What they take has no bound. The second is no less than
what alarms the gate."""
ALONE = 1.0
"""What the n-grams of a sentence of several give up to count instead of those of its text: a rude word says
less among harmless ones."""
_TOLD = re.compile(
    r"""[\w,:] ?(?:"[^"]{2,200}"|“[^”]{2,200}”)"""
    r"|\bcall(?:s|ed|ing)? (?:me|him|her|us|them|people|each other)\b"
    r"|\b(?:be|been|being|is|was|were|get|got) called\b",
    re.IGNORECASE,
)
"""A quotation after a word, for marks around a whole text, or at its beginning, say nothing; and somebody
who is called something."""


class Ngrams:
    """Weights of n-grams for the six labels; without any, the encoder speaks alone."""

    def __init__(self, weights: LinearWeights | None) -> None:
        self._weights = weights

    @classmethod
    def load(cls, folder: Path) -> Self:
        """The n-grams of a model folder.

        Raises:
            ModelError: the file is missing, damaged or of other labels.
        """
        weights = LinearWeights.load(folder / NGRAMS)
        if weights.labels != LABELS:
            raise ModelError(
                f"{folder / NGRAMS}: of labels {', '.join(weights.labels)}; needed are {', '.join(LABELS)}"
            )
        return cls(weights)

    def logits(self, words: Sequence[str]) -> FloatArray | float:
        """What is added to the encoder's logits of a text, given as its words: shape (6,), or 0."""
        if self._weights is None:
            return 0.0
        text = " ".join(words)
        most = TELLING if _TOLD.search(text) else MOST
        return np.minimum(self._weights.logits(rows(text)), np.float32(most))

    def of(self, texts: Sequence[str]) -> FloatArray:
        """The same of normalised texts, as the gate knows them: shape (texts, 6)."""
        found = np.zeros((len(texts), len(LABELS)), np.float32)
        for at, text in enumerate(texts):
            found[at] = self.logits(text.split())
        return found

    def alone(self, text: FloatArray | float, words: Sequence[str]) -> FloatArray | float:
        """What is added to a sentence read by itself, of a text to which `logits` adds `text`."""
        return text if self._weights is None else np.maximum(text, self.logits(words) - np.float32(ALONE))

    def scores(self, logits: FloatArray) -> FloatArray:
        """Probabilities of the sums, shape (…, 6)."""
        return sigmoid(logits) if self._weights is None else np.asarray(self._weights.calibrated(logits))
