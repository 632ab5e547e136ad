"""Where a stream is cut: at sentence ends, as soon as no later text can move them."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Piece:
    """What is judged at once: a stretch of the stream and the text that stands before it.

    `start` is the offset of `text` in the whole stream, in code points; `context` is the end of what has
    left before it; `id` is the stream's with the piece's number.
    """

    id: str | None
    start: int
    text: str
    context: str | None = None
