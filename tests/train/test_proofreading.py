"""Rows for the proofreading trunk: sentences of longer texts, whole and broken, never the same twice."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("torch")

from unbarb.data.examples import Labelled, Pair
from unbarb.detect.wordpiece import WordPiece
from unbarb.train.proofreading import FUNCTION_WORDS, broken, proof_rows, prose

PHRASES = ("person", "stuff", "bad")
SENTENCE = "you are an old man and i like your new plan for the house".split()  # noqa: SIM905


def labelled(text: str) -> Labelled:
    return Labelled(text, {}, None, "toy", text)


def test_prose_is_cut_into_plain_sentences_in_lower_case() -> None:
    text = 'Go. This is a good plan, I say! "Quoted things are left out here." So is @name in a sentence.'
    assert prose([labelled(text)]) == [("this", "is", "a", "good", "plan", ",", "i", "say", "!")]


@pytest.mark.parametrize("text", ["", "Too short.", "Ünïcode is left out of it.", "word " * 40])
def test_what_is_no_plain_sentence_is_left_out(text: str) -> None:
    assert prose([labelled(text)]) == []


@pytest.mark.parametrize("words", [SENTENCE, ["a", "a", "a"], ["the", "the", "the", "the"]])
def test_a_broken_sentence_is_another_one(words: list[str]) -> None:
    rng = np.random.default_rng(0)
    for _ in range(300):
        assert broken(words, PHRASES, rng) != words


def test_function_words_and_endings_go_wrong_too() -> None:
    rng = np.random.default_rng(1)
    found = {tuple(broken(SENTENCE, PHRASES, rng)) for _ in range(800)}
    assert any("mans" in words for words in found)
    without = [tuple(SENTENCE[:at] + SENTENCE[at + 1 :]) for at in range(len(SENTENCE))]
    assert any(words in found for at, words in enumerate(without) if SENTENCE[at] in FUNCTION_WORDS)


def test_every_sentence_comes_whole_and_broken(tiny_model: Path) -> None:
    wordpiece = WordPiece(tiny_model / "tokenizer.json")
    pairs = [Pair("you idiot go home", ("you person go home", "please go home"), "toy", "a")]
    others = [tuple("this is a good plan".split()), tuple("that was a great day".split())]  # noqa: SIM905
    rows = proof_rows(pairs, others, sources=1, drawn=1, wordpiece=wordpiece, seed=0)
    assert [row.labels.tolist() for row in rows] == [[1.0], [0.0]] * 4
    for whole, hurt in zip(rows[::2], rows[1::2], strict=True):
        assert whole.ids.tolist() != hurt.ids.tolist()
    again = proof_rows(pairs, others, sources=1, drawn=1, wordpiece=wordpiece, seed=0)
    assert [row.ids.tolist() for row in rows] == [row.ids.tolist() for row in again]
    assert proof_rows(pairs, others, sources=0, drawn=0, wordpiece=wordpiece, seed=0)[4:] == []
