"""Sentences of a text."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from unbarb.segment import MAX_CHARACTERS, MAX_WORDS, sentences


def cut(text: str) -> list[str]:
    return [span.of(text) for span in sentences(text)]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", []),
        ("One.", ["One."]),
        ("One. Two!", ["One. ", "Two!"]),
        ("Dr. Smith paid $3.50. He left.", ["Dr. Smith paid $3.50. ", "He left."]),
        ("See e.g. this page. Or that.", ["See e.g. this page. ", "Or that."]),
        ("J. R. R. Tolkien wrote it.", ["J. R. R. Tolkien wrote it."]),
        ("You and I. We left.", ["You and I. ", "We left."]),
        ("1. First item.\n2. Second.", ["1. First item.\n", "2. Second."]),
        ("Read https://a.org/x.html. Now.", ["Read https://a.org/x.html. ", "Now."]),
        ("What?!  Really...\n\nYes", ["What?!  ", "Really...\n\n", "Yes"]),
        ("你好。再见！", ["你好。", "再见！"]),
        ("  Hi.  ", ["  Hi.  "]),
        ("no end marks here", ["no end marks here"]),
    ],
)
def test_sentences(text: str, expected: list[str]) -> None:
    assert cut(text) == expected


@given(st.text(alphabet=st.sampled_from("aB1 .!?\n,;:'\"…。é\u200b\U0001f600")) | st.text())
def test_nothing_is_lost_and_nothing_is_too_long(text: str) -> None:
    spans = sentences(text)
    assert "".join(span.of(text) for span in spans) == text
    assert all(span.start < span.end for span in spans)
    assert all(len(span.of(text)) <= MAX_CHARACTERS for span in spans)
    assert all(len(span.of(text).split()) <= MAX_WORDS for span in spans)


def test_long_sentences_are_cut_at_a_clause() -> None:
    text = "word " * 40 + "and so on, " + "more " * 40
    assert cut(text)[0].endswith(("on, ", "word "))
    assert len(cut(text)) == 2


@pytest.mark.parametrize("unit", [". ", " ", "x", "word ", "\n \n", "!", "1. ", '."', "a a"])
def test_long_monotonous_text_takes_linear_time(unit: str) -> None:
    text = unit * 20_000
    assert "".join(cut(text)) == text
