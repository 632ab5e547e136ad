"""Server-sent events: bytes in, whole events out, wherever the bytes were cut.

Works on bytes, so that a cut inside a character does no harm. Source:
https://html.spec.whatwg.org/multipage/server-sent-events.html#parsing-an-event-stream
"""

from __future__ import annotations

import re

LIMIT = 16 * 2**20
"""Bytes that one event may take before the stream counts as broken."""

DONE = b"[DONE]"
"""The data of the event that ends an OpenAI stream."""

_LINE_END = re.compile(rb"\r\n|\n|\r")


class EventReader:
    """Collects bytes and gives out the data of every event that they complete.

    The fields ``event``, ``id`` and ``retry`` and comments say nothing in the OpenAI dialect and are
    passed over. Bytes after the last blank line are no event, as the specification has it. Work is linear
    in the bytes fed.
    """

    def __init__(self, limit: int = LIMIT) -> None:
        self._limit = limit
        self._line: list[bytes] = []  # the parts of the line that is still open
        self._data: list[bytes] = []  # the data lines of the event that is still open
        self._size = 0
        self._after_return = False
        self._fresh = True

    def feed(self, chunk: bytes) -> list[bytes]:
        """Take the next bytes and give the data of the events that they end, in order.

        Raises:
            ValueError: an event is longer than the limit.
        """
        if not chunk:
            return []
        halved = self._after_return and chunk.startswith(b"\n")
        self._after_return = chunk.endswith(b"\r")
        if halved:
            chunk = chunk[1:]  # the second half of a line end that was cut in two
        *ended, rest = _LINE_END.split(chunk)
        events: list[bytes] = []
        for part in ended:
            self._take(part)
            line = b"".join(self._line)
            self._line.clear()
            if line:
                self._field(line)
            else:
                if self._data:
                    events.append(b"\n".join(self._data))
                self._data.clear()
                self._size = 0
        self._take(rest)
        return events

    def _take(self, part: bytes) -> None:
        if part:
            self._line.append(part)
            self._size += len(part)
            if self._size > self._limit:
                raise ValueError(f"an event of more than {self._limit:,} bytes")

    def _field(self, line: bytes) -> None:
        if self._fresh:
            line, self._fresh = line.removeprefix(b"\xef\xbb\xbf"), False
        name, _, value = line.partition(b":")
        if name == b"data":
            self._data.append(value.removeprefix(b" "))


def event(data: bytes) -> bytes:
    """One event as it goes over the wire; `data` is one line."""
    return b"data: " + data + b"\n\n"
