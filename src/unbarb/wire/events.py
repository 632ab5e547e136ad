"""Server-sent events: bytes in, whole events out, wherever the bytes were cut.

Works on bytes, so that a cut inside a character does no harm. Source:
https://html.spec.whatwg.org/multipage/server-sent-events.html#parsing-an-event-stream
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from itertools import pairwise

LIMIT = 16 * 2**20
"""Bytes that one event may take before the stream counts as broken."""

DONE = b"[DONE]"
"""The data of the event that ends an OpenAI stream."""

# A group that is not tried again: else the two halves of one CRLF would count as two line ends.
_END = re.compile(rb"(?>\r\n|\r|\n)(?>\r\n|\r|\n)")
_LINE_END = re.compile(rb"\r\n|\r|\n")


@dataclass(frozen=True, slots=True)
class Event:
    """An event as its bytes came, the blank line that ends it included; it may say nothing."""

    raw: bytes

    @property
    def data(self) -> bytes | None:
        """What it says, its lines of data joined; None if it has none."""
        lines = [value for value in map(_value, self.raw.splitlines()) if value is not None]
        return b"\n".join(lines) if lines else None

    @property
    def only_data(self) -> bool:
        """Whether it says nothing but its data."""
        return all(not line or _value(line) is not None for line in self.raw.splitlines())

    def with_data(self, new: bytes) -> bytes:
        """Its bytes with other data in the place of the first; line ends are ``\\n``."""
        lines: list[bytes] = []
        placed = False
        for line in self.raw.splitlines():
            if _value(line) is None:
                lines.append(line)
            elif not placed:
                lines += [b"data: " + part for part in _LINE_END.split(new)]
                placed = True
        return b"".join(line + b"\n" for line in lines)


class EventReader:
    """Collects bytes and gives out every event as soon as it is whole. Work is linear in the bytes fed.

    Every byte that is fed is in one event's `raw` or in `rest`: joined, they are the stream.
    """

    def __init__(self, limit: int = LIMIT) -> None:
        self._limit = limit
        self._waiting = bytearray()

    def feed(self, chunk: bytes) -> list[Event]:
        """Take the next bytes and give the events that they end, in order.

        Raises:
            ValueError: an event is longer than the limit.
        """
        seen = max(0, len(self._waiting) - 3)  # no end of an event lies wholly before
        self._waiting += chunk
        ends = [0, *(match.end() for match in _END.finditer(self._waiting, seen))]
        events = [Event(bytes(self._waiting[begin:end])) for begin, end in pairwise(ends)]
        del self._waiting[: ends[-1]]
        if max(len(self._waiting), *(len(one.raw) for one in events), 0) > self._limit:
            raise ValueError(f"an event of more than {self._limit:,} bytes")
        return events

    def rest(self) -> bytes:
        """What came after the last blank line: by the specification, no event."""
        rest = bytes(self._waiting)
        self._waiting.clear()
        return rest


def event(data: bytes) -> bytes:
    """One event as it goes over the wire; `data` is one line."""
    return b"data: " + data + b"\n\n"


def _value(line: bytes) -> bytes | None:
    # A byte order mark may stand before the first line, and what is read too much is guarded too much.
    name, _, value = line.removeprefix(b"\xef\xbb\xbf").partition(b":")
    return value.removeprefix(b" ") if name == b"data" else None
