"""Sentences and the language of a text."""

from __future__ import annotations

import os
import subprocess
import sys
from collections import Counter
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from unbarb.segment import MAX_CHARACTERS, MAX_WORDS, language, sentences

FIXTURES = Path(__file__).parent / "fixtures"


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


def test_languages_are_told_apart() -> None:
    rows = [
        line.split("\t") for line in (FIXTURES / "languages.tsv").read_text("utf-8").splitlines() if line
    ]
    said = [(code, language(text)) for code, text in rows]
    codes = Counter(code for code, _ in said)
    assert len(codes) >= 18
    assert sum(code == found for code, found in said) >= 0.95 * len(said)
    wrong = [(code, found) for code, found in said if found not in (code, "en", "und")]
    assert len(wrong) <= 0.01 * len(said)


@pytest.mark.parametrize(
    "text",
    [
        "u r so dum lol",
        "ur mom gay lmao",
        "H8 u n00b",
        "WTF DUDE WHY U DO DIS",
        "stfu n00b",
        "y u no txt me bak",
        "dat boi dem niggaz be trippin",
        "im gon beat yo ass",
        "yo de man",
        "thats so messd up omg",
        "im a fuckin guru",
        "non sequitur as usual",
        "pls no",
        "no no no no",
        "Die die die!!!",
        "f.u.c.k y.o.u",
        "you are an 1d!0t",
        "Mais oui, he said, and left the room",
        "the menu is a la carte, very chic",
    ],
)
def test_careless_english_is_not_taken_for_another_language(text: str) -> None:
    assert language(text) in ("en", "und")


@pytest.mark.parametrize("text", ["", "  ", "12 34", "!!!", "\U0001f600", "http://x.org", "@bob #42"])
def test_text_without_words_has_no_language(text: str) -> None:
    assert language(text) == "und"


def test_between_even_languages_every_process_chooses_the_same() -> None:
    ask = "from unbarb.segment import language; print(language('Dubček, Šik, Černík (Košice)'))"
    said = {
        subprocess.run(
            [sys.executable, "-c", ask],
            env={**os.environ, "PYTHONHASHSEED": str(seed)}, capture_output=True, check=True,
        ).stdout
        for seed in range(1, 7)
    }  # fmt: skip
    assert len(said) == 1


def test_links_and_names_do_not_count() -> None:
    assert language("@der_die_das you are right http://el.la/los/de") == "en"


def test_disguised_english_in_cyrillic_letters_is_not_russian() -> None:
    assert language("уоu аrе such аn іdіоt") in ("en", "und")


@given(st.text(max_size=80))
def test_any_text_has_a_language_code(text: str) -> None:
    assert language(text).isalpha()
    assert len(language(text)) in (2, 3)
