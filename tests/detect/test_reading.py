"""How a text is cut for the encoder: words, what they are read as, pieces, and sentences."""

from __future__ import annotations

import numpy as np
import pytest

from unbarb.detect.normalize import normalize
from unbarb.detect.reading import HEARD, breaks_of, read
from unbarb.detect.wordpiece import WordPiece, words_of

TEXT = "Go home and stay. You know why I say so. Some 1d!0t did it, my friend. Well."


@pytest.mark.parametrize(
    ("text", "breaks"),
    [("Go home. You know why. ", [0, 3]), ("go home", [0]), ("", [0])],
)
def test_breaks_are_the_words_that_begin_sentences(text: str, breaks: list[int]) -> None:
    assert breaks_of(text, words_of(text)) == breaks


def test_words_stand_in_the_original(wordpiece: WordPiece) -> None:
    (reading,) = read([normalize(TEXT)], wordpiece)
    assert len(reading.original) == len(reading.words)
    assert "1d!0t" in [span.of(TEXT) for span in reading.original]
    assert "idiot" in [span.of(reading.view.text) for span in reading.words]


def test_heard_are_the_sentences_with_a_toxic_word(wordpiece: WordPiece) -> None:
    (reading,) = read([normalize(TEXT)], wordpiece)
    words = [span.of(reading.view.text) for span in reading.words]
    toxicity = np.zeros(len(words), np.float32)
    assert reading.heard(toxicity) == []
    toxicity[words.index("idiot")] = HEARD
    (sentence,) = reading.heard(toxicity)
    assert [span.of(reading.view.text) for span in sentence.words] == [
        "Some", "idiot", "did", "it", ",", "my", "friend", ".",
    ]  # fmt: skip
    assert len(sentence.read) == len(sentence.words)
    assert sorted({*sentence.pieces.owner.tolist()}) == [*range(len(sentence.words))]


def test_a_short_text_is_not_read_by_its_sentences(wordpiece: WordPiece) -> None:
    (reading,) = read([normalize("Go. You idiot.")], wordpiece)
    assert reading.heard(np.ones(len(reading.words), np.float32)) == []
