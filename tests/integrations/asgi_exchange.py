"""One exchange with an ASGI application, message by message, and small applications to have it with."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

from unbarb.integrations.http import App, Message, Receive, Scope, Send

JSON = (("content-type", "application/json"),)


@dataclass
class Answer:
    """What the application's server was given to send."""

    messages: list[Message] = field(default_factory=list)

    @property
    def status(self) -> int:
        return int(self.messages[0]["status"])

    @property
    def headers(self) -> dict[str, str]:
        return {name.decode(): value.decode() for name, value in self.messages[0]["headers"]}

    @property
    def chunks(self) -> list[bytes]:
        return [one.get("body", b"") for one in self.messages if one["type"] == "http.response.body"]

    @property
    def body(self) -> bytes:
        return b"".join(self.chunks)

    @property
    def json(self) -> Any:
        return json.loads(self.body)


def exchange(
    app: App,
    body: bytes = b"",
    *,
    headers: Iterable[tuple[str, str]] = (),
    method: str = "POST",
    path: str = "/",
    kind: str = "http",
    size: int = 7,
    answer: Answer | None = None,
) -> Answer:
    """Send `body` in chunks of `size` bytes; what came back, put into `answer` if one is given."""
    given = [(name.encode(), value.encode()) for name, value in headers]
    if body:
        given.append((b"content-length", str(len(body)).encode()))
    scope = {"type": kind, "method": method, "path": path, "headers": given, "extensions": {}}
    parts = [body[at : at + size] for at in range(0, len(body), size)] or [b""]
    waiting = [
        {"type": "http.request", "body": part, "more_body": number < len(parts)}
        for number, part in enumerate(parts, start=1)
    ]
    answer = Answer() if answer is None else answer

    async def receive() -> Message:
        return waiting.pop(0) if waiting else {"type": "http.disconnect"}

    async def send(message: Message) -> None:
        answer.messages.append(message)

    async def run() -> None:
        await app(scope, receive, send)

    asyncio.run(run())
    return answer


class Echo:
    """Answers with the very body and headers that it was given, and remembers them."""

    def __init__(self, kind: str = "application/json") -> None:
        self.kind = kind
        self.seen: list[bytes] = []
        self.headers: dict[str, str] = {}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        body = b""
        while True:
            message = await receive()
            body += message.get("body", b"")
            if not message.get("more_body"):
                break
        self.seen.append(body)
        self.headers = {name.decode(): value.decode() for name, value in scope["headers"]}
        assert int(self.headers.get("content-length", 0)) == len(body)
        await answering([body], self.kind)(scope, receive, send)


def answering(
    chunks: Sequence[bytes], kind: str, *, length: bool = True, status: int = 200, **headers: str
) -> App:
    """An application that answers so; streamed if its `length` is not told."""

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        given = {"content-type": kind, **{name.replace("_", "-"): value for name, value in headers.items()}}
        if length:
            given["content-length"] = str(sum(map(len, chunks)))
        raw = [(name.encode(), value.encode()) for name, value in given.items()]
        await send({"type": "http.response.start", "status": status, "headers": raw})
        for chunk in chunks:
            await send({"type": "http.response.body", "body": chunk, "more_body": True})
        await send({"type": "http.response.body", "body": b"", "more_body": False})

    return app
