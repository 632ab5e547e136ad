"""Logistic regression on TF-IDF of words and characters, one model a label.

Characters inside words see what misspelling hides (``st*pid``, ``stooopid``). Rare labels are weighed by
``training.class_weight``.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from sklearn.linear_model import LogisticRegression

from unbarb.data.prepared import Prepared
from unbarb.train.classifier import conclude
from unbarb.train.labels import POSITIVE, Flags, Floats, learnable, positive_weights
from unbarb.train.linear_classifier import LinearClassifier
from unbarb.train.run import Run
from unbarb.train.schema import TrainRecipe, WordsPart
from unbarb.train.tfidf import Matrix, Tfidf


def train(recipe: TrainRecipe, prepared: Prepared, run: Run) -> Mapping[str, Any]:
    """Learn from the train rows, save, and score the dev rows."""
    classifier = fit(recipe, prepared.split("train")[: recipe.data.rows])
    facts = conclude(run, classifier, prepared.split("dev"))
    return {"parameters": {"trainable": classifier.weights.size, "total": classifier.weights.size}, **facts}


def fit(recipe: TrainRecipe, rows: Sequence[Mapping[str, Any]]) -> LinearClassifier:
    """The model of `rows` by the recipe's ``words``.

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
    table = features.rows(texts)
    known = ~np.isnan(truth)
    columns = [
        regression(table[known[:, at]], truth[known[:, at], at] >= POSITIVE, words, float(weight[at]))
        for at in range(len(labels))
    ]
    weights, bias = zip(*columns, strict=True)
    return LinearClassifier(labels, features, np.stack(weights, axis=1), np.array(bias))


def regression(
    table: Matrix, positive: Flags, words: WordsPart, weight: float = 1.0
) -> tuple[Floats, float]:
    """Weights (columns,) and bias of one label; a positive row weighs `weight`, a negative one 1."""
    model = LogisticRegression(
        C=words.regularization, class_weight={True: weight, False: 1.0}, solver="liblinear", random_state=0
    )
    model.fit(table, positive)
    return model.coef_[0], float(model.intercept_[0])
