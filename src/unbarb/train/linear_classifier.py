"""A linear model on TF-IDF rows: what naive Bayes, NB-SVM and logistic regression all come to."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Self

import numpy as np

from unbarb.detect.arrays import read_arrays
from unbarb.errors import ModelError
from unbarb.train.classifier import read_about, write_about
from unbarb.train.labels import Floats
from unbarb.train.tfidf import Tfidf

WEIGHTS = "weights.npz"


class LinearClassifier:
    """``sigmoid(rows @ weights + bias)``: weights (columns, labels), bias (labels,)."""

    def __init__(self, labels: Sequence[str], features: Tfidf, weights: Floats, bias: Floats) -> None:
        self.labels = tuple(labels)
        self.features = features
        self.weights = weights
        self.bias = bias

    def predict_proba(self, texts: Sequence[str]) -> Floats:
        """Probabilities, shape (texts, labels)."""
        if not texts:
            return np.empty((0, len(self.labels)))
        logits = self.features.rows(texts) @ self.weights + self.bias
        found: Floats = 0.5 * (1 + np.tanh(logits / 2))
        return found

    def save(self, folder: Path) -> None:
        """Write terms, weights and labels; no pickle."""
        self.features.save(folder)
        np.savez_compressed(folder / WEIGHTS, weights=self.weights, bias=self.bias)
        write_about(folder, "linear", self.labels)

    @classmethod
    def load(cls, folder: Path) -> Self:
        """Read what `save` wrote.

        Raises:
            ModelError: files are missing, damaged, or do not fit together.
        """
        labels = tuple(read_about(folder)["labels"])
        features = Tfidf.load(folder)
        weights, bias = read_arrays(folder / WEIGHTS, "weights", "bias")
        if weights.shape != (features.width, len(labels)) or bias.shape != (len(labels),):
            raise ModelError(
                f"{folder / WEIGHTS}: weights are {weights.shape}; {features.width} terms and"
                f" {len(labels)} labels need {(features.width, len(labels))}"
            )
        return cls(labels, features, weights, bias)
