"""Chunks wait for their text and then leave as they came, however the texts are cut and mixed."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st

from unbarb.integrations.aligned import Aligned
from unbarb.stream import Released
from unbarb.text import Edit, Verdict, apply

CLEAN = Verdict(action="allow", original="", text="", scores={}, rule="none", policy={})


class Sentences:
    """A guard that cuts after full stops, says "good" for "bad" and ends at "worst"."""

    message = "withheld"

    def __init__(self) -> None:
        self.blocked = False
        self._waiting, self._at = "", 0

    def feed(self, chunk: str) -> Sequence[Released]:
        self._waiting += chunk
        *done, self._waiting = re.split(r"(?<=\.)", self._waiting)
        return self._decided(done)

    def close(self) -> Sequence[Released]:
        rest, self._waiting = [self._waiting] if self._waiting else [], ""
        return self._decided(rest)

    def _decided(self, sentences: Sequence[str]) -> list[Released]:
        pieces = []
        for sentence in sentences:
            if self.blocked:
                break
            pieces.append(self._piece(sentence))
        return pieces

    def _piece(self, sentence: str) -> Released:
        start, self._at = self._at, self._at + len(sentence)
        if "worst" in sentence:
            self.blocked = True
            return Released(start, "", replace(CLEAN, action="block", original=sentence, text=None))
        edits = tuple(Edit(one.start(), one.end(), "good") for one in re.finditer("bad", sentence))
        text = apply(edits, sentence)
        return Released(start, text, replace(CLEAN, original=sentence, text=text, edits=edits))


Lanes = dict[str, str]
Chunk = tuple[tuple[str, str], ...]


@st.composite
def chunked(draw: st.DrawFn, words: str) -> tuple[Lanes, list[Chunk]]:
    """Texts of two lanes, and chunks that carry them mixed, each with parts of none, one or both."""
    alphabet = st.sampled_from(words.split("|"))
    texts = {name: "".join(draw(st.lists(alphabet, max_size=12))) for name in "ab"}
    rest = dict(texts)
    chunks: list[Chunk] = []
    while any(rest.values()):
        parts = []
        for name in draw(st.sets(st.sampled_from("ab"))):
            size = draw(st.integers(0, 9))
            parts.append((name, rest[name][:size]))
            rest[name] = rest[name][size:]
        chunks.append(tuple(parts))
        if len(chunks) > 60:
            chunks.append(tuple(rest.items()))
            break
    return texts, chunks


def passed(chunks: Sequence[Chunk]) -> tuple[list[tuple[Chunk, list[str]]], bool]:
    aligned: Aligned[Chunk] = Aligned(lambda name: Sentences())
    left = [ready for chunk in chunks for ready in aligned.push(chunk, chunk)]
    left += aligned.close()
    return left, aligned.blocking is not None


def joined(left: Sequence[tuple[Chunk, Sequence[str]]]) -> Lanes:
    texts = {"a": "", "b": ""}
    for chunk, new in left:
        for (name, _), text in zip(chunk, new, strict=True):
            texts[name] += text
    return texts


@given(chunked("Fine|. |🌍|bad|.| and "))
def test_every_chunk_leaves_in_its_order_with_the_guarded_text(given_: tuple[Lanes, list[Chunk]]) -> None:
    texts, chunks = given_
    left, blocked = passed(chunks)
    assert [chunk for chunk, _ in left] == chunks
    assert joined(left) == {name: text.replace("bad", "good") for name, text in texts.items()}
    assert not blocked


@given(chunked("Fine|. |🌍|.| and "))
def test_clean_chunks_leave_as_they_came(given_: tuple[Lanes, list[Chunk]]) -> None:
    _, chunks = given_
    left, _ = passed(chunks)
    assert left == [(chunk, [text for _, text in chunk]) for chunk in chunks]


@given(chunked("Fine|. |worst|bad|.| and "))
def test_nothing_of_a_blocked_sentence_or_after_it_leaves(given_: tuple[Lanes, list[Chunk]]) -> None:
    texts, chunks = given_
    left, blocked = passed(chunks)
    assert blocked == any("worst" in text for text in texts.values())
    for name, text in joined(left).items():
        safe = "".join(re.split(r"(?<=\.)", texts[name].partition("worst")[0])[:-1])
        allowed = safe if "worst" in texts[name] else texts[name]
        assert allowed.replace("bad", "good").startswith(text)


def test_a_chunk_leaves_as_soon_as_its_text_is_decided() -> None:
    aligned: Aligned[int] = Aligned(lambda name: Sentences())
    assert aligned.push(0, []) == [(0, [])]
    assert aligned.push(1, [("a", "A bad ")]) == []
    assert aligned.push(2, []) == []
    assert aligned.push(3, [("a", "day. And")]) == [(1, [""]), (2, [])]
    assert aligned.push(4, [("a", " so on.")]) == [(3, ["A good day. And"]), (4, [" so on."])]
    assert aligned.close() == []
