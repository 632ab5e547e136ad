"""The stream without input or output: chunks in, pieces to judge out, verdicts in, safe text out."""

from __future__ import annotations

from collections import deque
from collections.abc import Generator, Sequence
from dataclasses import dataclass

from unbarb.errors import InputError
from unbarb.segment import MAX_CHARACTERS
from unbarb.stream.judge import CHANGES, TOGETHER
from unbarb.stream.pieces import Cutter, Piece
from unbarb.text import Verdict

WORDS = 48
"""A piece is read with so many words before it; the detectors' doubt has stopped growing by then."""

CHARACTERS = 3 * MAX_CHARACTERS
"""And with no more characters than this."""

Asking = Generator[tuple[Piece, ...], Sequence[Verdict], str]
"""Yields pieces to judge, is sent their verdicts in order, returns the text that may leave."""


@dataclass(frozen=True, slots=True)
class Released:
    """One piece that was decided: where it began in the whole stream, what left, and the verdict.

    Offsets in `verdict` are relative to the piece, ``verdict.original``; `text` is "" when it was withheld.
    """

    start: int
    text: str
    verdict: Verdict


@dataclass(slots=True)
class Counts:
    """What happened on a stream so far.

    `received` and `left` are characters in and out, `held` those held back now and `most_held` at any time
    after a call. `pieces` are those decided, `changed` those of them that left otherwise than they came,
    `together` those of them that were toxic only with what had left before: in the whole text the guard
    may have changed that instead.
    """

    received: int = 0
    left: int = 0
    held: int = 0
    most_held: int = 0
    pieces: int = 0
    changed: int = 0
    together: int = 0


class Flow:
    """One stream's state, in which a failure while a piece is judged loses and releases nothing."""

    def __init__(
        self, id: str | None = None, limit: int = MAX_CHARACTERS, context: str | None = None
    ) -> None:
        self.released: list[Released] = []
        self.counts = Counts()
        self.blocked = False
        self._id = id
        self._context = context
        self._cutter = Cutter(limit)
        self._before: deque[str] = deque()
        self._found: Verdict | None = None
        self._ready: list[str] = []
        self._closed = False

    def feed(self, chunk: str) -> Asking:
        """Take `chunk` in; the text that may leave now.

        Raises:
            InputError: it is no string, or the stream was closed.
        """
        if not isinstance(chunk, str):
            raise InputError(f"a chunk must be a str, not {type(chunk).__name__}")
        if self._closed:
            raise InputError("the stream was closed; make a new one for another text")
        if not self.blocked:
            self.counts.received += len(chunk)
            self._cutter.push(chunk)
        return (yield from self._drain(last=False))

    def close(self) -> Asking:
        """No more text comes; the rest of what may leave."""
        self._closed = True
        return (yield from self._drain(last=True))

    def _drain(self, last: bool) -> Asking:
        while text := self._cutter.next(last=last):
            piece = self._piece(text, last)
            (verdict,) = yield (piece,)
            self._take(piece, verdict)
        self.counts.held = self._cutter.held
        self.counts.most_held = max(self.counts.held, self.counts.most_held)
        left = "".join(self._ready)
        self._ready.clear()
        return left

    def _piece(self, text: str, last: bool) -> Piece:
        start = self.counts.received - self._cutter.held
        return Piece(
            id=None if self._id is None else f"{self._id}.{self.counts.pieces}",
            start=start,
            text=text,
            before="".join(self._before),
            found=self._found,
            only=last and start == 0 and len(text) == self._cutter.held,
            context=self._context,
        )

    def _take(self, piece: Piece, verdict: Verdict) -> None:
        text = verdict.text or ""
        self.released.append(Released(piece.start, text, verdict))
        self._ready.append(text)
        self._cutter.drop(piece.text)
        self.counts.pieces += 1
        self.counts.left += len(text)
        self.counts.changed += text != piece.text
        self.counts.together += TOGETHER in verdict.warnings
        if verdict.text is None:
            self.blocked = True
            self._cutter.clear()
        if verdict.action in CHANGES:
            self._found = verdict
        self._remember(text)

    def _remember(self, text: str) -> None:
        """Keep what has left as far back as it counts."""
        self._before.append(text)
        words, characters = 0, 0
        for back, one in enumerate(reversed(self._before), 1):
            words += len(one.split())
            characters += len(one)
            if words >= WORDS or characters >= CHARACTERS:
                while len(self._before) > back:
                    self._before.popleft()
                return
