"""Intervals over prompts and seeds at once."""

from __future__ import annotations

import numpy as np
import pytest

from unbarb.errors import InputError
from unbarb.metrics import bootstrap
from unbarb.metrics.pigeonhole import mean, mean_difference, pigeonhole


def test_with_one_row_it_is_the_bootstrap_over_columns() -> None:
    values = np.random.default_rng(1).random(200)
    one = pigeonhole(mean, values[None])
    plain = bootstrap.interval(bootstrap.mean, values)
    assert one is not None
    assert plain is not None
    assert one.value == pytest.approx(plain.value)
    assert one.high - one.low == pytest.approx(plain.high - plain.low, rel=0.1)


def test_rows_that_differ_make_it_wider_than_columns_alone() -> None:
    random = np.random.default_rng(2)
    noise = random.random((3, 300))
    alike = pigeonhole(mean, noise)
    apart = pigeonhole(mean, noise + np.array([[0.0], [0.5], [1.0]]))
    assert alike is not None
    assert apart is not None
    assert apart.high - apart.low > 5 * (alike.high - alike.low)


def test_a_constant_difference_is_sure_though_its_parts_are_not() -> None:
    grid = np.random.default_rng(3).random((3, 50))
    found = pigeonhole(mean_difference, grid - 0.1, grid)
    assert found is not None
    assert (found.low, found.high) == (pytest.approx(-0.1), pytest.approx(-0.1))


def test_what_was_not_scored_is_left_out_and_nothing_at_all_has_no_value() -> None:
    grid = np.array([[1.0, np.nan, 3.0], [np.nan, np.nan, 2.0]])
    found = pigeonhole(mean, grid)
    assert found is not None
    assert found.value == 2.0
    assert pigeonhole(mean, np.full((2, 2), np.nan)) is None


def test_tables_of_other_shapes_are_refused() -> None:
    with pytest.raises(InputError, match=r"give them all as \(rows, columns\)"):
        pigeonhole(mean_difference, np.zeros((2, 3)), np.zeros((3, 2)))
