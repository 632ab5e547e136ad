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

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from sklearn.naive_bayes import MultinomialNB

from unbarb.data.prepared import Prepared
from unbarb.train.classifier import conclude
from unbarb.train.labels import POSITIVE, Flags, Floats, learnable
from unbarb.train.linear_classifier import LinearClassifier
from unbarb.train.logistic import regression
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
    texts = [row["text"] for row in rows]
    features = Tfidf.fit(
        texts, words.ngrams, words.characters, min_count=words.min_count, max_features=words.max_features
    )
    table = features.rows(texts)
    known = ~np.isnan(truth)
    columns = [
        one_label(table[known[:, at]], truth[known[:, at], at] >= POSITIVE, words)
        for at in range(len(labels))
    ]
    weights, bias = zip(*columns, strict=True)
    return LinearClassifier(labels, features, np.stack(weights, axis=1), np.array(bias))


def one_label(table: Matrix, positive: Flags, words: WordsPart) -> tuple[Floats, float]:
    """Weights (columns,) and bias of one label; `table` (rows, columns), `positive` (rows,)."""
    model = MultinomialNB(alpha=words.smoothing).fit(table, positive)
    ratio: Floats = model.feature_log_prob_[1] - model.feature_log_prob_[0]
    if words.bayes == "multinomial":
        return ratio, float(model.class_log_prior_[1] - model.class_log_prior_[0])
    if words.bayes == "complement":
        return ratio, 0.0
    ratio = ratio / np.abs(ratio).max()
    weights, bias = regression(table.multiply(ratio).tocsr(), positive, words)
    return weights * ratio, bias
