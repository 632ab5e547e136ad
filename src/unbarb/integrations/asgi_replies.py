"""An application's reply on its way out: what is sent, when, and what stands in its place."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

from unbarb.integrations.asgi_filters import OTHER, Filter, chosen
from unbarb.integrations.fields import Unreadable
from unbarb.integrations.http import Headers, Message, Refusal, Send, Settings, marks
from unbarb.text import Verdict


class Reply:
    """What is sent in one exchange.

    Args:
        request: the exchange's id.
        head: whether only headers were asked for.
    """

    def __init__(self, settings: Settings, send: Send, *, request: str, head: bool) -> None:
        self.request = request
        self._settings, self._send, self._head = settings, send, head
        self._verdicts: list[str] = []
        self._start: Message | None = None  # until it is sent
        self._filter: Filter | None = None
        self._over = False

    def note(self, verdicts: Sequence[Verdict]) -> None:
        """Remember verdicts to name in a header."""
        self._verdicts += [str(one.id) for one in verdicts if one.action != "allow"]

    async def refuse(self, refusal: Refusal) -> None:
        """Answer with `refusal`, if nothing has been answered yet."""
        self._over = True
        body = refusal.body(self.request)
        headers = [
            (b"content-type", b"application/problem+json"),
            (b"content-length", str(len(body)).encode()),
            *marks(self.request, self._verdicts),
        ]
        await self._send({"type": "http.response.start", "status": refusal.status, "headers": headers})
        await self._send({"type": "http.response.body", "body": b"" if self._head else body})

    async def marked(self, message: Message) -> None:
        """Send an unguarded reply on, with the headers that name the exchange."""
        if message["type"] == "http.response.start":
            named = [*message.get("headers", ()), *marks(self.request, self._verdicts)]
            message = {**message, "headers": named}
        await self._send(message)

    async def send(self, message: Message) -> None:
        """Take a message of the application's and send on what may leave."""
        if self._over:
            return
        if message["type"] == "http.response.start":
            self._filter = None if self._head else chosen(self._settings, message, self.request, self.note)
            if self._filter is None:
                await self.marked(message)
            else:
                self._start = message
        elif message["type"] == "http.response.body" and self._filter is not None:
            last = not message.get("more_body", False)
            await self._body(self._filter, message.get("body", b""), last)
        else:
            await self._send(message)

    async def _body(self, guarding: Filter, chunk: bytes, last: bool) -> None:
        try:
            out = await asyncio.to_thread(guarding.feed, chunk, last)
        except Exception as error:
            await self._failed(error)
            return
        self._over = last = last or guarding.ended
        if not (out or last):
            return
        if self._start is not None:
            # Nothing begins before something may leave, so that a refusal can stand in its place.
            start, self._start = self._start, None
            raw = Headers(start.get("headers", ())).raw
            if guarding.changes:
                raw = Headers(raw).of_changed(len(out) if last else None)
            start = {**start, "headers": [*raw, *marks(self.request, self._verdicts)], "trailers": False}
            await self._send(start)
        await self._send({"type": "http.response.body", "body": out, "more_body": not last})

    async def _failed(self, error: Exception) -> None:
        self._over = True
        if isinstance(error, Unreadable):
            error = Refusal(502, OTHER)
        if not isinstance(error, Refusal):
            error = Refusal.unchecked(error)
        if self._start is None:
            # Half a reply is out: the server must cut the connection, so that it does not look whole.
            raise RuntimeError(error.detail) from None
        await self.refuse(error)
