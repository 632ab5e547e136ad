"""Where a stream is cut: the same places however the text comes, and none before it is certain."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable, Iterator

import pytest
from hypothesis import given
from hypothesis import strategies as st

from unbarb.errors import InputError
from unbarb.segment import MAX_CHARACTERS, MAX_WORDS, sentences
from unbarb.stream.pieces import LEAST, Cutter

TEXTS = st.text(alphabet=st.sampled_from("aB1 .!?\n\t,;:'\")-…。é\u0301\u200d\U0001f600I")) | st.text()


def cut(chunks: Iterable[str], limit: int = MAX_CHARACTERS) -> Iterator[str]:
    """The pieces of a text that comes in these chunks."""
    cutter = Cutter(limit)
    for chunk in chunks:
        cutter.push(chunk)
        while piece := cutter.next(last=False):
            yield piece
            cutter.drop(piece)
        assert cutter.held <= limit
    while piece := cutter.next(last=True):
        yield piece
        cutter.drop(piece)


@given(TEXTS, st.data())
def test_pieces_depend_on_the_text_alone(text: str, data: st.DataObject) -> None:
    places = sorted(data.draw(st.lists(st.integers(0, len(text)), max_size=8)))
    chunks = [text[a:b] for a, b in zip([0, *places], [*places, len(text)], strict=True)]
    whole = list(cut([text]))
    assert "".join(whole) == text
    assert list(cut(chunks)) == whole
    assert list(cut(text)) == whole


@given(
    st.lists(
        st.sampled_from(["word", "Dr.", "no.", "1.", "I.", "end.", "what?!", "a,", "(b)", "\n", "“c.”"])
    )
)
def test_pieces_are_the_sentences_of_the_whole_text(words: list[str]) -> None:
    text = " ".join(words)
    pieces = list(cut(text))
    expected = [span.of(text) for span in sentences(text)]
    if len(pieces) > len(expected):  # quiet text at the very end, which counts to the sentence before
        assert not any(map(str.isalnum, pieces[-1]))
        pieces[-2:] = ["".join(pieces[-2:])]
    assert pieces == expected


@given(st.text(alphabet="ab ,\n.", min_size=300, max_size=2000) | st.text("x", min_size=900, max_size=2000),
       st.sampled_from([LEAST, 99, MAX_CHARACTERS]))  # fmt: skip
def test_no_piece_is_longer_than_the_limit(text: str, limit: int) -> None:
    pieces = list(cut(text, limit))
    assert "".join(pieces) == text
    assert all(len(piece) <= limit and len(piece.split()) <= MAX_WORDS for piece in pieces)


@pytest.mark.parametrize(
    ("held", "then", "piece"),
    [
        ("It is done. ", "N", "It is done. "),
        ("It is done.", "\n\n", None),
        ("It is done.\n\n", "N", "It is done.\n\n"),
        ("So did Mr. ", "N", None),
        ("It is at a.b", "c", None),
        ("He said “yes.", "” ", None),
        ("He said “yes.” ", "T", "He said “yes.” "),
        ("It was no. ", "5", None),
        ("Well… ", "y", "Well… "),
        ("He came. ", "and", None),
        ("是。", "你", "是。"),
        ("Is it? ", "y", "Is it? "),
    ],
)
def test_a_piece_is_certain_as_soon_as_what_follows_is_seen(
    held: str, then: str, piece: str | None
) -> None:
    cutter = Cutter()
    cutter.push(held)
    assert cutter.next(last=False) is None
    cutter.push(then)
    assert cutter.next(last=False) == piece


def test_a_long_sentence_is_cut_between_words_and_at_a_clause_if_there_is_one() -> None:
    words = "alpha beta gamma delta " * 40
    assert all(piece.endswith(" ") for piece in cut(words))
    clause = "alpha beta gamma delta " * 9 + "so, " + "alpha beta gamma delta " * 20
    assert next(cut(clause)).endswith("so, ")
    link = "see it at " + "https://example.org/" + "path/" * 200
    assert next(cut(link)) == "see it at "


@pytest.mark.parametrize("unit", ["e\u0301", "👩\u200d👩\u200d👧", "👍🏽", "क\u094d\u0937"])
def test_a_word_without_an_end_is_never_cut_inside_a_letter(unit: str) -> None:
    pieces = list(cut(unit * 1_000))
    assert len(pieces) > 1
    for piece in pieces[1:]:
        assert not unicodedata.combining(piece[0])
        assert piece[0] not in "\u200d\U0001f3fd"


@pytest.mark.parametrize("limit", [0, LEAST - 1, MAX_CHARACTERS + 1])
def test_a_limit_out_of_range_is_refused(limit: int) -> None:
    with pytest.raises(InputError, match=f"limit is {limit}; it must be from {LEAST} to {MAX_CHARACTERS}"):
        Cutter(limit)
