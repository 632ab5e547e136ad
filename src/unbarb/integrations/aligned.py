"""Chunks that carry parts of texts, and leave as they came: each when all of its text has been decided.

A guard of streams cuts where sentences end, and a framework's chunks end anywhere. Here a chunk waits, with
all that it carries, until every character in it has been checked; where nothing had to be changed it leaves
untouched, and where something had, the new words go with the last chunk that the old ones were in.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Generic, Protocol, TypeVar

from unbarb.stream import Released

T = TypeVar("T")


class Stream(Protocol):
    """What is used of a guard of streams; see `unbarb.integrations.recorded.RecordedStream`."""

    @property
    def blocked(self) -> bool: ...
    @property
    def message(self) -> str: ...
    def feed(self, chunk: str) -> Sequence[Released]: ...
    def close(self) -> Sequence[Released]: ...


class Lane:
    """One text on its way through its guard."""

    def __init__(self, stream: Stream) -> None:
        self.stream = stream
        self.decided = 0
        self._received = 0
        self._pieces: deque[Released] = deque()

    def take(self, text: str) -> tuple[int, int]:
        """Feed the guard; where in the whole text this part stands, `[start, end)`."""
        start, self._received = self._received, self._received + len(text)
        self._collect(self.stream.feed(text))
        return start, self._received

    def close(self) -> None:
        self._collect(self.stream.close())

    def _collect(self, pieces: Sequence[Released]) -> None:
        for piece in pieces:
            if piece.verdict.text is not None:  # what is blocked is never decided
                self._pieces.append(piece)
                self.decided = piece.start + len(piece.verdict.original)

    def between(self, start: int, end: int) -> str:
        """What leaves in place of `[start, end)`; parts are asked for in their order."""
        parts = []
        while self._pieces:
            piece = self._pieces[0]
            stop = piece.start + len(piece.verdict.original)
            if piece.start >= end:
                break
            if piece.text == piece.verdict.original:
                parts.append(piece.text[max(start - piece.start, 0) : end - piece.start])
            elif start < stop <= end:
                parts.append(piece.text)
            if stop > end:
                break  # the next part wants it too
            self._pieces.popleft()
        return "".join(parts)


@dataclass(frozen=True, slots=True)
class Waiting(Generic[T]):
    """A chunk and where its parts stand in their texts."""

    chunk: T
    parts: tuple[tuple[Lane, int, int], ...]

    def texts(self) -> list[str]:
        return [lane.between(start, end) for lane, start, end in self.parts]

    @property
    def decided(self) -> bool:
        return all(lane.decided >= end for lane, _, end in self.parts)


class Aligned(Generic[T]):
    """Chunks in, and out again in their order with the text that may leave.

    Args:
        guard: makes the guard of a text, given its name, such as ``choices[0].content``.
    """

    def __init__(self, guard: Callable[[str], Stream]) -> None:
        self._guard = guard
        self._lanes: dict[str, Lane] = {}
        self._queue: deque[Waiting[T]] = deque()

    @property
    def blocking(self) -> Stream | None:
        """The guard that ended everything, if one did."""
        return next((lane.stream for lane in self._lanes.values() if lane.stream.blocked), None)

    def push(self, chunk: T, parts: Sequence[tuple[str, str]]) -> list[tuple[T, list[str]]]:
        """Take a chunk and its `parts`, each the name of a text and what the chunk adds to it.

        Gives the chunks that may leave now, with their parts' new texts. After a block nothing leaves.
        """
        if self.blocking:
            return []
        taken = []
        for name, text in parts:
            if name not in self._lanes:
                self._lanes[name] = Lane(self._guard(name))
            lane = self._lanes[name]
            taken.append((lane, *lane.take(text)))
        self._queue.append(Waiting(chunk, tuple(taken)))
        return self._ready()

    def close(self) -> list[tuple[T, list[str]]]:
        """No more chunks come; the rest."""
        if self.blocking:
            return []
        for lane in self._lanes.values():
            lane.close()
        return self._ready()

    def _ready(self) -> list[tuple[T, list[str]]]:
        ready = []
        while self._queue and self._queue[0].decided:
            waiting = self._queue.popleft()
            ready.append((waiting.chunk, waiting.texts()))
        if self.blocking and self._queue:
            # Of the chunk in which the block begins, what stands before it may leave.
            cut = self._queue.popleft()
            texts = cut.texts()
            if any(texts):
                ready.append((cut.chunk, texts))
            self._queue.clear()
        return ready
