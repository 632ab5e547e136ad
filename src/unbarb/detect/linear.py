"""The second opinion: logistic regression on hashed words and pieces of words, numpy alone.

It knows no grammar and no context, and so errs where the encoder does not; that is what it is for.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import Self

import numpy as np
from numpy.typing import NDArray

from unbarb.detect.arrays import read_arrays
from unbarb.detect.features import ROWS, RowArray, rows
from unbarb.detect.normalize import normalize
from unbarb.detect.scorer import scored
from unbarb.detect.trunk import sigmoid
from unbarb.errors import ModelError
from unbarb.segment import sentences
from unbarb.text import LABELS, Analysis

FILE = Path(__file__).parent.parent / "models" / "embedded-en" / "linear.npz"

MAX_WORDS = 40
"""Longer texts are read sentence by sentence, so that one insult is not thinned out."""


@dataclass(frozen=True, slots=True)
class LinearWeights:
    """A table of int8 weights, shape (rows, labels), with what makes probabilities of its sums.

    The logit of a text with n rows on is ``scale * sum / sqrt(n) + bias``, shape (labels,); the score
    is ``sigmoid(slope * logit + shift)`` (Platt 1999), the two chosen on texts held out.
    """

    labels: tuple[str, ...]
    table: NDArray[np.int8]
    scale: NDArray[np.float32]
    bias: NDArray[np.float32]
    slope: NDArray[np.float32]
    shift: NDArray[np.float32]

    @classmethod
    def load(cls, path: Path) -> Self:
        """Read what :meth:`save` wrote.

        Raises:
            ModelError: the file is missing, damaged or of another shape.
        """
        named, table, scale, bias, slope, shift = read_arrays(
            path, "labels", "table", "scale", "bias", "slope", "shift"
        )
        labels = tuple(str(label) for label in named)
        small = (len(labels),)
        if table.shape != (ROWS, *small) or any(a.shape != small for a in (scale, bias, slope, shift)):
            raise ModelError(f"{path}: the table is {table.shape}; it must be {(ROWS, len(labels))}")
        if not set(labels) <= set(LABELS):
            raise ModelError(f"{path}: labels {', '.join(labels)}; known are {', '.join(LABELS)}")
        return cls(labels, table, scale, bias, slope, shift)

    def save(self, path: Path) -> None:
        """Write an npz without pickle."""
        np.savez_compressed(
            path, labels=np.array(self.labels), table=self.table, scale=self.scale, bias=self.bias,
            slope=self.slope, shift=self.shift,
        )  # fmt: skip

    def logits(self, on: RowArray) -> NDArray[np.float32]:
        """Logits of the rows of one text, before calibration: shape (labels,)."""
        if not len(on):
            return self.bias
        sums = self.table[on].sum(0, dtype=np.int32)
        return np.asarray(sums * self.scale / np.sqrt(len(on)) + self.bias, np.float32)

    def calibrated(self, logits: NDArray[np.float32]) -> NDArray[np.float32]:
        """Probabilities of logits, shape (…, labels)."""
        return sigmoid(self.slope * logits + self.shift)

    def scores(self, on: RowArray) -> NDArray[np.float32]:
        """Probabilities of the rows of one text: shape (labels,)."""
        return self.calibrated(self.logits(on))


class Linear:
    """Detector of the labels its weights know; gives scores and no findings.

    Args:
        path: other weights, made by `train.linear`; default those in the package.

    Raises:
        ModelError: the weights are missing or damaged.
    """

    name = "linear"

    def __init__(self, path: Path = FILE) -> None:
        self.weights = LinearWeights.load(path)
        self.labels = frozenset(self.weights.labels)
        self.digest = f"sha256:{sha256(path.read_bytes()).hexdigest()}"

    def detect(
        self, texts: Sequence[str], *, context: Sequence[str | None] | None = None
    ) -> list[Analysis]:
        """Score every text: the highest of its parts; `context` is not read."""
        return scored(self, texts)

    def score(self, text: str) -> dict[str, float]:
        """The score of each label."""
        view = normalize(text).text
        parts = [view]
        if view.count(" ") >= MAX_WORDS:
            parts = [span.of(view) for span in sentences(view)]
        found = np.max([self.weights.scores(rows(part)) for part in parts], axis=0)
        return {
            label: round(float(score), 4) for label, score in zip(self.weights.labels, found, strict=True)
        }
