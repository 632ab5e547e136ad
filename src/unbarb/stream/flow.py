"""The stream without input or output: chunks in, pieces to judge out, verdicts in, safe text out."""

from __future__ import annotations

from collections import deque
from collections.abc import Generator, Sequence
from dataclasses import dataclass

from unbarb.segment import MAX_CHARACTERS
from unbarb.stream.judge import CHANGES, LATE
from unbarb.stream.pieces import Cutter, Piece
from unbarb.text import Verdict

WORDS = 72
"""A piece is read with so many words before it; from there on the detectors' doubt grows no more."""

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

    `received` and `left` are characters in and out, `pieces` those decided, `changed` those of them that
    left otherwise than they came, `held` the most characters that were ever held back after a call, `late`
    the pieces at which the guard would have changed what had already left.
    """

    received: int = 0
    left: int = 0
    pieces: int = 0
    changed: int = 0
    held: int = 0
    late: int = 0


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

    def feed(self, chunk: str) -> Asking:
        """Take `chunk` in; the text that may leave now."""
        if not self.blocked:
            self.counts.received += len(chunk)
            self._cutter.push(chunk)
        return (yield from self._drain(last=False))

    def close(self) -> Asking:
        """No more text comes; the rest of what may leave."""
        return (yield from self._drain(last=True))

    def _drain(self, last: bool) -> Asking:
        while text := self._cutter.next(last=last):
            (verdict,) = yield (self._piece(text, last),)
            self._take(verdict)
        self.counts.held = max(self.counts.held, self._cutter.held)
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

    def _take(self, verdict: Verdict) -> None:
        start, text = self.counts.received - self._cutter.held, verdict.text or ""
        self.released.append(Released(start, text, verdict))
        self._ready.append(text)
        self._cutter.drop(verdict.original)
        self.counts.pieces += 1
        self.counts.left += len(text)
        self.counts.changed += text != verdict.original
        self.counts.late += LATE in verdict.warnings
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
