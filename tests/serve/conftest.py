"""A service in this process and one on a port, both with the embedded model; one of each a session."""

from __future__ import annotations

import socket
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing, contextmanager
from typing import Any

import pytest

pytest.importorskip("fastapi", reason="needs the extra 'serve'")

import uvicorn
from starlette.testclient import TestClient

from unbarb.audit import Event
from unbarb.serve.app import create_app
from unbarb.serve.dialects import DIALECTS
from unbarb.serve.settings import Settings


class Kept:
    """A record in memory, for looking at what a request put on it."""

    def __init__(self) -> None:
        self.events: list[Event] = []

    def append(self, events: Sequence[Event]) -> list[int]:
        self.events.extend(events)
        return list(range(len(self.events) - len(events), len(self.events)))

    def close(self) -> None:
        """Nothing to close."""


Serve = Callable[..., TestClient]


@pytest.fixture(scope="session")
def kept() -> Kept:
    """The record of `service`; tests look at what stands there after their own requests."""
    return Kept()


@pytest.fixture
def events(kept: Kept) -> list[Event]:
    """What `service` has recorded since the test began."""
    kept.events.clear()
    return kept.events


@pytest.fixture(scope="session")
def service(kept: Kept) -> Iterator[TestClient]:
    """A client of a service in this process that speaks every dialect and asks for no keys."""
    with client(kept, dialects=DIALECTS) as found:
        yield found


@pytest.fixture
def serve() -> Iterator[Serve]:
    """Makes clients of services with settings of the test's own; `audit` is another record."""
    opened: list[Any] = []

    def make(audit: Any = None, **settings: Any) -> TestClient:
        context = client(audit or Kept(), **settings)
        opened.append(context)
        return context.__enter__()

    yield make
    for context in reversed(opened):
        context.__exit__(None, None, None)


@contextmanager
def client(audit: Any, **settings: Any) -> Iterator[TestClient]:
    """A started service and a client of it; a failure inside is an answer, not an exception here."""
    app = create_app(
        Settings(**{"dialects": ("native",), "audit": None, "reload": 3600.0, **settings}), audit=audit
    )
    with TestClient(app, base_url="http://127.0.0.1", raise_server_exceptions=False) as found:
        yield found


@pytest.fixture(scope="session")
def live() -> Iterator[str]:
    """The address of a service on a free loopback port, for clients that want a socket."""
    with listening(Settings(dialects=DIALECTS, audit=None)) as address:
        yield address


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
