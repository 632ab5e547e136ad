"""A model server for tests: it says what it is told to say, in bytes cut where it is told to cut them."""

from __future__ import annotations

import asyncio
import json
import socket
import threading
from collections.abc import AsyncIterator, Callable, Iterable, Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from random import Random
from typing import Any

import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response, StreamingResponse
from starlette.routing import Route

Json = dict[str, Any]
Cut = Callable[[bytes], Iterable[bytes]]

KIND = {"id": "chatcmpl-1", "object": "chat.completion.chunk", "created": 1, "model": "toy"}
DONE = b"data: [DONE]\n\n"


def whole(data: bytes) -> list[bytes]:
    return [data]


def bytewise(data: bytes) -> list[bytes]:
    return [data[at : at + 1] for at in range(len(data))]


def at_random(seed: int, most: int = 40) -> Cut:
    """Stretches of 1 to `most` bytes."""

    def cut(data: bytes) -> Iterator[bytes]:
        random, at = Random(seed), 0
        while at < len(data):
            end = at + random.randint(1, most)
            yield data[at:end]
            at = end

    return cut


def chunk(delta: Json | None = None, finish: str | None = None, index: int = 0, **more: Any) -> Json:
    choice: Json = {"index": index, "delta": delta or {}, "finish_reason": finish}
    return KIND | {"choices": [choice | more]}


def saying(pieces: Iterable[str], index: int = 0) -> list[Json]:
    """A chat's chunks: the role, the pieces of its content, the end."""
    first = chunk({"role": "assistant", "content": ""}, index=index)
    return [
        first,
        *(chunk({"content": piece}, index=index) for piece in pieces),
        chunk(finish="stop", index=index),
    ]


def events(chunks: Iterable[Json], end: bytes = DONE, *, ascii: bool = False) -> bytes:
    """Chunks as an event stream; characters beyond ASCII stand there as UTF-8."""
    return (
        b"".join(b"data: " + json.dumps(one, ensure_ascii=ascii).encode() + b"\n\n" for one in chunks) + end
    )


@dataclass
class Seen:
    """A request that came in."""

    path: str
    headers: dict[str, str]
    body: Any


@dataclass
class ScriptedUpstream:
    """What the server says next, and what it was asked.

    `parts` are the bytes of its reply; after `stays` of them it says nothing more and waits until its
    client goes away, which sets `left`. `drops` lets the connection break after the last part. `sent`
    counts the parts that were taken.
    """

    address: str = ""
    parts: Sequence[bytes] = ()
    status: int = 200
    headers: dict[str, str] = field(default_factory=dict)
    stays: bool = False
    drops: bool = False
    sent: int = 0
    seen: list[Seen] = field(default_factory=list)
    left: threading.Event = field(default_factory=threading.Event)

    def streams(self, data: bytes, cut: Cut = whole, *, drops: bool = False, stays: bool = False) -> None:
        """Answer with these events."""
        self._set(list(cut(data)), 200, {"content-type": "text/event-stream"}, drops, stays)

    def answers(self, body: Json | bytes, status: int = 200, **headers: str) -> None:
        """Answer with this body."""
        data = body if isinstance(body, bytes) else json.dumps(body).encode()
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        self._set([data], status, {"content-type": "application/json"} | named, False, False)

    def _set(
        self, parts: Sequence[bytes], status: int, headers: dict[str, str], drops: bool, stays: bool
    ) -> None:
        self.parts, self.status, self.drops, self.stays = parts, status, drops, stays
        self.headers = {"x-request-id": "upstream-7"} | headers
        self.sent = 0
        self.seen.clear()
        self.left.clear()

    async def reply(self, request: Request) -> Response:
        data = await request.body()
        self.seen.append(Seen(request.url.path, dict(request.headers), json.loads(data) if data else None))
        return StreamingResponse(self._said(), self.status, self.headers)

    async def _said(self) -> AsyncIterator[bytes]:
        try:
            for part in self.parts:
                yield part
                self.sent += 1
                await asyncio.sleep(0)
            if self.drops:
                raise ConnectionError("as the test wants it")
            if self.stays:
                await asyncio.Event().wait()
        except asyncio.CancelledError:
            self.left.set()
            raise


@contextmanager
def speaking() -> Iterator[ScriptedUpstream]:
    """A scripted upstream on a free loopback port."""
    upstream = ScriptedUpstream()
    app = Starlette(routes=[Route("/{path:path}", upstream.reply, methods=["GET", "POST"])])
    with closing(socket.socket()) as door:
        door.bind(("127.0.0.1", 0))
        door.listen()
        upstream.address = f"http://127.0.0.1:{door.getsockname()[1]}"
        server = uvicorn.Server(uvicorn.Config(app, log_level="critical", lifespan="off"))
        thread = threading.Thread(target=server.run, args=([door],))
        thread.start()
        try:
            yield upstream
        finally:
            server.should_exit = True
            thread.join(30)
