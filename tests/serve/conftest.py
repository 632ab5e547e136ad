"""A service in this process and one on a port, both with the embedded model; one of each a session."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from starlette.testclient import TestClient

from serving import Kept, client, listening
from unbarb.audit import Event
from unbarb.serve.dialects import DIALECTS
from unbarb.serve.settings import Settings

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


@pytest.fixture(scope="session")
def live() -> Iterator[str]:
    """The address of a service on a free loopback port, for clients that want a socket."""
    with listening(Settings(dialects=DIALECTS, audit=None)) as address:
        yield address
