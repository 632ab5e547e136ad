"""LiteLLM's own proxy with the hook in its configuration; test_litellm_hook runs this elsewhere."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import litellm
import pytest
from integration_pages import blocks
from litellm import CustomLLM, ModelResponse
from litellm.proxy import proxy_server
from litellm.types.utils import EmbeddingResponse, GenericStreamingChunk
from starlette.testclient import TestClient

from unbarb.audit import AuditLog

RUDE = "You are an idiot."
CALM = "You are naive."
THREAT = "I will kill you tonight."
TOLD = "This message was withheld because of what it says."

MODELS = """
model_list:
  - {model_name: toy, litellm_params: {model: toy/toy}}
litellm_settings: {telemetry: false}
"""


class Toy(CustomLLM):
    """A model that says what it is given to say."""

    def __init__(self) -> None:
        super().__init__()
        self.pieces: list[str] = []
        self.heard: list[Any] = []

    async def acompletion(self, *given: Any, **options: Any) -> ModelResponse:
        self.heard.append(options["messages"])
        message = {"role": "assistant", "content": "".join(self.pieces)}
        usage = {"prompt_tokens": 1, "completion_tokens": 1, "total_tokens": 2}
        choice = {"index": 0, "message": message, "finish_reason": "stop"}
        return ModelResponse(choices=[choice], usage=usage)

    async def aembedding(self, *given: Any, **options: Any) -> EmbeddingResponse:
        self.heard.append(options["input"])
        return EmbeddingResponse(
            model="toy", data=[{"object": "embedding", "index": 0, "embedding": [0.5]}]
        )

    async def astreaming(self, *given: Any, **options: Any) -> AsyncIterator[GenericStreamingChunk]:
        self.heard.append(options["messages"])
        for number, piece in enumerate(self.pieces, start=1):
            last = number == len(self.pieces)
            yield GenericStreamingChunk(
                text=piece,
                tool_use=None,
                is_finished=last,
                finish_reason="stop" if last else "",
                usage=None,
                index=0,
            )


@pytest.fixture(scope="module")
def audit(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("litellm") / "audit.db"


@pytest.fixture(scope="module")
def started(audit: Path) -> tuple[TestClient, Toy]:
    toy = Toy()
    litellm.custom_provider_map = [{"provider": "toy", "custom_handler": toy}]
    config = audit.with_name("config.yaml")
    (guardrails,) = blocks("litellm", "yaml")
    assert "sqlite:///unbarb-audit.db" in guardrails
    config.write_text(guardrails.replace("unbarb-audit.db", str(audit)) + MODELS)
    asyncio.run(proxy_server.initialize(config=str(config)))
    return TestClient(proxy_server.app), toy


@pytest.fixture
def model(started: tuple[TestClient, Toy]) -> Toy:
    started[1].heard.clear()
    return started[1]


@pytest.fixture
def client(started: tuple[TestClient, Toy]) -> TestClient:
    return started[0]


def ask(client: TestClient, text: Any = "Hello.", **options: Any) -> Any:
    body = {"model": "toy", "messages": [{"role": "user", "content": text}], **options}
    return client.post("/v1/chat/completions", json=body)


def chunks(client: TestClient) -> list[Any]:
    lines = ask(client, stream=True).text.split("\n\n")
    return [json.loads(line[6:]) for line in lines if line.startswith("data: {")]


def said(given: list[Any]) -> str:
    return "".join(choice["delta"].get("content") or "" for one in given for choice in one["choices"])


def test_both_ways_are_rewritten(client: TestClient, model: Toy) -> None:
    model.pieces = [RUDE]
    answer = ask(client, [{"type": "text", "text": RUDE}])
    assert answer.json()["choices"][0]["message"]["content"] == CALM
    assert CALM in str(model.heard)
    assert "idiot" not in str(model.heard)


def test_a_threat_is_refused_before_the_model(client: TestClient, model: Toy) -> None:
    answer = ask(client, THREAT)
    assert (answer.status_code, model.heard) == (400, [])
    assert TOLD in answer.text
    assert "kill" not in answer.text


def test_a_reply_that_may_not_leave_ends_with_the_policys_words(client: TestClient, model: Toy) -> None:
    model.pieces = [THREAT]
    (choice,) = ask(client).json()["choices"]
    assert choice["message"]["content"] == TOLD
    assert choice["finish_reason"] == "content_filter"


@pytest.mark.parametrize("size", [1, 5, 40])
def test_a_stream_is_rewritten(client: TestClient, model: Toy, size: int) -> None:
    text = f"Schön, 🌍! Good day. {RUDE} Bye"
    model.pieces = [text[at : at + size] for at in range(0, len(text), size)]
    got = chunks(client)
    assert said(got) == f"Schön, 🌍! Good day. {CALM} Bye"
    assert got[-1]["choices"][0]["finish_reason"] == "stop"
    assert len(got) > 2


def test_a_threat_ends_a_stream(client: TestClient, model: Toy) -> None:
    model.pieces = ["That is fine. ", "And so on. ", "I will", " kill you", " tonight. ", "More."]
    got = chunks(client)
    assert said(got) == f"That is fine. And so on. {TOLD}"
    assert got[-1]["choices"][0]["finish_reason"] == "content_filter"


def test_tokens_are_refused(client: TestClient, model: Toy) -> None:
    answer = client.post("/v1/completions", json={"model": "toy", "prompt": [1, 2, 3]})
    assert answer.status_code == 400
    assert "tokens" in answer.text
    assert model.heard == []


def test_what_is_embedded_is_guarded_and_its_numbers_pass(client: TestClient, model: Toy) -> None:
    answer = client.post("/v1/embeddings", json={"model": "toy", "input": [RUDE, "Fine."]})
    assert answer.json()["data"][0]["embedding"] == [0.5]
    assert model.heard == [[CALM, "Fine."]]


@pytest.mark.parametrize("stream", [False, True])
@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("/v1/messages", {"messages": [{"role": "user", "content": "Hello."}], "max_tokens": 9}),
        ("/v1/completions", {"prompt": "Hello."}),
    ],
)
def test_replies_of_other_endpoints_show_nothing_unchecked(
    client: TestClient, model: Toy, path: str, body: dict[str, Any], stream: bool
) -> None:
    model.pieces = ["You are an ", "idiot. ", "Bye"]
    answer = client.post(path, json={"model": "toy", "stream": stream, **body})
    assert len(model.heard) == 1, answer.text
    assert "idiot" not in answer.text
    rewritten = any(calm in answer.text for calm in ("not good", "naive"))
    assert rewritten == (path == "/v1/completions"), answer.text
    assert "checked" in answer.text or path == "/v1/completions"


def test_every_decision_is_on_record(client: TestClient, model: Toy, audit: Path) -> None:
    model.pieces = ["Fine."]
    ask(client)
    with AuditLog.open(str(audit)) as log, log.database.reading() as connection:
        rows = connection.exec_driver_sql("SELECT surface, direction FROM audit_records").fetchall()
    assert {tuple(row) for row in rows} >= {("litellm-hook", "input"), ("litellm-hook", "output")}
