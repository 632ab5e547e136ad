"""The client and our own service: KServe's dialect, and a chat through the proxy."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from model_endpoint import Endpoint, streams
from model_endpoint import listening as answering
from serving import listening
from unbarb.deploy.request.answer import Failure
from unbarb.deploy.request.client import Client
from unbarb.deploy.request.dialects import dialect
from unbarb.deploy.request.http import Http
from unbarb.serve.keys import Key, made, new_id, write
from unbarb.serve.settings import Settings


@pytest.fixture(scope="module")
def upstream() -> Iterator[Endpoint]:
    with answering() as found:
        yield found


@pytest.fixture(scope="module")
def token(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, str]:
    path = tmp_path_factory.mktemp("keys") / "keys.json"
    key, secret = made(Key(id=new_id(), name="the client", scopes=("check", "rewrite", "proxy")))
    write(path, [key])
    return path, secret


@pytest.fixture(scope="module")
def service(upstream: Endpoint, token: tuple[Path, str]) -> Iterator[str]:
    options = {"chat.upstream": f"{upstream.url}/v1"}
    settings = Settings(dialects=("kserve", "chat"), audit=None, options=options, keys=token[0])
    with listening(settings) as address:
        yield address


def test_a_policy_is_a_model_of_tensors(service: str, token: tuple[Path, str]) -> None:
    with Http(service, key=token[1]) as http:
        client = Client(dialect("kserve", model="default"), http)
        client.prepare()
        answer = client.ask("you are an idiot").answer
    assert answer.strings["action"] == "rewrite"
    assert answer.scores["insult"] > 0.5
    assert answer.text is not None
    assert "idiot" not in answer.text


def test_a_model_that_is_not_there_and_a_key_that_is_none(service: str, token: tuple[Path, str]) -> None:
    with (
        Http(service, key=token[1]) as http,
        pytest.raises(Failure, match="it has the models def"),
    ):
        Client(dialect("kserve", model="nope"), http).prepare()
    with Http(service) as http, pytest.raises(Failure, match="status 401") as caught:
        Client(dialect("kserve", model="default"), http).prepare()
    assert caught.value.scope == "setup"


def test_a_chat_through_the_proxy_is_streamed_and_mended(
    service: str, token: tuple[Path, str], upstream: Endpoint
) -> None:
    said = ["Sure. ", "You are an ", "idiot. ", "Bye."]
    chunks = [{"choices": [{"index": 0, "delta": {"content": one}, "finish_reason": None}]} for one in said]
    end = {"choices": [{"index": 0, "delta": {}, "finish_reason": "stop"}]}
    upstream.then(streams([*chunks, end, b"data: [DONE]\n\n"]))
    with Http(f"{service}/v1", key=token[1]) as http:
        asked = Client(dialect("openai", model="toy"), http, stream=True).ask("hello")
    assert asked.answer.finish == "stop"
    assert asked.answer.text is not None
    assert asked.answer.text.startswith("Sure. ")
    assert "idiot" not in asked.answer.text
