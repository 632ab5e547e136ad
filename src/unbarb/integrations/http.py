"""What the ASGI middleware knows of HTTP: headers, refusals as problems, and bodies given once more."""

from __future__ import annotations

import json
import logging
from collections.abc import Awaitable, Callable, Iterable, MutableMapping, Sequence
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any

from unbarb.integrations.fields import Finder
from unbarb.integrations.recorded import Recorded
from unbarb.policy.rules import NOTICE
from unbarb.text import Verdict

log = logging.getLogger("unbarb.integrations")

Scope = MutableMapping[str, Any]
Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
App = Callable[[Scope, Receive, Send], Awaitable[None]]
RawHeaders = list[tuple[bytes, bytes]]

OF_THE_BYTES = {b"etag", b"content-md5", b"digest", b"content-digest", b"repr-digest", b"accept-ranges"}
"""Headers that say something of the very bytes of a body, and are wrong of a changed one."""
MOST_VERDICTS = 20
"""Verdicts named in a header at most."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """What an exchange is guarded by; see `unbarb.integrations.asgi.GuardMiddleware`."""

    recorded: Recorded
    replies: Finder | None
    limit: int
    refuses: bool


class Headers:
    """The headers of a message, read by lower-case names."""

    def __init__(self, raw: Iterable[tuple[bytes, bytes]]) -> None:
        self.raw: RawHeaders = [(bytes(name), bytes(value)) for name, value in raw]

    def get(self, name: str) -> str:
        """The value of the header, "" where there is none; several are joined by commas."""
        return ", ".join(v.decode("latin-1") for n, v in self.raw if n.lower() == name.encode())

    @property
    def encoded(self) -> bool:
        """Whether the body is compressed or in another way not what it says."""
        return self.get("content-encoding").strip().lower() not in ("", "identity")

    def of_changed(self, length: int | None) -> RawHeaders:
        """The headers of the same message with another body; of one of unknown length if that is None."""
        kept = [
            (name, value)
            for name, value in self.raw
            if name.lower() not in OF_THE_BYTES | {b"content-length", b"transfer-encoding"}
        ]
        return kept if length is None else [*kept, (b"content-length", str(length).encode())]


class Refusal(Exception):  # noqa: N818 - says what it is
    """An answer in place of what was asked for, as a problem (RFC 9457). Never holds a guarded text."""

    def __init__(self, status: int, detail: str, more: dict[str, Any] | None = None) -> None:
        super().__init__(detail)
        self.status, self.detail, self.more = status, detail, more or {}

    @classmethod
    def unchecked(cls, error: Exception) -> Refusal:
        """The guard or the record failed: nothing leaves."""
        log.error("a text could not be checked: %s", type(error).__name__)  # its words may quote the text
        return cls(503, "the text could not be checked, so it does not pass; try again")

    def body(self, request: str) -> bytes:
        problem = {
            "type": "about:blank",
            "title": HTTPStatus(self.status).phrase,
            "status": self.status,
            "detail": self.detail,
            "request": request,
        }
        return json.dumps(problem | self.more).encode()


def withheld(verdicts: Sequence[Verdict], fields: Sequence[str] = ()) -> Refusal:
    """The answer in place of texts of which at least one may not leave."""
    stopped = [at for at, verdict in enumerate(verdicts) if verdict.text is None]
    told = [
        {"id": verdicts[at].id, "action": verdicts[at].action} | ({"field": fields[at]} if fields else {})
        for at in stopped
    ]
    return Refusal(422, verdicts[stopped[0]].message or NOTICE, {"verdicts": told[:MOST_VERDICTS]})


def marks(request: str, verdicts: Sequence[str]) -> RawHeaders:
    """The headers that name an exchange and those of its verdicts that were not 'allow'."""
    found: RawHeaders = [(b"unbarb-request", request.encode())]
    if verdicts:
        found.append((b"unbarb-verdicts", ", ".join(verdicts[:MOST_VERDICTS]).encode()))
    return found


def media_type(value: str) -> tuple[str, str]:
    """The type and the charset that a Content-Type header names, in lower case; "" where it names none."""
    kind, *options = (part.strip().lower() for part in value.split(";"))
    charset = next((one[8:].strip('" ') for one in options if one.startswith("charset=")), "")
    return kind, charset


def is_json(content_type: str) -> bool:
    kind, charset = media_type(content_type)
    return is_unicode(charset) and (kind == "application/json" or kind.endswith("+json"))


def is_unicode(charset: str) -> bool:
    return charset in ("", "utf-8", "utf8", "us-ascii", "ascii")


def replaying(body: bytes, receive: Receive) -> Receive:
    """A `receive` that gives `body` first, and then what comes."""
    waiting = [{"type": "http.request", "body": body, "more_body": False}]

    async def again() -> Message:
        return waiting.pop() if waiting else await receive()

    return again
