"""How far a score is trusted, by the length of its text."""

from __future__ import annotations

import math

import pytest

from unbarb.detect.doubt import divisor, doubt, doubted
from unbarb.stream.flow import WORDS


@pytest.mark.parametrize(
    ("words", "by"), [(0, 1), (16, 1), (32, 4), (40, 6.25), (46, 8), (1000, 8), (WORDS, divisor(10**6))]
)
def test_odds_are_divided_by_the_square_of_the_length_over_sixteen_at_most_by_eight(
    words: int, by: float
) -> None:
    assert divisor(words) == by
    assert doubted(0.5, words) == pytest.approx(1 / (1 + by))
    assert doubt(words) == pytest.approx(math.log(by))


def test_doubt_may_be_more_for_another_reason() -> None:
    assert doubted(0.9, 32, 2.0) == pytest.approx(9 / 8 / (1 + 9 / 8))
    assert doubt(32, 2.0) == pytest.approx(math.log(8))
