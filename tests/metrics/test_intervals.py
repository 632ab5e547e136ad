"""Bootstrap and exact intervals, and the figure that carries them."""

from __future__ import annotations

import math

import numpy as np
import pytest

from unbarb.errors import InputError
from unbarb.metrics import binomial, bootstrap
from unbarb.metrics.measured import Measured, measure, share
from unbarb.metrics.roc_auc import roc_auc


def test_same_seed_same_interval():
    values = np.random.default_rng(1).normal(size=200)
    once, again = (bootstrap.interval(bootstrap.mean, values, rounds=200) for _ in range(2))
    assert once == again
    assert once != bootstrap.interval(bootstrap.mean, values, rounds=200, seed=14)


def test_mean_interval_is_near_the_textbook():
    values = np.random.default_rng(2).normal(size=400)
    found = bootstrap.interval(bootstrap.mean, values, rounds=1000)
    assert found is not None
    half = 1.96 * values.std() / math.sqrt(len(values))
    assert found.low == pytest.approx(values.mean() - half, abs=0.02)
    assert found.high == pytest.approx(values.mean() + half, abs=0.02)


def test_interval_covers_the_truth_about_as_often_as_it_says():
    random = np.random.default_rng(3)
    covered = 0
    for _ in range(200):
        found = bootstrap.interval(bootstrap.mean, random.normal(size=60), rounds=200)
        assert found is not None
        covered += found.low <= 0 <= found.high
    assert 0.88 <= covered / 200 <= 0.99


def test_resamples_without_a_class_are_drawn_anew():
    found = bootstrap.interval(roc_auc, [0.9, 0.1, 0.2, 0.3], [1, 0, 0, 0], rounds=50)
    assert found is not None
    assert (found.value, found.low, found.high) == (1.0, 1.0, 1.0)


def test_pairs_are_kept_together():
    random = np.random.default_rng(4)
    hardness = random.normal(size=300)
    found = bootstrap.paired_difference(hardness + 0.1, hardness)
    assert found is not None
    assert (found.low, found.high) == (pytest.approx(0.1), pytest.approx(0.1))
    missing = bootstrap.paired_difference([1.0, None, 3.0], [0.0, 5.0, None])
    assert missing is not None
    assert missing.value == 1.0
    assert bootstrap.paired_difference([None], [1.0]) is None


def test_clopper_pearson_known_answers():
    # 0 of n has the closed form 1 - (1 - level)^(1/n); the others are from R's binom.test.
    assert binomial.upper_bound(0, 100) == pytest.approx(1 - 0.05 ** (1 / 100))
    low, high = binomial.interval(5, 20)
    assert (low, high) == (pytest.approx(0.08657147, abs=1e-6), pytest.approx(0.4910459, abs=1e-6))
    assert binomial.interval(0, 0) == (0.0, 1.0)
    assert binomial.interval(20, 20)[1] == 1.0


def test_clopper_pearson_is_the_edge_of_the_tail():
    scipy = pytest.importorskip("scipy.stats")
    for hits, n in ((1, 3000), (40, 12000), (999, 1000), (500, 1000)):
        bound = binomial.upper_bound(hits, n)
        assert scipy.binom.cdf(hits, n, bound) == pytest.approx(0.05, rel=1e-3)


def test_a_figure_says_how_many_were_scored():
    figure = measure("roc_auc/1", roc_auc, [0.9, None, 0.1, 0.2], [1, 1, 0, 0], rounds=20)
    assert (figure.value, figure.n, figure.unscored, figure.seed) == (1.0, 3, 1, 13)
    assert measure("roc_auc/1", roc_auc, [None], [1]) == Measured("roc_auc/1", None, 0, 1, seed=13)
    counted = share("share/1", [1, 0, None, 1])
    assert (counted.value, counted.n, counted.unscored) == (pytest.approx(2 / 3), 3, 1)
    assert counted.low is not None
    assert counted.high is not None
    assert counted.low < 2 / 3 < counted.high
    assert share("share/1", []).value is None


def test_wrong_input_is_named():
    with pytest.raises(InputError, match="at least 1 round"):
        bootstrap.interval(bootstrap.mean, [1.0], rounds=0)
    with pytest.raises(InputError, match="within 0…n"):
        binomial.upper_bound(3, 2)
