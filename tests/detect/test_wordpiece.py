"""Words keep their offsets; windows hold every piece, fit the encoder, and end."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import toy_model
from unbarb.detect.wordpiece import CLS, SEP, Pieces, WordPiece, windows, words_of
from unbarb.errors import ModelError


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("You don't!", ["You", "don", "'t", "!"]),
        ("it’s we’LL", ["it", "’s", "we", "’LL"]),
        ("'twas O'Neil", ["'", "twas", "O", "'", "Neil"]),
        ("a_b-c 3.5", ["a_b", "-", "c", "3", ".", "5"]),
        ("naïve 🙂🙂 日本", ["naïve", "🙂", "🙂", "日本"]),
        (" \n\t", []),
        ("", []),
    ],
)
def test_words_of(text: str, words: list[str]) -> None:
    assert [span.of(text) for span in words_of(text)] == words


@given(st.text())
def test_words_are_disjoint_in_order_and_leave_out_only_white_space(text: str) -> None:
    spans = words_of(text)
    left, at = [], 0
    for span in spans:
        assert at <= span.start < span.end
        left.append(text[at : span.start])
        at = span.end
    left.append(text[at:])
    assert not "".join(left).strip()


@st.composite
def cut_texts(draw: st.DrawFn) -> tuple[Pieces, list[int], int]:
    """Pieces of words of any length, the words that begin sentences, and a window size."""
    lengths = draw(st.lists(st.integers(0, 9), max_size=60))
    owner = np.repeat(np.arange(len(lengths)), lengths).astype(np.int64)
    breaks = draw(st.lists(st.integers(0, len(lengths) + 2), max_size=20))
    pieces = Pieces(np.arange(1000, 1000 + len(owner)).astype(np.int64), owner)
    return pieces, breaks, draw(st.integers(3, 40))


@given(cut_texts())
def test_windows_hold_every_piece_and_fit(case: tuple[Pieces, list[int], int]) -> None:
    pieces, breaks, size = case
    cut = windows(pieces, breaks, size)
    assert np.array_equal(
        np.unique(np.concatenate([one.ids[1:-1] for one in cut])), pieces.ids
    )  # ids count up, so none is missing
    for one in cut:
        assert len(one.ids) <= size
        assert (one.ids[0], one.ids[-1]) == (CLS, SEP)
        body = one.ids[1:-1]
        assert np.array_equal(body, np.arange(body[0], body[0] + len(body)) if len(body) else body)


@given(cut_texts())
def test_windows_go_forward_and_none_is_idle(case: tuple[Pieces, list[int], int]) -> None:
    pieces, breaks, size = case
    cut = windows(pieces, breaks, size)
    if len(cut) > 1:
        begins = [one.ids[1] for one in cut]
        ends = [one.ids[-2] for one in cut]
        assert begins == sorted(set(begins))
        assert ends == sorted(set(ends))  # each reads something that none before it read


@given(cut_texts())
def test_first_points_at_the_first_piece_of_each_word(case: tuple[Pieces, list[int], int]) -> None:
    pieces, breaks, size = case
    seen = set()
    for one in windows(pieces, breaks, size):
        assert len(one.first) == len(one.words)
        for word, place in zip(one.words, one.first, strict=True):
            assert one.ids[place] == pieces.ids[np.flatnonzero(pieces.owner == word)[0]]
            seen.add(int(word))
    assert seen == set(pieces.owner.tolist())


def test_a_short_text_is_one_window() -> None:
    pieces = Pieces(np.array([7, 8, 9]), np.array([0, 0, 2]))
    (only,) = windows(pieces, [0, 1], 5)
    assert only.ids.tolist() == [CLS, 7, 8, 9, SEP]
    assert only.words.tolist() == [0, 2]
    assert only.first.tolist() == [1, 3]


def test_a_text_without_pieces_is_one_empty_window() -> None:
    empty = np.empty(0, np.int64)
    (only,) = windows(Pieces(empty, empty), [0])
    assert only.ids.tolist() == [CLS, SEP]
    assert not len(only.words)


def bodies(lengths: list[int], size: int) -> list[tuple[int, int]]:
    """Windows over sentences of these lengths in one-piece words, as (begin, end)."""
    total = sum(lengths)
    pieces = Pieces(np.arange(total), np.arange(total))
    breaks = np.cumsum([0, *lengths[:-1]]).tolist()
    return [(int(one.ids[1]), int(one.ids[-2]) + 1) for one in windows(pieces, breaks, size)]


def test_windows_end_at_sentences_and_share_the_last() -> None:
    assert bodies([4, 3, 3, 4], 12) == [(0, 10), (7, 14)]


def test_a_last_sentence_too_long_to_share_is_not_shared() -> None:
    assert bodies([3, 7, 6], 12) == [(0, 10), (10, 16)]


def test_nothing_is_shared_with_what_would_not_fit_beside_it() -> None:
    assert bodies([5, 5, 9], 12) == [(0, 10), (10, 19)]


def test_a_sentence_too_long_is_cut_with_a_quarter_shared() -> None:
    assert bodies([20], 10) == [(0, 8), (6, 14), (12, 20)]


def test_words_and_whole_texts_give_the_same_pieces(wordpiece: WordPiece) -> None:
    texts = ["You don't know, you IDIOT!", "Naïve xyz_q 42…", "", "it’s 3.50 — really?"]
    words = [[span.of(text) for span in words_of(text)] for text in texts]
    for whole, one in zip(wordpiece.ids(texts), wordpiece.encode(words), strict=True):
        assert whole == one.ids.tolist()


@pytest.mark.parametrize("mark", toy_model.SPECIAL)
def test_special_pieces_written_out_are_plain_text(wordpiece: WordPiece, mark: str) -> None:
    text = f"you {mark} idiot"
    number = toy_model.vocabulary()[mark]
    (whole,) = wordpiece.ids([text])
    (cut,) = wordpiece.encode([[span.of(text) for span in words_of(text)]])
    (one_word,) = wordpiece.encode([["you", mark, "idiot"]])
    assert len(whole) > 4  # the two words, the brackets, and what stands between them
    assert whole == cut.ids.tolist() == one_word.ids.tolist()
    assert number not in whole


def test_a_word_owns_its_pieces(wordpiece: WordPiece) -> None:
    (pieces,) = wordpiece.encode([["idiot", "zq", "\ufe0f", "!"]])
    names = {number: piece for piece, number in toy_model.vocabulary().items()}
    assert [names[number] for number in pieces.ids.tolist()] == ["idiot", "z", "##q", "!"]
    assert pieces.owner.tolist() == [0, 1, 1, 3]


def test_a_missing_tokenizer_is_a_model_error(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match="no tokenizer at"):
        WordPiece(tmp_path / "tokenizer.json")


@pytest.mark.parametrize("content", ["", "{", "{}", '{"model": 3}'])
def test_a_damaged_tokenizer_is_a_model_error(tmp_path: Path, content: str) -> None:
    path = tmp_path / "tokenizer.json"
    path.write_text(content)
    with pytest.raises(ModelError, match=r"tokenizer\.json does not load"):
        WordPiece(path)
