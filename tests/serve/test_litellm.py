"""The guardrail that LiteLLM asks: whole texts one way, growing texts the other."""

from __future__ import annotations

from random import Random
from typing import Any

import pytest
from starlette.testclient import TestClient

from unbarb.audit import Event
from unbarb.guard import Guard

PATH = "/beta/litellm_basic_guardrail_api"
WITHHELD = "This message was withheld because of what it says."
MIXED = (
    "Hello there. You are an idiot! Schön, 🌍 … and `code()` too.\n\n"
    "| a | b |\n|---|---|\n| 1 | 2 |\n\nShut up, you moron. 你好。All is well"
)


def ask(
    service: TestClient, texts: list[str] | None, kind: str = "response", **more: Any
) -> dict[str, Any]:
    body = {"texts": texts, "input_type": kind, "request_data": {}} | more
    answer = service.post(PATH, json=body)
    assert answer.status_code == 200, answer.text
    return dict(answer.json())


@pytest.mark.parametrize("kind", ["request", "response"])
def test_clean_texts_stay(service: TestClient, kind: str) -> None:
    texts = ["Hello there.", "", "All is well"]
    answer = ask(service, texts, kind)
    assert (answer["action"], answer["texts"]) == ("NONE", texts)


@pytest.mark.parametrize("kind", ["request", "response"])
def test_rude_texts_are_rewritten_in_their_places(service: TestClient, kind: str) -> None:
    answer = ask(service, ["Hello.", "You are an idiot.", "Bye."], kind)
    assert answer["action"] == "GUARDRAIL_INTERVENED"
    assert answer["texts"] == ["Hello.", "You are naive.", "Bye."]


@pytest.mark.parametrize("kind", ["request", "response"])
@pytest.mark.parametrize("threat", ["I will kill you.", "I will kill you"])
def test_a_threat_is_blocked_with_a_reason(service: TestClient, kind: str, threat: str) -> None:
    answer = ask(service, ["Hello.", threat], kind)
    assert (answer["action"], answer["blocked_reason"]) == ("BLOCKED", WITHHELD)
    assert answer["texts"] is None


@pytest.mark.parametrize("texts", [None, []])
def test_nothing_to_guard_is_no_trouble(service: TestClient, texts: list[str] | None) -> None:
    calls = [{"id": "c", "type": "function", "function": {"name": "f", "arguments": "{}"}}]
    assert ask(service, texts, tool_calls=calls, images=["data:image/png;base64,AA=="])["action"] == "NONE"


def test_more_texts_than_the_service_takes_at_once_are_guarded(service: TestClient) -> None:
    texts = ["Hello."] * 299 + ["You are an idiot."]
    assert ask(service, texts, "request")["texts"] == [*texts[:299], "You are naive."]


def test_the_policy_may_be_named_in_litellms_configuration(service: TestClient) -> None:
    answer = ask(
        service, ["You are an idiot."], additional_provider_specific_params={"policy": "moderation"}
    )
    assert (answer["action"], answer["texts"]) == ("NONE", ["You are an idiot."])


class Client:
    """What LiteLLM shows of a stream: what is new and not held back; at the end the rest."""

    def __init__(self) -> None:
        self.shown = ""

    def take(self, answer: dict[str, Any], *, last: bool) -> None:
        (text,), (held,) = answer["texts"], answer["stream_holdback_chars"]
        assert text.startswith(self.shown), "LiteLLM ends such a stream with stream_transform_underflow"
        end = max(len(self.shown), len(text) - (0 if last else held))
        self.shown = text[:end]


@pytest.mark.parametrize("seed", range(6))
@pytest.mark.parametrize("name", ["call-1", None])
def test_a_growing_text_never_takes_back_what_was_shown(
    service: TestClient, seed: int, name: str | None
) -> None:
    random, client, end = Random(seed), Client(), 0
    more = {"litellm_call_id": f"{name}-{seed}"} if name else {}
    while end < len(MIXED):
        end = min(len(MIXED), end + random.randint(1, 25))
        client.take(ask(service, [MIXED[:end]], **more), last=end == len(MIXED))
        assert "idiot" not in client.shown
        assert "moron" not in client.shown
    assert client.shown == ask(service, [MIXED])["texts"][0]


def test_what_was_decided_is_not_decided_again(service: TestClient, events: list[Event]) -> None:
    text = "Hello there. You are an idiot. All is well. And so on. "
    for end in (20, 35, 50, len(text)):
        ask(service, [text[:end]], litellm_call_id="once")
    whole = [event.verdict.original for event in events if event.verdict]
    assert [whole.count(piece) for piece in ("Hello there. ", "You are an idiot. ", "All is well. ")] == [
        1,
        1,
        1,
    ]


def test_another_caller_or_another_text_of_that_name_is_decided_anew(service: TestClient) -> None:
    assert ask(service, ["Hello there. Bye."], litellm_call_id="same")["texts"] == ["Hello there. Bye."]
    answer = ask(service, ["You are an idiot. Bye."], litellm_call_id="same")
    assert answer["texts"] == ["You are naive. Bye."]


def test_a_sentence_that_is_only_begun_does_not_block_a_growing_text(service: TestClient) -> None:
    client = Client()
    text = "Fine. I will kill the process with a signal, and then it starts again."
    for end in (5, 17, 21, 45, len(text)):
        client.take(ask(service, [text[:end]], litellm_call_id="grows"), last=end == len(text))
    assert client.shown == text


def test_a_begun_threat_that_is_the_end_is_replaced_by_the_notice(service: TestClient) -> None:
    client = Client()
    for text in ("Fine. ", "Fine. I will kill", "Fine. I will kill you"):
        client.take(ask(service, [text], litellm_call_id="ends"), last=text.endswith("you"))
    assert client.shown == f"Fine. {WITHHELD}"


def test_a_whole_threat_blocks_a_growing_text(service: TestClient) -> None:
    ask(service, ["Fine. I will"], litellm_call_id="threat")
    assert ask(service, ["Fine. I will kill you. And"], litellm_call_id="threat")["action"] == "BLOCKED"


def test_a_reply_is_what_the_guard_makes_of_it(service: TestClient) -> None:
    assert ask(service, [MIXED])["texts"] == [Guard()(MIXED, direction="output").text]


@pytest.mark.parametrize(
    "body", [{}, {"input_type": "other", "texts": []}, {"input_type": "request", "texts": "x"}]
)
def test_what_litellm_would_not_send_is_refused(service: TestClient, body: dict[str, Any]) -> None:
    assert service.post(PATH, json=body).status_code == 422
