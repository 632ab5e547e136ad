"""A model server for tests that answers as a function says, in bytes cut where it says."""

from __future__ import annotations

import asyncio
import json
import socket
import threading
from collections.abc import AsyncIterator, Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from typing import Any

import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response, StreamingResponse
from starlette.routing import Route

Json = dict[str, Any]


@dataclass(frozen=True)
class Reply:
    """What is answered: its parts one by one; then the connection breaks, or nothing more ever comes."""

    parts: Sequence[bytes]
    status: int = 200
    headers: Mapping[str, str] = field(default_factory=dict)
    drops: bool = False
    stays: bool = False


@dataclass(frozen=True)
class Seen:
    """A request that came in."""

    method: str
    path: str
    headers: Mapping[str, str]
    body: Any


def says(body: Json | bytes, status: int = 200, **headers: str) -> Reply:
    """An answer that is not streamed."""
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    data = body if isinstance(body, bytes) else json.dumps(body).encode()
    return Reply([data], status, {"content-type": "application/json"} | named)


def streams(
    events: Iterable[Json | bytes],
    cut: Callable[[bytes], Iterable[bytes]] = lambda data: [data],
    **more: Any,
) -> Reply:
    """A stream of events; bytes stand there as they are."""
    data = b"".join(
        one if isinstance(one, bytes) else b"data: " + json.dumps(one).encode() + b"\n\n" for one in events
    )
    return Reply(list(cut(data)), headers={"content-type": "text/event-stream; charset=utf-8"}, **more)


def bytewise(data: bytes) -> list[bytes]:
    return [data[at : at + 1] for at in range(len(data))]


Answering = Callable[[Seen, int], Reply]


@dataclass
class Endpoint:
    """Where it listens, what came, and what it answers: `answer` gets a request and its number, from 1."""

    url: str = ""
    answer: Answering = lambda seen, number: says({}, 500)
    seen: list[Seen] = field(default_factory=list)

    def then(self, *replies: Reply) -> None:
        """Answer with these, one after the other, and with the last from then on."""
        self.seen.clear()
        self.answer = lambda _, number: replies[min(number, len(replies)) - 1]

    async def reply(self, request: Request) -> Response:
        data = await request.body()
        headers = {name.lower(): value for name, value in request.headers.items()}
        self.seen.append(
            Seen(request.method, request.url.path, headers, json.loads(data) if data else None)
        )
        reply = self.answer(self.seen[-1], len(self.seen))
        return StreamingResponse(_said(reply), reply.status, dict(reply.headers))


async def _said(reply: Reply) -> AsyncIterator[bytes]:
    for part in reply.parts:
        yield part
        await asyncio.sleep(0)
    if reply.drops:
        raise ConnectionError("as the test wants it")
    if reply.stays:
        await asyncio.Event().wait()


@contextmanager
def listening(**options: Any) -> Iterator[Endpoint]:
    """An endpoint on a free loopback port; `options` are uvicorn's, such as a certificate."""
    endpoint = Endpoint()
    app = Starlette(routes=[Route("/{path:path}", endpoint.reply, methods=["GET", "POST"])])
    with closing(socket.socket()) as door:
        door.bind(("127.0.0.1", 0))
        door.listen(256)
        scheme = "https" if "ssl_certfile" in options else "http"
        endpoint.url = f"{scheme}://127.0.0.1:{door.getsockname()[1]}"
        config = uvicorn.Config(
            app, log_level="critical", lifespan="off", timeout_graceful_shutdown=1, **options
        )
        server = uvicorn.Server(config)
        thread = threading.Thread(target=server.run, args=([door],))
        thread.start()
        try:
            yield endpoint
        finally:
            server.should_exit = True
            thread.join(30)
