"""A linear model on TF-IDF rows: what naive Bayes, NB-SVM and logistic regression all come to."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, Self

import numpy as np

from unbarb.data.prepared import Prepared
from unbarb.detect.arrays import read_arrays
from unbarb.errors import ModelError
from unbarb.train.classifier import conclude, read_about, write_about
from unbarb.train.labels import POSITIVE, Flags, Floats, learnable, positive_weights
from unbarb.train.run import Run
from unbarb.train.schema import TrainRecipe, WordsPart
from unbarb.train.tfidf import Matrix, Tfidf

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


OneLabel = Callable[[Matrix, Flags, WordsPart, float], tuple[Floats, float]]
"""Rows (texts, columns), which are positive (texts,), the settings and what a positive row weighs:
weights (columns,) and a bias."""


def learn(recipe: TrainRecipe, rows: Sequence[Mapping[str, Any]], one_label: OneLabel) -> LinearClassifier:
    """The model of `rows` by the recipe's ``words``; `one_label` learns from the rows that know a label.

    Raises:
        InputError: a label has rows of one class only, or the texts share no words.
    """
    words, labels = recipe.words, recipe.data.labels
    truth = learnable(rows, labels)
    weight = positive_weights(truth, recipe.training.class_weight)
    texts = [row["text"] for row in rows]
    features = Tfidf.fit(
        texts, words.ngrams, words.characters, min_count=words.min_count, max_features=words.max_features
    )
    table, known = features.rows(texts), ~np.isnan(truth)
    columns = [
        one_label(table[known[:, at]], truth[known[:, at], at] >= POSITIVE, words, float(weight[at]))
        for at in range(len(labels))
    ]
    weights, bias = zip(*columns, strict=True)
    return LinearClassifier(labels, features, np.stack(weights, axis=1), np.array(bias))


def carry_out(recipe: TrainRecipe, prepared: Prepared, run: Run, one_label: OneLabel) -> Mapping[str, Any]:
    """Learn from the train rows, save, and score the dev rows."""
    classifier = learn(recipe, prepared.split("train")[: recipe.data.rows], one_label)
    facts = conclude(run, classifier, prepared.split("dev"))
    return {"parameters": {"trainable": classifier.weights.size, "total": classifier.weights.size}, **facts}
