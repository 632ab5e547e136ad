"""LiteLLM's own proxy, as it is on the index, asks our guardrail; OpenAI's client asks LiteLLM."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import openai
import pytest
from litellm_proxy import proxying
from openai import OpenAI
from proxying import Record
from scripted_upstream import ScriptedUpstream, chunk, events, saying

from serving import listening
from unbarb.guard import Guard
from unbarb.serve.settings import Settings
from unbarb.stream import StreamGuard

HELLO: Any = {"model": "toy", "messages": [{"role": "user", "content": "Hello."}]}
MIXED = (
    "Hello there. You are an idiot! Schön, 🌍 … and `code()` too.\n\n"
    "- a list\n- 你好。\n\nShut up, you moron. Bye"
)
CLEAN = (
    'Well then.\n\n```python\nprint("x")\n```\n\n| a | b |\n|---|---|\n| 1 | 2 |\n\n'
    '{"a": [1, 2]} 🌍 Ja, schön. The end'
)
THREAT = "This message was withheld because of what it says."


@dataclass(frozen=True)
class Chain:
    """Client → LiteLLM → upstream, with our guardrail asked by LiteLLM."""

    client: OpenAI
    upstream: ScriptedUpstream
    record: Record


@pytest.fixture(scope="module")
def chain(upstream: ScriptedUpstream, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Chain]:
    record = Record()
    with (
        listening(Settings(dialects=("litellm",), audit=None), record) as guardrail,
        proxying(tmp_path_factory.mktemp("litellm"), upstream.address, guardrail) as (address, key),
        OpenAI(base_url=f"{address}/v1", api_key=key, max_retries=0) as client,
    ):
        yield Chain(client, upstream, record)


@pytest.fixture(autouse=True)
def _fresh(chain: Chain) -> None:
    chain.record.clear()


def reply(message: dict[str, Any]) -> dict[str, Any]:
    choice = {"index": 0, "message": {"role": "assistant"} | message, "finish_reason": "stop"}
    usage = {"prompt_tokens": 1, "completion_tokens": 1, "total_tokens": 2}
    return {
        "id": "c",
        "object": "chat.completion",
        "created": 1,
        "model": "toy",
        "choices": [choice],
        "usage": usage,
    }


def streamed(chain: Chain) -> str:
    chunks = list(chain.client.chat.completions.create(**HELLO, stream=True))
    return "".join(choice.delta.content or "" for one in chunks for choice in one.choices)


def test_both_ways_are_rewritten(chain: Chain) -> None:
    chain.upstream.answers(reply({"content": "You are an idiot."}))
    messages: Any = [
        {"role": "system", "content": "Be kind."},
        {"role": "user", "content": "You are an idiot."},
    ]
    got = chain.client.chat.completions.create(model="toy", messages=messages)
    assert got.choices[0].message.content == "You are naive."
    assert [one["content"] for one in chain.upstream.seen[0].body["messages"]] == [
        "Be kind.",
        "You are naive.",
    ]
    assert {event.surface for event in chain.record.events if event.verdict} == {"litellm"}


def test_a_threat_is_blocked_with_the_policys_words(chain: Chain) -> None:
    chain.upstream.answers(reply({"content": "Hello."}))
    messages: Any = [{"role": "user", "content": "I will kill you."}]
    with pytest.raises(openai.BadRequestError, match=THREAT):
        chain.client.chat.completions.create(model="toy", messages=messages)
    assert chain.upstream.seen == []


def test_tool_calls_pass(chain: Chain) -> None:
    function = {"name": "post", "arguments": '{"text": "you are an idiot"}'}
    chain.upstream.answers(
        reply({"content": None, "tool_calls": [{"id": "c", "type": "function", "function": function}]})
    )
    calls = chain.client.chat.completions.create(**HELLO).choices[0].message.tool_calls
    assert calls is not None
    assert calls[0].model_dump()["function"] == function


@pytest.mark.parametrize("size", [1, 3, 7, 40])
def test_a_stream_is_rewritten_and_never_underflows(chain: Chain, size: int) -> None:
    pieces = [MIXED[at : at + size] for at in range(0, len(MIXED), size)]
    chain.upstream.streams(events(saying(pieces)))
    guard = StreamGuard(Guard())
    assert streamed(chain) == guard.feed(MIXED) + guard.close()


def test_a_clean_stream_is_byte_for_byte_what_came(chain: Chain) -> None:
    chain.upstream.streams(events(saying([CLEAN[at : at + 5] for at in range(0, len(CLEAN), 5)])))
    assert streamed(chain) == CLEAN


def test_a_threat_ends_a_stream_and_does_not_leave(chain: Chain) -> None:
    pieces = ["That is fine. ", "And so on. ", "I will", " kill you.", " And ", "more", "."]
    chain.upstream.streams(events(saying(pieces)))
    shown: list[str] = []

    def show() -> None:
        for one in chain.client.chat.completions.create(**HELLO, stream=True):
            shown.append(one.choices[0].delta.content or "")

    with pytest.raises(openai.APIError):
        show()
    assert "".join(shown) in ("", "That is fine. ", "That is fine. And so on. ")


def test_choices_of_a_stream_are_guarded_apart(chain: Chain) -> None:
    one, two = saying(["You are an id", "iot. ", "Bye."], 0), saying(["Hello ", "there", "."], 1)
    chain.upstream.streams(events([step for pair in zip(one, two, strict=True) for step in pair]))
    texts = {0: "", 1: ""}
    for got in chain.client.chat.completions.create(**HELLO, n=2, stream=True):
        for choice in got.choices:
            texts[choice.index] += choice.delta.content or ""
    assert texts == {0: "You are naive. Bye.", 1: "Hello there."}


def test_a_begun_stream_of_tool_calls_passes(chain: Chain) -> None:
    calls = [{"index": 0, "id": "c", "type": "function", "function": {"name": "f", "arguments": "{}"}}]
    chain.upstream.streams(
        events([chunk({"role": "assistant", "tool_calls": calls}), chunk(finish="tool_calls")])
    )
    found = [call for one in chain.client.chat.completions.create(**HELLO, stream=True)
             for choice in one.choices for call in choice.delta.tool_calls or []]  # fmt: skip
    assert [call.function.name for call in found if call.function] == ["f"]
