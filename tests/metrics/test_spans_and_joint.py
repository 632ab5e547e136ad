"""Span F1, calibration error and J: definitions against hand-worked answers."""

from __future__ import annotations

import math

import numpy as np
import pytest

from unbarb.errors import InputError
from unbarb.metrics.calibration import bins, calibration_error
from unbarb.metrics.joint import joint
from unbarb.metrics.span_f1 import offsets, per_text, span_f1


def test_offsets_are_half_open():
    assert offsets([(2, 4), (3, 5)]) == {2, 3, 4}
    assert offsets([]) == set()


def test_span_f1_is_a_mean_over_texts():
    predicted = [offsets([(0, 4)]), set(), offsets([(0, 1)]), set()]
    truth = [offsets([(2, 6)]), set(), set(), offsets([(0, 1)])]
    assert per_text(predicted, truth) == [0.5, 1.0, 0.0, 0.0]
    assert span_f1(predicted, truth) == pytest.approx(1.5 / 4)


def test_span_f1_of_itself_is_one_and_of_a_stranger_low():
    random = np.random.default_rng(3)
    truth = [set(random.choice(200, 20, replace=False).tolist()) for _ in range(200)]
    stranger = [set(random.choice(200, 20, replace=False).tolist()) for _ in range(200)]
    assert span_f1(truth, truth) == 1.0
    assert span_f1(stranger, truth) == pytest.approx(0.1, abs=0.02)


def test_an_unscored_text_is_not_a_zero():
    assert span_f1([None, {1}], [{1}, {1}]) == 1.0
    assert span_f1([None], [{1}]) is None
    with pytest.raises(InputError, match="None if unscored"):
        span_f1([], [{1}])


def test_calibration_by_hand():
    assert calibration_error([0.25, 0.25, 0.25, 0.25], [1, 0, 0, 0]) == pytest.approx(0.0)
    assert calibration_error([0.05, 0.95], [1, 0]) == pytest.approx(0.95)
    assert calibration_error([], []) is None
    assert [b.n for b in bins([0.0, 0.05, 1.0], [0, 0, 1])] == [2, 1]


def test_calibration_of_honest_probabilities_is_near_zero():
    random = np.random.default_rng(5)
    scores = random.random(20000)
    assert calibration_error(scores, (random.random(20000) < scores).astype(float)) < 0.02
    assert calibration_error(scores, (random.random(20000) < 0.5).astype(float)) > 0.2


def test_joint_by_hand():
    assert joint([0.0], [1.0], [1.0], [1.0]).tolist() == [1.0]
    assert joint([0.2], [0.5], [1.0], [0.5]).tolist() == pytest.approx([0.8 * (0.2 + 0.6) * 0.5])
    assert joint([1.0], [1.0], [1.0], [1.0]).tolist() == [0.0]
    assert math.isnan(joint([None], [1.0], [1.0], [1.0])[0])
