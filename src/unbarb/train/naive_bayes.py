"""Naive Bayes on TF-IDF, one model a label, and NB-SVM, its sound successor.

``multinomial`` is scikit-learn's `MultinomialNB`, ``complement`` its `ComplementNB` (Rennie et al. 2003,
"Tackling the Poor Assumptions of Naive Bayes Text Classifiers"): with two classes a complement is the other
class, and what is left of the difference is that a rare label's low prior is not counted. ``nbsvm`` is
logistic regression on rows scaled by naive Bayes' log-count ratios (Wang and Manning 2012,
https://aclanthology.org/P12-2018/): the same features, but learnt together, so that ten signs of one thing
no longer count as ten.

All three are linear in their rows; what is saved is that linear model.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from sklearn.naive_bayes import MultinomialNB

from unbarb.data.prepared import Prepared
from unbarb.train.labels import Flags, Floats
from unbarb.train.linear_classifier import carry_out
from unbarb.train.logistic import regression
from unbarb.train.run import Run
from unbarb.train.schema import TrainRecipe, WordsPart
from unbarb.train.tfidf import Matrix


def train(recipe: TrainRecipe, prepared: Prepared, run: Run) -> Mapping[str, Any]:
    """Learn from the train rows, save, and score the dev rows."""
    return carry_out(recipe, prepared, run, one_label)


def one_label(table: Matrix, positive: Flags, words: WordsPart, _: float = 1.0) -> tuple[Floats, float]:
    """Weights (columns,) and bias of one label; `table` (rows, columns), `positive` (rows,).

    Rows are not weighed: naive Bayes counts them.
    """
    model = MultinomialNB(alpha=words.smoothing).fit(table, positive)
    ratio: Floats = model.feature_log_prob_[1] - model.feature_log_prob_[0]
    if words.bayes == "multinomial":
        return ratio, float(model.class_log_prior_[1] - model.class_log_prior_[0])
    if words.bayes == "complement":
        return ratio, 0.0
    ratio = ratio / np.abs(ratio).max()
    weights, bias = regression(table.multiply(ratio).tocsr(), positive, words)
    return weights * ratio, bias
