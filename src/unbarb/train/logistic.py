"""Logistic regression on TF-IDF of words and characters, one model a label.

Characters inside words see what misspelling hides (``st*pid``, ``stooopid``). Rare labels are weighed by
``training.class_weight``.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from sklearn.linear_model import LogisticRegression

from unbarb.data.prepared import Prepared
from unbarb.train.labels import Flags, Floats
from unbarb.train.linear_classifier import carry_out
from unbarb.train.run import Run
from unbarb.train.schema import TrainRecipe, WordsPart
from unbarb.train.tfidf import Matrix


def train(recipe: TrainRecipe, prepared: Prepared, run: Run) -> Mapping[str, Any]:
    """Learn from the train rows, save, and score the dev rows."""
    return carry_out(recipe, prepared, run, regression)


def regression(
    table: Matrix, positive: Flags, words: WordsPart, weight: float = 1.0
) -> tuple[Floats, float]:
    """Weights (columns,) and bias of one label; a positive row weighs `weight`, a negative one 1."""
    model = LogisticRegression(
        C=words.regularization, class_weight={True: weight, False: 1.0}, solver="liblinear", random_state=0
    )
    model.fit(table, positive)
    return model.coef_[0], float(model.intercept_[0])
