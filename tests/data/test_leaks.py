"""What a split by row leaks is what counting by hand, and chance, say."""

from __future__ import annotations

import pytest

from unbarb.data.leaks import row_split_leak
from unbarb.data.split import group_key, place
from unbarb.errors import ConfigError

# As ParaDetox is: half of the sentences have one rewrite, a third two, the others three.
SAMPLE = [f"sentence {number}" for number in range(1200) for _ in range((1, 1, 1, 2, 2, 3)[number % 6])]


def test_sources_with_several_rewrites_leak_through_a_split_by_row() -> None:
    leak = row_split_leak(SAMPLE, 0.1)
    # A row of a source with k rows leaks unless all k are test: 1 - .1 ** (k - 1) of them.
    expected = (4 / 10) * (1 - 0.1) + (3 / 10) * (1 - 0.1**2)
    assert leak.leaked == pytest.approx(expected, abs=0.02)
    assert 0.6 < leak.leaked < 0.7
    assert (leak.rows, leak.sources) == (2000, 1200)


def test_a_smaller_test_side_leaks_more() -> None:
    assert row_split_leak(SAMPLE, 0.01).leaked > row_split_leak(SAMPLE, 0.1).leaked


def test_sources_that_stand_once_do_not_leak() -> None:
    assert row_split_leak([f"sentence {number}" for number in range(100)], 0.1).leaked == 0


def test_all_rows_of_one_source_leak() -> None:
    assert row_split_leak(["same"] * 100, 0.1).leaked == 1


def test_a_split_by_source_leaks_nothing_of_the_same_rows() -> None:
    sides: dict[str, set[str]] = {"train": set(), "dev": set(), "test": set()}
    for source in SAMPLE:
        sides[place(group_key(source), seed=13)].add(source)
    assert not sides["train"] & sides["test"]
    assert sides["test"]


@pytest.mark.parametrize("share", [0, 1, 0.001])
def test_a_share_that_leaves_a_side_empty_is_refused(share: float) -> None:
    with pytest.raises(ConfigError, match="leaves one side empty"):
        row_split_leak(SAMPLE[:50], share)
