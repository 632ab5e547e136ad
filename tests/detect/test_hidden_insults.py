"""An insult among much harmless text is found by the model that ships."""

from __future__ import annotations

import pytest

from unbarb import Guard
from unbarb.text import Verdict

HARMLESS = (
    "The bridge was opened in 1932 and carries two lanes of traffic.",
    "Most of the sources we used are newspapers of that time.",
    "I have moved the table to the end of the article.",
    "The second map shows where the river was before the flood.",
    "Please say on the talk page which of the two names you prefer.",
    "The museum keeps a list of all the engines that were built.",
    "Her second book came out a year later and sold very well.",
    "There is a short summary of the results in the last section.",
    "The station is served by four trains an hour on weekdays.",
    "We could ask somebody at the library to look at the archive.",
)
INSULTS = ("You are an idiot.", "What a pathetic little liar you are.", "Shut up, you clown.")


@pytest.fixture(scope="module")
def guard() -> Guard:
    return Guard(rewriter=None)


def among_harmless(guard: Guard, sentences: tuple[str, ...], at: int, times: int) -> Verdict:
    text = list(HARMLESS * times)
    text[at:at] = sentences
    return guard.check(" ".join(text))


@pytest.mark.parametrize("times", [1, 4])
@pytest.mark.parametrize("at", [0, 5, 10])
@pytest.mark.parametrize("insult", INSULTS)
def test_an_insult_is_found_however_much_harmless_text_is_around_it(
    guard: Guard, insult: str, at: int, times: int
) -> None:
    assert among_harmless(guard, (insult,), at, times).action == "rewrite"


@pytest.mark.parametrize("times", [1, 4])
def test_the_harmless_text_is_allowed(guard: Guard, times: int) -> None:
    assert among_harmless(guard, (), 0, times).action == "allow"
