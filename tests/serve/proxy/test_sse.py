"""Events come out whole, wherever the bytes were cut."""

from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from unbarb.serve.proxy.sse import EventReader, event

STREAM = (
    '\ufeffdata: {"text": "schön 🌍"}\r\n\r\n'
    ": a comment\n\ndata:no space\nid: 7\n\n"
    "event: note\rdata: one\rdata: two\r\r"
    "data\n\nretry: 5\n\ndata: [DONE]\n\n"
).encode()
EXPECTED = ['{"text": "schön 🌍"}'.encode(), b"no space", b"one\ntwo", b"", b"[DONE]"]


def read(parts: list[bytes]) -> list[bytes]:
    reader = EventReader()
    return [data for part in parts for data in reader.feed(part)]


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
    assert reader.feed(b"\n") == [b"half"]


def test_an_event_that_does_not_end_is_refused() -> None:
    reader = EventReader(limit=100)
    assert reader.feed(b"x" * 60) == []
    with pytest.raises(ValueError, match="more than 100 bytes"):
        reader.feed(b"x" * 60)


def test_the_limit_is_of_one_event_and_not_of_the_stream() -> None:
    reader = EventReader(limit=100)
    assert sum(len(reader.feed(event(b"x" * 80))) for _ in range(50)) == 50
