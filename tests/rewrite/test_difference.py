"""A generated text becomes edits of whole words, and applying them gives exactly that text."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from unbarb.rewrite.difference import candidate, edits_between
from unbarb.text import Edit, apply

WORDS = st.lists(st.sampled_from(["you", "are", "an", "idiot", ",", " ", "\n", "é", "🙂", "don't"])).map(
    "".join
)


@given(WORDS, WORDS)
def test_applying_the_edits_gives_the_rewrite(original: str, rewritten: str) -> None:
    assert apply(edits_between(original, rewritten), original) == rewritten


def test_edits_are_of_whole_words() -> None:
    assert edits_between("you idiots, go", "you people, go") == (Edit(4, 10, "people"),)
    assert edits_between("go now", "please go") == (Edit(0, 0, "please "), Edit(2, 6, ""))


@pytest.mark.parametrize("said", ["", "   ", "you are", " you are\n"])
def test_what_says_nothing_new_is_no_candidate(said: str) -> None:
    assert candidate("  you are ", said, 0.0) is None


def test_white_space_around_a_sentence_stays() -> None:
    found = candidate("\n you idiot.  ", "you person.", -1.0)
    assert found is not None
    assert found.text == "\n you person.  "
    assert apply(found.edits, "\n you idiot.  ") == found.text
