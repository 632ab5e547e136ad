"""Streamed chats through the proxy as OpenAI's own client sees them, from an upstream that cuts nastily."""

from __future__ import annotations

import json
import time
from typing import Any

import httpx2
import openai
import pytest
from openai import OpenAI
from proxying import Proxied
from scripted_upstream import DONE, KIND, at_random, bytewise, chunk, events, saying, whole

RUDE = ["Hello the", "re. You are", " an idiot. ", "Schön, 🌍", "! Bye."]
CALM = "Hello there. You are naive. Schön, 🌍! Bye."
THREAT = ["That is fine. ", "I will kill", " you. ", "And more text."]
HELLO: Any = {"model": "toy", "messages": [{"role": "user", "content": "Hello."}]}


def content(chunks: list[Any], index: int = 0) -> str:
    return "".join(
        choice.delta.content or "" for one in chunks for choice in one.choices if choice.index == index
    )


def finish(chunks: list[Any], index: int = 0) -> list[str]:
    return [
        choice.finish_reason
        for one in chunks
        for choice in one.choices
        if choice.index == index and choice.finish_reason
    ]


@pytest.mark.parametrize("cut", [whole, bytewise, *(at_random(seed) for seed in range(8))])
def test_a_rewrite_is_the_same_however_the_bytes_were_cut(
    client: OpenAI, proxied: Proxied, cut: Any
) -> None:
    proxied.upstream.streams(events(saying(RUDE)), cut)
    chunks = list(client.chat.completions.create(**HELLO, stream=True))
    assert content(chunks) == CALM
    assert finish(chunks) == ["stop"]
    assert chunks[0].choices[0].delta.role == "assistant"


@pytest.mark.parametrize("seed", range(6))
def test_any_deltas_give_the_same_text(client: OpenAI, proxied: Proxied, seed: int) -> None:
    deltas = [part.decode("utf-32-le") for part in _characters("".join(RUDE), seed)]
    proxied.upstream.streams(events(saying(deltas)), at_random(seed, 200))
    assert content(list(client.chat.completions.create(**HELLO, stream=True))) == CALM


def _characters(text: str, seed: int) -> list[bytes]:
    data = text.encode("utf-32-le")
    found: list[bytes] = []
    for part in at_random(seed, 6)(bytes(len(text))):
        found.append(data[: 4 * len(part)])
        data = data[4 * len(part) :]
    return found


def test_carriage_returns_comments_and_names_of_events_do_no_harm(client: OpenAI, proxied: Proxied) -> None:
    stream = events(saying(RUDE)).replace(b"\n\n", b"\r\n: ping\r\nevent: message\r\n\r\n")
    proxied.upstream.streams(stream, bytewise)
    assert content(list(client.chat.completions.create(**HELLO, stream=True))) == CALM


def test_escaped_characters_in_halves_come_out_whole(client: OpenAI, proxied: Proxied) -> None:
    proxied.upstream.streams(events(saying(["Hi \ud83c", "\udf0d."]), ascii=True), bytewise)
    assert content(list(client.chat.completions.create(**HELLO, stream=True))) == "Hi 🌍."


def test_a_block_ends_the_stream_and_says_so(client: OpenAI, proxied: Proxied) -> None:
    proxied.upstream.streams(events(saying(THREAT)), stays=True)
    chunks = list(client.chat.completions.create(**HELLO, stream=True))
    assert content(chunks) == "That is fine. "
    assert finish(chunks) == ["content_filter"]
    assert "".join(choice.delta.refusal or "" for one in chunks for choice in one.choices).startswith(
        "This mess"
    )
    # The model is not left talking to nobody.
    assert proxied.upstream.left.wait(10)


def test_several_choices_are_guarded_apart(client: OpenAI, proxied: Proxied) -> None:
    one, two = saying(RUDE, 0), saying([*THREAT, ""], 1)
    proxied.upstream.streams(
        events([step for pair in zip(one, two, strict=True) for step in pair]), bytewise
    )
    chunks = list(client.chat.completions.create(**HELLO, n=2, stream=True))
    assert [content(chunks, 0), content(chunks, 1)] == [CALM, "That is fine. "]
    assert [finish(chunks, 0), finish(chunks, 1)] == [["stop"], ["content_filter"]]


def test_the_clients_own_stream_helper_is_content(client: OpenAI, proxied: Proxied) -> None:
    usage = KIND | {"choices": [], "usage": {"prompt_tokens": 1, "completion_tokens": 2, "total_tokens": 3}}
    proxied.upstream.streams(events([*saying(RUDE), usage]), at_random(3))
    with client.chat.completions.stream(**HELLO, stream_options={"include_usage": True}) as stream:
        deltas = [event.delta for event in stream if event.type == "content.delta"]
        final = stream.get_final_completion()
    assert "".join(deltas) == final.choices[0].message.content == CALM
    assert final.choices[0].finish_reason == "stop"
    assert final.usage is not None
    assert final.usage.total_tokens == 3


def test_tool_calls_arrive_as_they_were_sent(client: OpenAI, proxied: Proxied) -> None:
    arguments = '{"text": "you are an idiot", "é": "🌍"}'
    calls = [
        {"index": 0, "id": "c1", "type": "function", "function": {"name": "post", "arguments": ""}},
        *({"index": 0, "function": {"arguments": one}} for one in (arguments[:9], arguments[9:])),
    ]
    deltas = [
        chunk({"role": "assistant", "content": None}),
        *(chunk({"tool_calls": [one]}) for one in calls),
    ]
    proxied.upstream.streams(events([*deltas, chunk(finish="tool_calls")]), bytewise)
    with client.chat.completions.stream(**HELLO) as stream:
        message = stream.get_final_completion().choices[0].message
    assert message.tool_calls is not None
    assert message.tool_calls[0].function.arguments == arguments


def test_bytes_of_tool_calls_are_not_touched(proxied: Proxied) -> None:
    delta = b'{"tool_calls":[{"index":0,"function":{"arguments":"\\u007b"}}]}'
    frame = b'data: {"choices" : [{"delta":' + delta + b',"index":0}]}'
    proxied.upstream.streams(frame + b"\n\n" + events([chunk(finish="tool_calls")]))
    assert frame + b"\n\n" in _raw(proxied, stream=True).content


def test_verdicts_are_told_before_the_end_and_stand_in_the_record(client: OpenAI, proxied: Proxied) -> None:
    proxied.upstream.streams(events(saying(RUDE)))
    raw = client.chat.completions.with_raw_response.create(**HELLO, stream=True)
    chunks: list[Any] = list(raw.parse())
    request = raw.headers["x-request-id"]
    assert raw.headers["x-upstream-request-id"] == "upstream-7"
    (told,) = [one.model_extra["unbarb"] for one in chunks if one.model_extra]
    assert told["request_id"] == request
    assert [one["action"] for one in told["verdicts"]] == ["allow", "allow", "rewrite", "allow", "allow"]
    recorded = [event.verdict.id for event in proxied.record.events if event.verdict]
    assert recorded == [one["id"] for one in told["verdicts"]]
    assert {event.surface for event in proxied.record.events} == {"chat"}
    assert {event.request for event in proxied.record.events} == {request}


def test_the_usage_keeps_its_place(proxied: Proxied) -> None:
    usage = KIND | {"choices": [], "usage": {"total_tokens": 3}}
    proxied.upstream.streams(events([*saying(RUDE), usage]))
    *_, last, done = [one for one in _raw(proxied, stream=True).content.split(b"\n\n") if one]
    assert json.loads(last.removeprefix(b"data: ")) == usage
    assert done == DONE.strip()


@pytest.mark.parametrize(
    "broken",
    [
        b"data: {\n\n",
        b"data: []\n\n",
        b'data: {"choices":[{"index":0,"delta":{"content":7}}]}\n\n',
        b"data: \xff\n\n",
    ],
)
def test_a_malformed_frame_ends_the_stream_and_what_was_held_back_stays(
    client: OpenAI, proxied: Proxied, broken: bytes
) -> None:
    begun = events([chunk({"content": "Hello there. You are an id"})], end=b"")
    proxied.upstream.streams(begun + broken + events([chunk({"content": "iot."})]))
    seen: list[Any] = []
    with pytest.raises(openai.APIError, match="cannot be read") as raised:
        seen.extend(client.chat.completions.create(**HELLO, stream=True))
    assert raised.value.code == "upstream_malformed"
    assert proxied.record.failures == ["upstream_malformed"]


def test_an_upstream_that_hangs_up_is_a_visible_failure(proxied: Proxied) -> None:
    proxied.upstream.streams(
        events([chunk({"content": "Hello there. You are an id"})], end=b""), drops=True
    )
    raw = _raw(proxied, stream=True).content
    assert b"Hello there." in raw
    assert b"You are" not in raw
    assert json.loads(raw.strip().split(b"\n\n")[-1][6:])["error"]["code"] == "upstream_dropped"
    assert proxied.record.failures == ["upstream_dropped"]


def test_a_stream_that_just_stops_is_a_failure_too(client: OpenAI, proxied: Proxied) -> None:
    proxied.upstream.streams(events([chunk({"content": "Hello there. You are an id"})], end=b""))
    with pytest.raises(openai.APIError, match="broke off"):
        list(client.chat.completions.create(**HELLO, stream=True))


def test_a_stream_without_done_is_whole_when_every_choice_has_ended(
    client: OpenAI, proxied: Proxied
) -> None:
    proxied.upstream.streams(events(saying(RUDE), end=b""))
    assert content(list(client.chat.completions.create(**HELLO, stream=True))) == CALM


def test_an_error_within_the_stream_is_told_guarded(client: OpenAI, proxied: Proxied) -> None:
    failed = {"error": {"message": "You are an idiot.", "code": "oom"}}
    proxied.upstream.streams(events([chunk({"content": "Hello there. You are an id"}), failed]))
    with pytest.raises(openai.APIError, match=r"You are naive\.") as raised:
        list(client.chat.completions.create(**HELLO, stream=True))
    assert raised.value.code == "oom"


def test_a_client_that_goes_away_ends_the_talk_upstream(client: OpenAI, proxied: Proxied) -> None:
    proxied.upstream.streams(events([chunk({"content": "Hello there. And"})], end=b""), stays=True)
    stream = client.chat.completions.create(**HELLO, stream=True)
    assert next(iter(stream)).choices[0].delta.content == "Hello there. "
    stream.close()
    assert proxied.upstream.left.wait(10)
    assert proxied.record.failed.wait(10)
    assert proxied.record.failures == ["client_gone"]


def test_a_reply_that_is_no_stream_is_refused(client: OpenAI, proxied: Proxied) -> None:
    proxied.upstream.answers({"choices": [{"index": 0, "message": {"content": "You idiot"}}]})
    with pytest.raises(openai.InternalServerError, match="did not stream") as raised:
        client.chat.completions.create(**HELLO, stream=True)
    assert raised.value.status_code == 502


def _raw(proxied: Proxied, **more: Any) -> httpx2.Response:
    return httpx2.post(f"{proxied.address}/v1/chat/completions", json=HELLO | more, timeout=30)


def test_a_client_that_does_not_read_slows_the_upstream_down(proxied: Proxied) -> None:
    calls = [{"index": 0, "function": {"arguments": "x" * 65_000}}]
    frame = events([chunk({"tool_calls": calls})], end=b"")
    parts = [frame] * 1500
    proxied.upstream.streams(b"", lambda _: parts)
    with httpx2.stream("POST", f"{proxied.address}/v1/chat/completions", json=HELLO | {"stream": True}):
        before, still = -1, 0
        while still < 10:  # half a second in which nothing was taken
            still = still + 1 if proxied.upstream.sent == before else 0
            before = proxied.upstream.sent
            time.sleep(0.05)
        assert before < len(parts)
    assert proxied.upstream.left.wait(10)
