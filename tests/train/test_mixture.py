"""Labelled texts become rows: targets stand at first pieces, and what is not known is NaN."""

from __future__ import annotations

import numpy as np
import pytest

import toy_model

pytest.importorskip("torch")

from unbarb.data.examples import Labelled
from unbarb.detect.wordpiece import (
    CLS,
    SEP,
    WordPiece,
    words_of,
)
from unbarb.text import LABELS, Span
from unbarb.train.mixture import encode, rows_of, word_targets


def labelled(
    text: str, toxicity: float | None, spans: tuple[Span, ...] | None = None, **more: float
) -> Labelled:
    labels = {**more, **({} if toxicity is None else {"toxicity": toxicity})}
    return Labelled(text, labels, spans, "toy", text)


def test_labels_stand_in_order_and_unknown_ones_are_nan(wordpiece: WordPiece) -> None:
    (one,) = encode([labelled("you idiot", 1.0, insult=0.5)], wordpiece)
    known = {
        label: value for label, value in zip(LABELS, one.labels.tolist(), strict=True) if value == value
    }
    assert known == {"toxicity": 1.0, "insult": 0.5}


def test_marked_words_are_toxic_in_the_original(wordpiece: WordPiece) -> None:
    text = "you 1d1ot go"
    (one,) = encode([labelled(text, 1.0, (Span(4, 9),))], wordpiece)
    assert one.words.tolist() == [0.0, 1.0, 0.0]


def test_a_word_counts_when_half_of_it_is_marked() -> None:
    text = "abcd efgh ij"
    example = labelled(text, 1.0, (Span(2, 4), Span(8, 9)))
    assert word_targets(example, words_of(text)).tolist() == [1.0, 0.0, 0.0]


def test_unmarked_words_are_clean_only_in_clean_texts() -> None:
    places = words_of("go now")
    assert word_targets(labelled("go now", 0.0), places).tolist() == [0.0, 0.0]
    for example in (
        labelled("go now", 1.0), labelled("go now", None), labelled("go now", 0.0, obscene=1.0),
    ):  # fmt: skip
        assert np.isnan(word_targets(example, places)).all()


def test_texts_without_words_are_left_out_and_chunks_change_nothing(wordpiece: WordPiece) -> None:
    examples = [labelled(text, 0.0) for text in ("go", " ", "", "you idiot", "\ufe0f", "come here")]
    whole, chunked = encode(examples, wordpiece), encode(examples, wordpiece, chunk=2)
    assert [one.windows[0].ids.tolist() for one in whole] == [
        one.windows[0].ids.tolist() for one in chunked
    ]
    assert len(whole) == 3


def test_rows_put_targets_at_first_pieces(wordpiece: WordPiece) -> None:
    (row,) = rows_of(encode([labelled("zq idiot", 1.0, (Span(3, 8),))], wordpiece), {"toy": 0.5}, 0, 0, 0.0)
    assert (row.ids[0], row.ids[-1]) == (CLS, SEP)
    assert [None if np.isnan(value) else value for value in row.words.tolist()] == [
        None,
        0.0,
        None,
        1.0,
        None,
    ]
    assert row.weight == 0.5


def test_of_a_long_toxic_text_the_window_with_most_marks_is_taken(wordpiece: WordPiece) -> None:
    text = "go " * 300 + "idiot moron"
    (one,) = encode([labelled(text, 1.0, (Span(900, 911),))], wordpiece)
    assert len(one.windows) > 2
    (row,) = rows_of([one], {}, 0, 0, 0.0)
    assert toy_model.vocabulary()["idiot"] in row.ids


def test_of_a_long_clean_text_any_window_may_be_taken(wordpiece: WordPiece) -> None:
    encoded = encode([labelled(" ".join(toy_model.PLAIN * 3), 0.0)], wordpiece)
    drawn = {tuple(rows_of(encoded, {}, epoch, 0, 0.0)[0].ids.tolist()) for epoch in range(150)}
    assert drawn == {tuple(window.ids.tolist()) for window in encoded[0].windows}
    assert len(drawn) > 1


def test_a_planted_insult_stands_whole_in_a_clean_text(wordpiece: WordPiece) -> None:
    host = labelled("go home and read a good book. " * 30, 0.0)
    insult = labelled("you zq idiot", 1.0, (Span(7, 12),))
    encoded = encode([host, insult], wordpiece)
    planted = encoded[1].windows[0].ids[1:-1].tolist()
    places = set()
    for epoch in range(12):
        row = rows_of(encoded, {}, epoch, 0, plant=1.0)[1]
        assert len(row.ids) == len(row.words) <= 128
        assert (row.ids[0], row.ids[-1]) == (CLS, SEP)
        ids = row.ids.tolist()
        at = next(at for at in range(len(ids)) if ids[at : at + len(planted)] == planted)
        places.add(at)
        assert np.flatnonzero(row.words == 1.0).tolist() == [at + 3]
        assert row.labels[0] == 1.0
        assert (row.words == 0.0).sum() > 60
    assert len(places) > 4


def test_rows_are_drawn_alike_for_the_same_seed_and_epoch(wordpiece: WordPiece) -> None:
    encoded = encode([labelled("go home now. " * 60, 0.0), labelled("you idiot", 1.0)], wordpiece)
    same = [[row.ids.tolist() for row in rows_of(encoded, {}, 3, 1, 0.5)] for _ in range(2)]
    assert same[0] == same[1]
