"""Services for tests: one in this process, one on a port, and a record that can be looked at."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from typing import Any

import uvicorn
from starlette.testclient import TestClient

from unbarb.audit import Event
from unbarb.serve.app import create_app
from unbarb.serve.settings import Settings


class Kept:
    """A record in memory, for looking at what a request put on it."""

    def __init__(self) -> None:
        self.events: list[Event] = []

    def append(self, events: Sequence[Event]) -> list[int]:
        self.events.extend(events)
        return list(range(len(self.events) - len(events), len(self.events)))

    def spill(self, events: Sequence[Event]) -> None:
        """Never asked: nothing fails here."""
        raise AssertionError("append did not fail")

    def close(self) -> None:
        """Nothing to close."""


@contextmanager
def client(audit: Any, **settings: Any) -> Iterator[TestClient]:
    """A started service and a client of it; a failure inside is an answer, not an exception here."""
    app = create_app(
        Settings(**{"dialects": ("native",), "audit": None, "reload": 3600.0, **settings}), audit=audit
    )
    with TestClient(app, base_url="http://127.0.0.1", raise_server_exceptions=False) as found:
        yield found


@contextmanager
def listening(settings: Settings, audit: Any = None) -> Iterator[str]:
    """The address of a server in a thread of this process; it is stopped on leaving."""
    with closing(socket.socket()) as door:
        door.bind(("127.0.0.1", 0))
        port = door.getsockname()[1]
        config = uvicorn.Config(create_app(settings, audit=audit), log_level="error", lifespan="on")
        started = threading.Event()
        server = _Server(config, started)
        thread = threading.Thread(target=server.run, args=([door],))
        thread.start()
        assert started.wait(30), "the server did not start"
        try:
            yield f"http://127.0.0.1:{port}"
        finally:
            server.should_exit = True
            thread.join(30)


class _Server(uvicorn.Server):
    """Says when it is listening."""

    def __init__(self, config: uvicorn.Config, listening: threading.Event) -> None:
        super().__init__(config)
        self._listening = listening

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        self._listening.set()
