"""Naive Bayes, NB-SVM and logistic regression: the library's figures, from plain files."""

from __future__ import annotations

import copy
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from sklearn.naive_bayes import ComplementNB, MultinomialNB

import labelled_rows
from unbarb.errors import InputError, ModelError
from unbarb.train import logistic, naive_bayes
from unbarb.train.classifier import load_classifier
from unbarb.train.labels import label_matrix
from unbarb.train.linear_classifier import learn
from unbarb.train.objectives import train

FITS = {
    "naive_bayes": lambda recipe, rows: learn(recipe, rows, naive_bayes.one_label),
    "logistic": lambda recipe, rows: learn(recipe, rows, logistic.regression),
}

WORDS = {"ngrams": [1, 2], "min_count": 1, "max_features": None}
ROWS = labelled_rows.rows(90)
TEXTS = [row["text"] for row in labelled_rows.rows(40, seed=7)]


@pytest.mark.parametrize(
    ("kind", "library"), [("multinomial", MultinomialNB), ("complement", ComplementNB)]
)
def test_naive_bayes_gives_the_probabilities_of_scikit_learn(kind: str, library: Any):
    model = FITS["naive_bayes"](labelled_rows.recipe("naive_bayes", words={**WORDS, "bayes": kind}), ROWS)
    table = model.features.rows([row["text"] for row in ROWS])
    ours = model.predict_proba(TEXTS)
    for at, label in enumerate(labelled_rows.LABELS):
        theirs = library(alpha=1.0).fit(table, [row["labels"][label] for row in ROWS])
        np.testing.assert_allclose(
            ours[:, at], theirs.predict_proba(model.features.rows(TEXTS))[:, 1], atol=1e-10
        )


@pytest.mark.parametrize("objective", ["naive_bayes", "logistic"])
def test_a_row_that_does_not_know_a_label_teaches_the_others_only(objective: str):
    """The threat column is as if the extra rows were not there; the insult column is not."""
    rows = copy.deepcopy(ROWS)
    without = [row for at, row in enumerate(rows) if at % 5]
    for row in rows[::5]:
        del row["labels"]["threat"]
    fit = FITS[objective]
    recipe = labelled_rows.recipe(objective, words=WORDS)
    some, fewer = fit(recipe, rows), fit(recipe, without)
    # The same columns for both: idf and terms come from texts, whatever their labels.
    table = some.features.rows([row["text"] for row in without])
    known = label_matrix(without, labelled_rows.LABELS)[:, 1] >= 0.5
    alone = (
        naive_bayes.one_label(table, known, recipe.words)
        if objective == "naive_bayes"
        else logistic.regression(table, known, recipe.words)
    )
    np.testing.assert_allclose(some.weights[:, 1], alone[0], atol=1e-9)
    assert not np.allclose(some.predict_proba(TEXTS)[:, 0], fewer.predict_proba(TEXTS)[:, 0])


@pytest.mark.parametrize(
    ("objective", "words"),
    [
        ("naive_bayes", {}),
        ("naive_bayes", {"bayes": "nbsvm"}),
        ("logistic", {"characters": [2, 4]}),
    ],
    ids=["naive-bayes", "nb-svm", "logistic"],
)
def test_a_run_learns_and_is_read_back_from_plain_files(
    tmp_path: Path, objective: str, words: dict[str, Any]
):
    recipe = labelled_rows.recipe(objective, words={**WORDS, **words})
    facts = train(recipe, labelled_rows.prepared(tmp_path / "set"), tmp_path / "run", quiet=True)
    assert facts["dev"]["macro_roc_auc"] > 0.75
    fresh = FITS[objective](recipe, labelled_rows.rows(120, 1))
    loaded = load_classifier(tmp_path / "run" / "model")
    np.testing.assert_array_equal(loaded.predict_proba(TEXTS), fresh.predict_proba(TEXTS))
    np.testing.assert_allclose(loaded.predict_proba(TEXTS[:1])[0], loaded.predict_proba(TEXTS)[0])
    assert {path.suffix for path in (tmp_path / "run" / "model").iterdir()} == {".json", ".npz"}


def test_characters_see_what_a_misspelling_hides():
    words = labelled_rows.recipe("logistic", words=WORDS)
    both = labelled_rows.recipe("logistic", words={**WORDS, "characters": [2, 4]})
    misspelt, plain = ["you clowwn"], ["you report"]
    blind, seeing = FITS["logistic"](words, ROWS), FITS["logistic"](both, ROWS)
    assert blind.predict_proba(misspelt)[0, 0] == pytest.approx(blind.predict_proba(["you"])[0, 0])
    assert seeing.predict_proba(misspelt)[0, 0] > seeing.predict_proba(plain)[0, 0] + 0.05


def test_a_balanced_weight_raises_the_scores_of_the_rare_label():
    plain = FITS["logistic"](labelled_rows.recipe("logistic", words=WORDS), ROWS)
    heavy = FITS["logistic"](
        labelled_rows.recipe("logistic", words=WORDS, training={"class_weight": "balanced"}), ROWS
    )
    assert (heavy.predict_proba(TEXTS) > plain.predict_proba(TEXTS)).all()


def test_texts_without_a_common_word_are_refused():
    recipe = labelled_rows.recipe("naive_bayes", words={**WORDS, "min_count": 500})
    with pytest.raises(InputError, match=r"lower words\.min_count"):
        FITS["naive_bayes"](recipe, ROWS)


def test_weights_that_do_not_fit_their_terms_are_refused(tmp_path: Path):
    model = FITS["naive_bayes"](labelled_rows.recipe("naive_bayes", words=WORDS), ROWS)
    model.weights = model.weights[:-1]
    model.save(tmp_path)
    with pytest.raises(ModelError, match="terms and 2 labels need"):
        load_classifier(tmp_path)


def test_a_folder_without_a_classifier_is_refused(tmp_path: Path):
    with pytest.raises(ModelError, match="model/ folder of a run"):
        load_classifier(tmp_path)
