"""An endpoint for the tests of the client, and clients that do not wait."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest

pytest.importorskip("httpx2", reason="needs the extra 'serve'")

import model_endpoint as endpoints
from unbarb.deploy.request import client as clients
from unbarb.deploy.request.client import Client
from unbarb.deploy.request.dialects import dialect
from unbarb.deploy.request.http import Http


@pytest.fixture(scope="session")
def _endpoint() -> Iterator[endpoints.Endpoint]:
    with endpoints.listening() as found:
        yield found


@pytest.fixture
def endpoint(_endpoint: endpoints.Endpoint) -> endpoints.Endpoint:
    """An endpoint that nobody has asked yet."""
    _endpoint.then(endpoints.says({}, 500))
    return _endpoint


@pytest.fixture
def client(
    endpoint: endpoints.Endpoint, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Callable[..., Client]]:
    """``client("caikit", task=…, stream=…)``: a client of `endpoint` that does not pause between tries."""
    monkeypatch.setattr(clients, "FIRST_PAUSE", 0.0)
    opened: list[Http] = []

    def make(name: str = "caikit", *, url: str = "", **more: Any) -> Client:
        for_client = {
            key: more.pop(key) for key in ("stream", "timeout", "retries", "template") if key in more
        }
        http = Http(url or endpoint.url, **{key: more.pop(key) for key in ("key", "ca") if key in more})
        opened.append(http)
        spoken = dialect(name, model=more.pop("model", "toy"), **more)
        return Client(spoken, http, **{"timeout": 10.0, "retries": 2} | for_client)

    yield make
    for http in opened:
        http.close()
