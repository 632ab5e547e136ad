"""Which language a text is in."""

from __future__ import annotations

import os
import subprocess
import sys
from collections import Counter
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from unbarb.language import language

FIXTURES = Path(__file__).parent / "fixtures"


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
    ask = "from unbarb.language import language; print(language('Dubček, Šik, Černík (Košice)'))"
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
