"""How far a score is trusted, by the length of its text."""

from __future__ import annotations

import math

import pytest

from unbarb.detect.doubt import STRANGE, divisor, doubt, doubted, foreign, strangeness
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


SPANISH = "Mañana llegamos muy tarde a la estación, así que no nos esperes."
ENGLISH = "Tomorrow we arrive very late at the station, so do not wait for us."


@pytest.mark.parametrize(
    ("text", "times"),
    [
        (SPANISH, STRANGE),
        ("Завтра утром мы поедем на дачу и вернёмся в понедельник.", STRANGE),
        (ENGLISH, 1),
        (f"{SPANISH} Eres un idiot !", 1),  # a listed word is none that the encoder does not know
        ("", 1),
    ],
)
def test_text_in_a_language_that_was_not_learnt_is_doubted(text: str, times: float) -> None:
    words = text.split()
    assert strangeness(words, [1] * len(words)) == times
    assert foreign(words) is (times == STRANGE)
