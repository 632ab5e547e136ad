"""Where a stream is cut: at sentence ends, each as soon as no later text can move it."""

from __future__ import annotations

from dataclasses import dataclass

from unbarb.errors import InputError
from unbarb.segment import LOOKBACK, MAX_CHARACTERS, sentence_end
from unbarb.text import Verdict

LEAST = 40
"""The lowest limit on what is held back: shorter pieces say too little to be judged."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Piece:
    """A stretch of a stream, mostly a sentence, and all that is needed to decide about it.

    `start` is the offset of `text` in the whole stream, in code points, and `id` the stream's with the
    piece's number. `before` is the end of what has left before it, `found` the verdict on the last piece
    that was changed: a text once found toxic is read strictly from there on. `only` is true when the
    piece is the whole stream. `context` is the conversation before the stream, if known.
    """

    id: str | None
    start: int
    text: str
    before: str = ""
    found: Verdict | None = None
    only: bool = False
    context: str | None = None


class Cutter:
    """Cuts a text that comes in chunks; the places depend on the text alone.

    Args:
        limit: the most characters held back, from `LEAST` to `MAX_CHARACTERS`.

    Raises:
        InputError: `limit` is none of these.
    """

    def __init__(self, limit: int = MAX_CHARACTERS) -> None:
        if not LEAST <= limit <= MAX_CHARACTERS:
            raise InputError(f"limit is {limit}; it must be from {LEAST} to {MAX_CHARACTERS} characters")
        self._limit = limit
        self._text = ""
        self._at = 0

    @property
    def held(self) -> int:
        """Characters not yet cut off."""
        return len(self._text) - self._at

    def push(self, chunk: str) -> None:
        """Take more text in."""
        past = max(0, self._at - LOOKBACK)
        self._text = self._text[past:] + chunk
        self._at -= past

    def next(self, *, last: bool) -> str | None:
        """The next piece, if it is certain; it stays the next one until :meth:`drop` is called."""
        if not self.held:
            return None
        end = sentence_end(self._text, self._at, last=last, most=self._limit)
        return None if end is None else self._text[self._at : end]

    def drop(self, piece: str) -> None:
        """The piece was decided: go on behind it."""
        self._at += len(piece)

    def clear(self) -> None:
        """Forget what is held."""
        self._at = len(self._text)
