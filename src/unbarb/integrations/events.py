"""Server-sent events as they stand in bytes: cut into frames, and frames with other data.

Source: https://html.spec.whatwg.org/multipage/server-sent-events.html#parsing-an-event-stream
"""

from __future__ import annotations

import re

# A group that is not tried again: else the two halves of one CRLF would count as two line ends.
_END = re.compile(rb"(?>\r\n|\r|\n)(?>\r\n|\r|\n)")
_LINE = re.compile(r"\r\n|\r|\n")


class Frames:
    """Collects bytes and gives out every frame, blank line included, as soon as it is whole."""

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._waiting = b""

    def feed(self, chunk: bytes) -> list[bytes]:
        """Take the next bytes.

        Raises:
            ValueError: a frame is longer than the limit.
        """
        seen = max(0, len(self._waiting) - 3)  # no end of a frame lies wholly before
        self._waiting += chunk
        frames = []
        while match := _END.search(self._waiting, seen):
            frames.append(self._waiting[: match.end()])
            self._waiting, seen = self._waiting[match.end() :], 0
        if len(self._waiting) > self._limit:
            raise ValueError(f"an event of more than {self._limit:,} bytes")
        return frames

    def rest(self) -> bytes:
        """What came after the last blank line."""
        rest, self._waiting = self._waiting, b""
        return rest


def data(frame: bytes) -> str | None:
    """The data of a frame; None if it has none.

    Raises:
        UnicodeDecodeError: it is not UTF-8.
    """
    lines = [value for value in map(_value, _LINE.split(frame.decode())) if value is not None]
    return "\n".join(lines) if lines else None


def with_data(frame: bytes, new: str) -> bytes:
    """The same frame with other data."""
    lines = []
    placed = False
    for line in _LINE.split(frame.decode()):
        if _value(line) is None:
            lines.append(line)
        elif not placed:
            lines += [f"data: {part}" for part in _LINE.split(new)]
            placed = True
    return "\n".join(lines).encode()


def only_data(frame: bytes) -> bool:
    """Whether a frame says nothing but its data."""
    return all(not line or _value(line) is not None for line in _LINE.split(frame.decode()))


def _value(line: str) -> str | None:
    name, _, value = line.removeprefix("\ufeff").partition(":")
    return value.removeprefix(" ") if name == "data" else None
