"""The stream without input or output: text in, pieces to judge out, verdicts in, safe text out."""

from __future__ import annotations

from collections.abc import Generator, Sequence
from dataclasses import dataclass

from unbarb.segment import MAX_CHARACTERS, sentences
from unbarb.stream.pieces import Piece
from unbarb.text import Verdict

Asking = Generator[tuple[Piece, ...], Sequence[Verdict], str]
"""Yields pieces to judge, is sent their verdicts in order, returns the text that may leave."""


@dataclass(frozen=True, slots=True)
class Released:
    """One piece that was decided: where it began in the whole stream, what left, and the verdict.

    Offsets in `verdict` are relative to the piece, ``verdict.original``; `text` is "" when it was blocked.
    """

    start: int
    text: str
    verdict: Verdict


@dataclass(slots=True)
class Counts:
    """What happened on a stream so far: characters that came, that left, and pieces decided."""

    received: int = 0
    released: int = 0
    pieces: int = 0


class Flow:
    """One stream's state; `limit` is the most characters held back."""

    def __init__(self, id: str | None = None, limit: int = MAX_CHARACTERS) -> None:
        self.released: list[Released] = []
        self.counts = Counts()
        self.blocked = False
        self._id = id
        self._limit = limit
        self._held = ""
        self._ready: list[str] = []

    def feed(self, chunk: str) -> Asking:
        """Take `chunk` in; the text that may leave now."""
        if not self.blocked:
            self._held += chunk
            self.counts.received += len(chunk)
        return (yield from self._drain(final=False))

    def close(self) -> Asking:
        """The rest."""
        return (yield from self._drain(final=True))

    def _drain(self, final: bool) -> Asking:
        while self._held and not self.blocked:
            spans = sentences(self._held)
            if len(spans) < 2 and not final:
                break
            text = spans[0].of(self._held)
            number, start = len(self.released), self.counts.received - len(self._held)
            name = None if self._id is None else f"{self._id}.{number}"
            (verdict,) = yield (Piece(id=name, start=start, text=text),)
            self._take(start, verdict)
        left = "".join(self._ready)
        self._ready.clear()
        return left

    def _take(self, start: int, verdict: Verdict) -> None:
        text = verdict.text or ""
        self.released.append(Released(start, text, verdict))
        self._ready.append(text)
        self.counts.pieces += 1
        self.counts.released += len(text)
        self._held = self._held[len(verdict.original) :]
        if verdict.text is None:
            self.blocked, self._held = True, ""
