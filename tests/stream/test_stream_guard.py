"""What leaves a stream, with the embedded model: the same promise as for a whole text."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Iterable, Sequence

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from unbarb import Guard
from unbarb.errors import ConfigError, InputError
from unbarb.language import language
from unbarb.stream import AsyncStreamGuard, Piece, Released, StreamGuard, judge
from unbarb.stream.judge import NEAR, TOGETHER
from unbarb.text import Verdict, apply

CODE = '```python\ndef kill(process):\n    """Stop it. Now."""\n    return process.kill()  # e.g. 9\n```\n'
TABLE = "| name | n. |\n|------|---:|\n| Ada  | 1. |\n| Bob  | 2. |\n\n"
LIST = '1. First item.\n2. Second item:\n   - nested, with `code.py`\n   - and "quotes."\n\n'
JSON = '{"a": [1, 2.5, null], "b": "x. y", "c": {"d": "He said: \\"no.\\" Then he left."}}\n'
CLEAN = (
    CODE, TABLE, LIST, JSON,
    "Thank you for the quick answer. ",
    "Dr. Smith paid $3.50 for it, i.e. too much... ",
    "Das ist mir egal, sagte er. Wir sehen uns morgen. ",
    "今天天气很好。我们去公园吧！",
    "Как дела? Всё хорошо. ",
    "The family 👩‍👩‍👧 came by 🚂 — n\u0303o\u0308! ",
    "See https://example.org/a.b?c=d. It is long\u2026 ",
    "\r\n\r\n", "   ", "---\n",
)  # fmt: skip
TOXIC = {
    "You are a stupid idiot. ": ("stupid", "idiot"),
    "Shut up, you moron!\n": ("moron",),
    "what an 1d!0t you are. ": ("1d!0t",),
    "You are such an i d i o t. ": ("i d i o t",),
    "He is a damn fool and a pathetic loser. ": ("pathetic loser",),
    "you are an\nidiot. ": ("idiot",),
}
PARTS = st.lists(st.sampled_from([*CLEAN, *TOXIC]), max_size=6).map("".join)


@pytest.fixture(scope="module")
def guard() -> Guard:
    return Guard(threads=1)


def through(guard: Guard, chunks: Iterable[str]) -> tuple[str, StreamGuard]:
    stream = StreamGuard(guard, id="s")
    return "".join([*map(stream.feed, chunks), stream.close()]), stream


def cut(data: st.DataObject, text: str) -> list[str]:
    """`text` in chunks of any sizes, empty ones too."""
    places = sorted(data.draw(st.lists(st.integers(0, len(text)), max_size=10)))
    return [text[a:b] for a, b in zip([0, *places], [*places, len(text)], strict=True)]


@settings(max_examples=40)
@given(PARTS | st.text(max_size=200), st.data())
def test_any_chunks_of_a_text_give_the_same_text_and_verdicts(
    guard: Guard, text: str, data: st.DataObject
) -> None:
    out, stream = through(guard, [text])
    for chunks in (cut(data, text), text):
        again, other = through(guard, chunks)
        assert again == out
        assert [one.start for one in other.released] == [one.start for one in stream.released]
        assert other.verdicts == stream.verdicts


@settings(max_examples=15)
@given(PARTS, PARTS)
def test_what_has_left_does_not_depend_on_what_comes(guard: Guard, text: str, more: str) -> None:
    left = StreamGuard(guard).feed(text)
    assert through(guard, [text, more])[0].startswith(left)
    assert through(guard, [text])[0].startswith(left)


@settings(max_examples=25)
@given(PARTS)
def test_nothing_toxic_leaves(guard: Guard, text: str) -> None:
    out, stream = through(guard, [text])
    whole = guard(text).text or ""
    said = [word for words in TOXIC.values() for word in words]
    if any(
        one.verdict.language not in ("en", "und") and any(word in one.text for word in said)
        for one in stream.released
    ):
        return  # what runs together with a language that is not covered is flagged for that language
    assert not [word for word in said if word in out and word not in whole]
    left = ""
    for one in stream.released:  # with all that has left, or at least with the dozen words right before
        near = "".join(re.findall(r"\S+\s*", left)[-NEAR:])
        actions = {guard.check(before + one.text).action for before in (left, near)}
        assert actions & {"allow", "flag"}, one
        left += one.text


@settings(max_examples=25)
@given(st.lists(st.sampled_from([*CLEAN, *TOXIC]), max_size=5))
def test_the_whole_is_what_the_guard_makes_of_the_whole_text(guard: Guard, parts: list[str]) -> None:
    text = "".join(parts)
    out, stream = through(guard, [text])
    whole = guard(text)
    if out == whole.text:
        return
    for one in stream.released:
        so_far = guard(text[: one.start + len(one.verdict.original)])
        mine = {(edit.start + one.start, edit.end + one.start) for edit in one.verdict.edits}
        if mine in (within(whole, one), within(so_far, one)):
            continue  # the guard says so too, or said so until later text came
        if mine:  # a piece is changed only for what it says itself, or with what can be changed no more
            toxic = guard.check(one.verdict.original).action not in ("allow", "flag")
            assert toxic or TOGETHER in one.verdict.warnings, one
        else:  # and left where the guard would change it only if it is in a language that is not covered
            assert language(one.verdict.original) not in ("en", "und"), one


def within(verdict: Verdict, piece: Released) -> set[tuple[int, int]]:
    """Where in the whole text a verdict changes what came as this piece."""
    end = piece.start + len(piece.verdict.original)
    return {(edit.start, edit.end) for edit in verdict.edits if piece.start <= edit.start < end}


@settings(max_examples=20)
@given(st.lists(st.sampled_from(CLEAN), max_size=8).map("".join), st.data())
def test_clean_text_leaves_byte_for_byte(guard: Guard, text: str, data: st.DataObject) -> None:
    out, stream = through(guard, cut(data, text))
    assert out == text
    assert stream.counts.changed == 0


@settings(max_examples=20)
@given(PARTS)
def test_every_piece_has_a_verdict_with_its_place_in_the_stream(guard: Guard, text: str) -> None:
    out, stream = through(guard, [text])
    at = 0
    for number, one in enumerate(stream.released):
        verdict = one.verdict
        assert (one.start, verdict.id) == (at, f"s.{number}")
        assert text.startswith(verdict.original, at)
        assert one.text == verdict.text == apply(verdict.edits, verdict.original)
        assert all(0 <= found.start < found.end <= len(verdict.original) for found in verdict.findings)
        at += len(verdict.original)
    assert at == len(text) == stream.counts.received
    assert stream.counts.left == len(out)
    assert stream.counts.pieces == len(stream.verdicts)


def test_a_piece_leaves_as_soon_as_its_end_is_certain(guard: Guard) -> None:
    stream = StreamGuard(guard)
    assert stream.feed("Thank you.") == ""
    assert stream.feed(" ") == ""
    assert stream.feed("I") == "Thank you. "
    assert stream.counts.held == 1
    assert stream.close() == "I"
    assert stream.counts.most_held == len("Thank you. ")


@pytest.mark.parametrize(
    ("text", "withheld"),
    [
        ("you are an\nidiot", "idiot"),
        ("I will. Kill. You.", "You"),
        ("you should go and kill\nyourself tonight", "yourself"),
        ("What a stupid. Pathetic. Moron.", "Moron"),
    ],
)
def test_what_is_toxic_only_over_a_sentence_end_does_not_leave_whole(
    guard: Guard, text: str, withheld: str
) -> None:
    assert guard.check(text).action not in ("allow", "flag")
    for chunks in ([text], text):
        out, _ = through(guard, chunks)
        assert withheld not in out
        assert guard.check(out).action in ("allow", "flag")


def test_a_text_found_toxic_is_read_strictly_from_there_on(guard: Guard) -> None:
    """As in a whole text, where every sentence must then be under its ceilings."""
    filler = "The committee met on Tuesday and spoke about the new bridge over the river. " * 7
    mild = "That plan was crap. "
    toxic = "You are a stupid idiot. "
    assert through(guard, [filler + mild])[0] == guard(filler + mild).text == filler + mild
    out, _ = through(guard, [toxic + filler + mild])
    assert "crap" not in out
    assert out == guard(toxic + filler + mild).text


def test_a_harmless_sentence_in_another_language_stays_as_it_is_however_strictly_read(guard: Guard) -> None:
    """The encoder, which learnt English alone, must not find words to take out of it."""
    english = "Only a brain-dead fool would write such garbage. " + "The castle is open to visitors. " * 5
    spanish = "Mañana llegamos muy tarde a la estación, así que no nos esperes.\n"
    out, _ = through(guard, [english + spanish])
    assert out == guard(english + spanish).text != english + spanish
    assert out.endswith(spanish)


def test_a_guard_that_only_checks_is_refused() -> None:
    with pytest.raises(ConfigError, match="only checks"):
        StreamGuard(Guard(rewriter=None))


def test_a_closed_stream_takes_no_more_text(guard: Guard) -> None:
    stream = StreamGuard(guard)
    assert stream.feed("Hello.") + stream.close() == "Hello."
    assert stream.close() == ""
    with pytest.raises(InputError, match="closed"):
        stream.feed("More.")


def test_a_chunk_must_be_text(guard: Guard) -> None:
    with pytest.raises(InputError, match="a chunk must be a str, not bytes"):
        StreamGuard(guard).feed(b"Hello.")  # type: ignore[arg-type]


@pytest.mark.parametrize("text", ["", "You are a stupid idiot. Thank you. ", TABLE + "Shut up, you moron!"])
def test_the_other_face_gives_the_same(guard: Guard, text: str) -> None:
    async def judged(pieces: Sequence[Piece]) -> Sequence[Verdict]:
        return judge(guard, pieces)

    async def run() -> tuple[str, AsyncStreamGuard]:
        stream = AsyncStreamGuard(judged, id="s")
        return "".join([await stream.feed(one) for one in text]) + await stream.close(), stream

    out, stream = asyncio.run(run())
    expected, other = through(guard, [text])
    assert out == expected
    assert stream.verdicts == other.verdicts


def test_pieces_of_many_streams_can_be_judged_at_once(guard: Guard) -> None:
    texts = ["You are an idiot. ", "Thank you. ", "你好。", "Shut up, moron. "]
    pieces = [Piece(id=str(at), start=0, text=text) for at, text in enumerate(texts)]
    assert judge(guard, pieces) == [judge(guard, [piece])[0] for piece in pieces]
