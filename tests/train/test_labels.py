"""Labels as a matrix: what nobody said is not a no."""

from __future__ import annotations

import numpy as np
import pytest

from unbarb.errors import InputError
from unbarb.train.labels import label_matrix, learnable, positive_weights, positives

ROWS = [
    {"labels": {"insult": 1, "threat": 0}},
    {"labels": {"insult": 0.6}},
    {"labels": {"insult": 0.2, "threat": 1}},
    {"labels": {"insult": 0, "threat": 0}},
]


def test_a_label_that_a_row_does_not_know_is_nan():
    matrix = label_matrix(ROWS, ["threat", "insult"])
    assert np.isnan(matrix[1, 0])
    np.testing.assert_array_equal(matrix[[0, 2, 3], 0], [0, 1, 0])
    np.testing.assert_array_equal(positives(matrix)[:, 1], [1, 1, 0, 0])
    assert np.isnan(positives(matrix)[1, 0])


def test_every_label_that_cannot_be_learnt_is_named_at_once():
    with pytest.raises(InputError) as caught:
        learnable(ROWS, ["insult", "obscene", "identity_attack"])
    assert "obscene: 0 of 0" in str(caught.value)
    assert "identity_attack: 0 of 0" in str(caught.value)
    assert "insult:" not in str(caught.value)


def test_a_rare_label_weighs_what_evens_the_classes():
    matrix = np.array([[1, 1], [0, 1], [0, 0], [0, np.nan], [0, np.nan]])
    np.testing.assert_allclose(positive_weights(matrix, "balanced"), [4, 0.5])
    np.testing.assert_allclose(positive_weights(matrix, "sqrt"), [2, 0.5**0.5])
    np.testing.assert_allclose(positive_weights(matrix, "none"), [1, 1])
