"""Events come out whole, wherever the bytes were cut."""

from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from unbarb.wire.events import Event, EventReader, event

STREAM = (
    '\ufeffdata: {"text": "schön 🌍"}\r\n\r\n'
    ": a comment\n\ndata:no space\nid: 7\n\n"
    "event: note\rdata: one\rdata: two\r\r"
    "data\n\nretry: 5\n\ndata: [DONE]\n\n"
).encode()
EXPECTED = ['{"text": "schön 🌍"}'.encode(), b"no space", b"one\ntwo", b"", b"[DONE]"]


def read(parts: list[bytes]) -> list[bytes]:
    reader = EventReader()
    return [one.data for part in parts for one in reader.feed(part) if one.data is not None]


def test_every_place_to_cut_gives_the_same_events() -> None:
    assert read([STREAM]) == EXPECTED
    for at in range(len(STREAM) + 1):
        assert read([STREAM[:at], STREAM[at:]]) == EXPECTED, at


def test_bytes_one_by_one_give_the_same_events() -> None:
    assert read([STREAM[at : at + 1] for at in range(len(STREAM))]) == EXPECTED


@given(st.lists(st.integers(0, len(STREAM)), max_size=12))
def test_several_cuts_give_the_same_events(places: list[int]) -> None:
    cuts = [0, *sorted(places), len(STREAM)]
    assert read([STREAM[a:b] for a, b in pairwise(cuts)]) == EXPECTED


@given(st.lists(st.text(st.characters(exclude_characters="\r\n", exclude_categories=["Cs"]), min_size=1)))
def test_what_is_written_is_read_again(texts: list[str]) -> None:
    assert read([event(text.encode()) for text in texts]) == [text.encode() for text in texts]


def test_an_event_without_its_blank_line_is_none_yet() -> None:
    reader = EventReader()
    assert reader.feed(b"data: half") == []
    assert reader.feed(b"\n") == []
    assert [one.data for one in reader.feed(b"\n")] == [b"half"]


def test_an_event_that_does_not_end_is_refused() -> None:
    reader = EventReader(limit=100)
    assert reader.feed(b"x" * 60) == []
    with pytest.raises(ValueError, match="more than 100 bytes"):
        reader.feed(b"x" * 60)


def test_the_limit_is_of_one_event_and_not_of_the_stream() -> None:
    reader = EventReader(limit=100)
    assert sum(len(reader.feed(event(b"x" * 80))) for _ in range(50)) == 50


@given(st.lists(st.integers(0, len(STREAM) + 4), max_size=12))
def test_no_byte_is_lost(places: list[int]) -> None:
    stream = STREAM + b"left"
    reader, cuts = EventReader(), [0, *sorted(places), len(stream)]
    came = [one.raw for a, b in pairwise(cuts) for one in reader.feed(stream[a:b])]
    assert b"".join([*came, reader.rest()]) == stream
    assert reader.rest() == b""


@pytest.mark.parametrize(
    ("raw", "new", "written"),
    [
        (b"data: a\n\n", b"b", b"data: b\n\n"),
        (b": note\r\nid: 7\r\ndata: a\r\ndata: c\r\n\r\n", b"b", b": note\nid: 7\ndata: b\n\n"),
        (b"data: a\n\n", b"one\ntwo\n", b"data: one\ndata: two\ndata: \n\n"),
        (b"id: 7\n\n", b"b", b"id: 7\n\n"),
    ],
)
def test_other_data_stands_where_the_first_stood(raw: bytes, new: bytes, written: bytes) -> None:
    assert Event(raw).with_data(new) == written


def test_what_an_event_says_beside_its_data() -> None:
    assert Event(b"data: a\ndata\n\n").only_data
    assert not Event(b": a comment\ndata: a\n\n").only_data
    assert not Event(b"id: 7\n\n").only_data
