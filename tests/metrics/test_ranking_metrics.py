"""ROC-AUC, PR-AUC, recall at a false alarm rate, F1: known answers, reference implementations, limits."""

from __future__ import annotations

import math

import numpy as np
import pytest

from unbarb.errors import InputError
from unbarb.metrics.f1 import counts, macro_f1
from unbarb.metrics.pr_auc import pr_auc
from unbarb.metrics.recall_at_false_alarm import operating_point, recall_at_false_alarm
from unbarb.metrics.roc_auc import roc_auc


def sample(seed: int, n: int = 400) -> tuple[np.ndarray, np.ndarray]:
    """Scores with many ties and labels that they follow loosely."""
    random = np.random.default_rng(seed)
    labels = (random.random(n) < 0.3).astype(float)
    return np.round(random.random(n) + 0.4 * labels, 1), labels


@pytest.mark.parametrize("metric", [roc_auc, pr_auc, recall_at_false_alarm])
def test_labels_as_scores_are_perfect(metric):
    _, labels = sample(1)
    assert metric(labels, labels) == 1.0


@pytest.mark.parametrize("seed", range(5))
def test_equals_scikit_learn(seed):
    reference = pytest.importorskip("sklearn.metrics")
    scores, labels = sample(seed)
    assert roc_auc(scores, labels) == pytest.approx(reference.roc_auc_score(labels, scores))
    assert pr_auc(scores, labels) == pytest.approx(reference.average_precision_score(labels, scores))
    decided = counts(scores, labels, 0.7)
    assert decided.f1 == pytest.approx(reference.f1_score(labels, scores >= 0.7))
    assert decided.precision == pytest.approx(reference.precision_score(labels, scores >= 0.7))
    assert decided.recall == pytest.approx(reference.recall_score(labels, scores >= 0.7))
    truth, guess = scores.round(), np.roll(scores.round(), 3)
    assert macro_f1(list(guess), list(truth)) == pytest.approx(
        reference.f1_score(truth, guess, average="macro", zero_division=0)
    )


def test_known_answers_by_hand():
    scores, labels = [0.9, 0.8, 0.7, 0.6, 0.5], [1, 0, 1, 0, 0]
    assert roc_auc(scores, labels) == pytest.approx(5 / 6)
    assert pr_auc(scores, labels) == pytest.approx((1 + 2 / 3) / 2)
    assert recall_at_false_alarm(scores, labels, 0.0) == 0.5
    assert recall_at_false_alarm(scores, labels, 0.34) == 1.0


def test_scores_that_know_nothing():
    random = np.random.default_rng(7)
    labels = (random.random(20000) < 0.2).astype(float)
    noise = random.random(20000)
    assert roc_auc(noise, labels) == pytest.approx(0.5, abs=0.02)
    assert pr_auc(noise, labels) == pytest.approx(0.2, abs=0.02)
    assert recall_at_false_alarm(noise, labels) == pytest.approx(0.01, abs=0.005)
    assert roc_auc(np.zeros(20000), labels) == 0.5


def test_ties_never_break_the_false_alarm_promise():
    scores, labels = [1.0] * 60 + [0.0] * 40, [1] * 50 + [0] * 50
    point = operating_point(scores, labels, 0.01)
    assert point is not None
    assert (point.recall, point.false_alarms, point.threshold) == (0.0, 0.0, math.inf)


def test_the_threshold_gives_what_it_says():
    scores, labels = sample(11, 3000)
    point = operating_point(scores, labels, 0.1)
    assert point is not None
    again = counts(scores, labels, point.threshold)
    assert again.recall == pytest.approx(point.recall)
    assert again.false_alarm_rate == pytest.approx(point.false_alarms)
    assert point.false_alarms <= 0.1


@pytest.mark.parametrize("metric", [roc_auc, recall_at_false_alarm])
def test_one_class_has_no_value(metric):
    assert metric([0.1, 0.2], [0, 0]) is None
    assert metric([0.1, 0.2], [1, 1]) is None


def test_unscored_is_left_out_and_not_zero():
    assert roc_auc([0.9, None, 0.1, math.nan], [1, 1, 0, 0]) == 1.0
    assert counts([0.9, None], [1, 1]).missed == 0


def test_always_clean_finds_nothing():
    decided = counts([0.0] * 4, [1, 0, 0, 1])
    assert (decided.recall, decided.precision, decided.f1, decided.false_alarm_rate) == (
        0.0,
        None,
        0.0,
        0.0,
    )


def test_macro_f1_by_hand():
    assert macro_f1(["a", "a", "b"], ["a", "b", "b"]) == pytest.approx((2 / 3 + 2 / 3) / 2)
    assert macro_f1([], []) is None


def test_wrong_input_is_named():
    with pytest.raises(InputError, match="equally long"):
        roc_auc([0.1], [0, 1])
    with pytest.raises(InputError, match="labels are 0 or 1"):
        roc_auc([0.1, 0.2], [0, 0.5])
    with pytest.raises(InputError, match="as a share"):
        recall_at_false_alarm([0.1, 0.2], [0, 1], 1.5)
    with pytest.raises(InputError, match="1 predictions for 2"):
        macro_f1(["a"], ["a", "b"])
