"""What guards the bytes of one reply: read whole where it comes whole, as a stream where not."""

from __future__ import annotations

import codecs
import json
from collections.abc import Callable, Sequence
from typing import Any, Protocol

from unbarb.integrations.aligned import Aligned, Stream
from unbarb.integrations.fields import (
    Finder,
    Path,
    Unreadable,
    nothing,
    put,
    read,
    shown,
    texts,
    written,
)
from unbarb.integrations.http import (
    Headers,
    Message,
    Refusal,
    Settings,
    is_json,
    is_unicode,
    media_type,
    withheld,
)
from unbarb.integrations.recorded import RecordedStream, said
from unbarb.text import Verdict
from unbarb.wire.events import Event, EventReader

OTHER = "the reply cannot be checked, so it does not leave"

Note = Callable[[Sequence[Verdict]], None]
"""Is told verdicts before the reply begins."""


class Filter(Protocol):
    """Guards the bytes of one reply."""

    def feed(self, chunk: bytes, last: bool) -> bytes:
        """The bytes that may leave now; works off the event loop.

        Raises:
            Refusal: nothing may leave in its place.
            Unreadable: the bytes cannot be read.
        """
        ...

    @property
    def ended(self) -> bool:
        """Whether a block has ended the reply."""
        ...

    @property
    def changes(self) -> bool:
        """Whether the bytes that leave may be others than those that came."""
        ...


def chosen(settings: Settings, start: Message, request: str, note: Note) -> Filter | None:
    """What guards a reply that begins with `start`; None if it passes. Verdicts are given to `note`."""
    headers, find = Headers(start.get("headers", ())), settings.replies
    kind, charset = media_type(headers.get("content-type"))
    if find is None or start["status"] in (204, 304):
        return None
    if not headers.encoded and start["status"] != 206 and is_unicode(charset):
        if kind == "text/event-stream":
            return Events(settings, find, request)
        if kind == "text/plain" and not headers.get("content-length"):
            return Spoken(settings, request)
        if kind == "text/plain" or is_json(headers.get("content-type")):
            return Whole(settings, find, request, note, plain=kind == "text/plain")
    return Refusing() if settings.refuses else None


class Refusing:
    """Lets nothing pass but a reply without a body."""

    ended = changes = False

    def feed(self, chunk: bytes, last: bool) -> bytes:
        if chunk:
            raise Unreadable(OTHER)
        return b""


class Whole:
    """A reply that is read whole: JSON with texts in it, or plain text of a known length."""

    ended = False

    def __init__(self, settings: Settings, find: Finder, request: str, note: Note, *, plain: bool) -> None:
        self._settings, self._find, self._plain = settings, find, plain
        self._request, self._note = request, note
        self._body = bytearray()
        self.changes = False

    def feed(self, chunk: bytes, last: bool) -> bytes:
        self._body += chunk
        if len(self._body) > self._settings.limit:
            raise Refusal(502, f"the reply is over the limit of {self._settings.limit:,} bytes")
        return self._guarded(bytes(self._body)) if last and self._body else b""

    def _guarded(self, body: bytes) -> bytes:
        try:
            value: Any = _decoded(body) if self._plain else read(body)
            found = {(): value} if self._plain else texts(value, self._find)
        except Unreadable:
            if self._settings.refuses:
                raise
            return body
        if not found:
            return body
        batch = self._settings.recorded.batch
        verdicts = batch(list(found.values()), direction="output", request=self._request)
        self._note(verdicts)
        if any(verdict.text is None for verdict in verdicts):
            raise withheld(verdicts)
        if all(verdict.text == verdict.original for verdict in verdicts):
            return body
        self.changes = True
        for path, verdict in zip(found, verdicts, strict=True):
            value = put(value, path, verdict.text or "")
        return str(value).encode() if self._plain else written(value)


class Spoken:
    """Plain text that comes in chunks."""

    changes = True

    def __init__(self, settings: Settings, request: str) -> None:
        self._stream = _stream(settings, request, "text")
        self._decoder = codecs.getincrementaldecoder("utf-8")()
        self._begun = False

    @property
    def ended(self) -> bool:
        return self._stream.blocked

    def feed(self, chunk: bytes, last: bool) -> bytes:
        try:
            text = self._decoder.decode(chunk, last)
        except UnicodeDecodeError:
            raise Unreadable(OTHER) from None
        out = said(self._stream.feed(text)) if text else ""
        if last and not self.ended:
            out += said(self._stream.close())
        self._begun = self._begun or bool(out)
        if self.ended and not self._begun:
            raise Refusal(422, self._stream.message)
        return out.encode()


class Events:
    """Server-sent events: JSON with texts in it, or data that are one text, a chunk each.

    An event leaves when all of its text has been decided, and byte for byte if that stayed as it was.
    """

    changes = True

    def __init__(self, settings: Settings, find: Finder, request: str) -> None:
        self._settings, self._find, self._request = settings, find, request
        self._events = EventReader(settings.limit)
        self._begun = False
        self._aligned: Aligned[tuple[Event, Any, list[Path]]] = Aligned(self._guard)

    @property
    def ended(self) -> bool:
        return self._aligned.blocking is not None

    def feed(self, chunk: bytes, last: bool) -> bytes:
        try:
            came = self._events.feed(chunk)
            if last and (rest := self._events.rest()):
                came.append(Event(rest))
            out = b"".join(map(self._taken, came))
        except Unreadable:
            raise
        except ValueError:  # not UTF-8, or an event without an end
            raise Unreadable(OTHER) from None
        if last:
            out += self._written(self._aligned.close())
        blocking = self._aligned.blocking
        self._begun = self._begun or bool(out)
        if blocking is not None:
            if not self._begun:
                raise Refusal(422, blocking.message)
            told = {"message": blocking.message, "request": self._request}
            out += Event(b"event: withheld\ndata\n\n").with_data(json.dumps(told).encode())
        return out

    def _guard(self, name: str) -> Stream:
        return _stream(self._settings, self._request, name)

    def _taken(self, event: Event) -> bytes:
        event.raw.decode()  # comments and names, too, leave as UTF-8 only
        if event.data is None:
            return self._written(self._aligned.push((event, None, []), []))
        text = event.data.decode()
        value = self._read(text)
        found: dict[Path, str] = {(): text} if value is text else texts(value, self._find)
        parts = [(shown(path), part) for path, part in found.items()]
        return self._written(self._aligned.push((event, value, list(found)), parts))

    def _read(self, text: str) -> Any:
        """The JSON that an event's data are, or `text` itself."""
        if self._find is nothing:
            return text
        try:
            value = read(text.encode())
        except Unreadable:
            return text
        return value if isinstance(value, dict | list) else text

    def _written(self, ready: Sequence[tuple[tuple[Event, Any, list[Path]], list[str]]]) -> bytes:
        return b"".join(_mended(*chunk, new) for chunk, new in ready)


def _mended(event: Event, value: Any, paths: list[Path], new: list[str]) -> bytes:
    """The event with its texts as they may leave."""
    changed = False
    for path, text in zip(paths, new, strict=True):
        before = value
        for step in path:
            before = before[step]
        if before != text:
            value, changed = put(value, path, text), True
    if not changed:
        return event.raw
    if value == "" and event.only_data:
        return b""
    return event.with_data(value.encode() if isinstance(value, str) else written(value))


def _stream(settings: Settings, request: str, name: str) -> RecordedStream:
    return settings.recorded.stream(direction="output", request=request, name=f"{request}:{name}")


def _decoded(body: bytes) -> str:
    try:
        return body.decode()
    except UnicodeDecodeError:
        raise Unreadable(OTHER) from None
