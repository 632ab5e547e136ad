"""ASGI middleware that guards the texts in requests to any application, and in its replies.

Needs no package but unbarb's own. See docs/integrations/asgi.md.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import Literal

from unbarb.audit.event import new_id
from unbarb.audit.protocol import Log
from unbarb.errors import ConfigError
from unbarb.guard import Guard
from unbarb.integrations.asgi_replies import Reply
from unbarb.integrations.fields import Fields, Unreadable, finder, put, read, shown, texts, written
from unbarb.integrations.http import (
    App,
    Headers,
    Receive,
    Refusal,
    Scope,
    Send,
    Settings,
    is_json,
    replaying,
    withheld,
)
from unbarb.integrations.recorded import Recorded

UNASKED = {b"accept-encoding", b"range", b"if-range"}
"""What a guarded application must not be asked for: replies that cannot be read."""
UNREAD = {"http.response.pathsend", "http.response.zerocopysend"}
"""Ways around the reply's body."""


class GuardMiddleware:
    """Guards texts on their way to an application and back.

    Texts are put back where they were, changed or not; a body in which nothing had to be changed passes
    byte for byte. What is withheld is answered with a problem (RFC 9457) of status 422 in its place. What
    cannot be checked because the guard or the record fails is answered with 503.

    Args:
        app: the application.
        guard: what decides; it must have a rewriter.
        requests: the fields of JSON requests to guard, such as ``["messages[*].content"]``, or a function
            that gives their paths; None: requests pass.
        replies: the same of JSON replies and of JSON in server-sent events; plain text is guarded whole.
            ``[]`` guards plain text alone. None: replies pass.
        paths: where; a request whose path begins with none of these passes.
        limit: the most bytes of a body that must be read whole.
        unreadable: what happens to bodies that cannot be checked (not JSON, compressed, binary, malformed)
            and to WebSockets: "refuse" or "pass".
        audit: the record of decisions; default none.

    Raises:
        ConfigError: nothing is to be guarded, the guard only checks, or an option is not valid.
    """

    def __init__(
        self,
        app: App,
        guard: Guard,
        *,
        requests: Fields | None = None,
        replies: Fields | None = None,
        paths: Sequence[str] = ("/",),
        limit: int = 2**20,
        unreadable: Literal["refuse", "pass"] = "refuse",
        audit: Log | None = None,
    ) -> None:
        problems = []
        if requests is None and replies is None:
            problems.append("nothing is to be guarded: give the fields of `requests`, of `replies` or both")
        if not guard.rewrites:
            problems.append("this guard only checks: build it with a rewriter")
        if unreadable not in ("refuse", "pass"):
            problems.append(f"unreadable is {unreadable!r}; it must be 'refuse' or 'pass'")
        if isinstance(paths, str) or not all(path.startswith("/") for path in paths):
            problems.append(f"paths is {paths!r}; give a list of paths, each beginning with '/'")
        if limit < 1:
            problems.append(f"limit is {limit}; it must be 1 byte or more")
        if problems:
            raise ConfigError("\n".join(problems))
        self._app = app
        self._paths = tuple(paths)
        self._requests = None if requests is None else finder(requests)
        self._settings = Settings(
            recorded=Recorded(guard, audit, "asgi"),
            replies=None if replies is None else finder(replies),
            limit=limit,
            refuses=unreadable == "refuse",
        )

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one connection."""
        if scope["type"] not in ("http", "websocket") or not scope["path"].startswith(self._paths):
            await self._app(scope, receive, send)
        elif scope["type"] == "http":
            await self._serve(scope, receive, send)
        elif self._settings.refuses:
            await send(
                {"type": "websocket.close", "code": 1008, "reason": "messages cannot be checked here"}
            )
        else:
            await self._app(scope, receive, send)

    async def _serve(self, scope: Scope, receive: Receive, send: Send) -> None:
        reply = Reply(self._settings, send, request=new_id(), head=scope["method"] == "HEAD")
        try:
            if self._requests is not None:
                scope, receive = await self._checked(scope, receive, reply)
        except Refusal as refusal:
            await reply.refuse(refusal)
            return
        except Unreadable as error:
            await reply.refuse(Refusal(400, f"{error}, so it cannot be checked"))
            return
        if self._settings.replies is None:
            await self._app(scope, receive, reply.marked)
            return
        headers = [(name, value) for name, value in scope["headers"] if name.lower() not in UNASKED]
        extensions = {k: v for k, v in (scope.get("extensions") or {}).items() if k not in UNREAD}
        await self._app({**scope, "headers": headers, "extensions": extensions}, receive, reply.send)

    async def _checked(self, scope: Scope, receive: Receive, reply: Reply) -> tuple[Scope, Receive]:
        """The request as the application may have it.

        Raises:
            Refusal: it may not have it.
            Unreadable: it cannot be read.
        """
        settings, headers = self._settings, Headers(scope["headers"])
        readable = is_json(headers.get("content-type")) and not headers.encoded
        if not readable and not settings.refuses:
            return scope, receive
        body = await _body(receive, headers, settings.limit)
        if body and not readable:
            raise Refusal(415, "only JSON that is not compressed can be checked here")
        try:
            changed = await self._changed(body, reply) if body else None
        except Unreadable:
            if settings.refuses:
                raise
            changed = None
        if changed is None:
            return scope, replaying(body, receive)
        return {**scope, "headers": headers.of_changed(len(changed))}, replaying(changed, receive)

    async def _changed(self, body: bytes, reply: Reply) -> bytes | None:
        """`body` with its texts as they may go on, or None if they are what they were."""
        assert self._requests is not None
        value = read(body)
        found = texts(value, self._requests)
        if not found:
            return None
        try:
            verdicts = await asyncio.to_thread(
                self._settings.recorded.batch,
                list(found.values()),
                direction="input",
                request=reply.request,
            )
        except Exception as error:
            raise Refusal.unchecked(error) from None
        reply.note(verdicts)
        if any(verdict.text is None for verdict in verdicts):
            raise withheld(verdicts, [shown(path) for path in found])
        if all(verdict.text == verdict.original for verdict in verdicts):
            return None
        for path, verdict in zip(found, verdicts, strict=True):
            value = put(value, path, verdict.text or "")
        return written(value)


async def _body(receive: Receive, headers: Headers, limit: int) -> bytes:
    """The whole body of a request.

    Raises:
        Refusal: it is over the limit.
    """
    length = headers.get("content-length")
    body = bytearray()
    more = True
    while more:
        if len(body) > limit or (length.isdecimal() and int(length) > limit):
            raise Refusal(413, f"the body is over the limit of {limit:,} bytes")
        message = await receive()
        if message["type"] == "http.disconnect":
            raise Refusal(400, "the body was cut off")
        body += message.get("body", b"")
        more = message.get("more_body", False)
    if len(body) > limit:
        raise Refusal(413, f"the body is over the limit of {limit:,} bytes")
    return bytes(body)
