"""A scripted upstream, a service in front of it on a port, and OpenAI's own client of that."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from openai import OpenAI
from proxying import Proxied, Record
from scripted_upstream import ScriptedUpstream, speaking

from serving import listening
from unbarb.serve.settings import Settings


@pytest.fixture(scope="session")
def upstream() -> Iterator[ScriptedUpstream]:
    with speaking() as found:
        yield found


@pytest.fixture(scope="session")
def _proxied(upstream: ScriptedUpstream) -> Iterator[Proxied]:
    record = Record()
    options = {"chat.upstream": f"{upstream.address}/v1/", "chat.timeout": "20"}
    settings = Settings(dialects=("chat", "native"), audit=None, options=options)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("UNBARB_UPSTREAM_KEY", "of-the-server")
        with listening(settings, record) as address:
            yield Proxied(address, upstream, record)


@pytest.fixture
def proxied(_proxied: Proxied) -> Proxied:
    """The service with the server's own key upstream; nothing is recorded or seen yet."""
    _proxied.record.clear()
    _proxied.upstream.seen.clear()
    return _proxied


@pytest.fixture
def client(proxied: Proxied) -> Iterator[OpenAI]:
    """OpenAI's client, as its users have it, but that it does not try again."""
    with proxied.client() as found:
        yield found
