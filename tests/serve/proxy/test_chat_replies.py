"""Chats that are not streamed, requests that are refused, and what happens when the upstream fails."""

from __future__ import annotations

import json
from typing import Any

import httpx2
import openai
import pytest
from openai import OpenAI
from proxying import Proxied

Json = dict[str, Any]
HELLO: Any = {"model": "toy", "messages": [{"role": "user", "content": "Hello."}]}
USAGE = {"prompt_tokens": 1, "completion_tokens": 2, "total_tokens": 3}


def reply(*texts: str | None, **more: Any) -> Json:
    """A chat's reply with a choice for each text; `more` stands in every message."""
    choices = [
        {
            "index": at,
            "message": {"role": "assistant", "content": text} | more,
            "logprobs": {"content": [{"token": text, "logprob": -1.0, "bytes": None, "top_logprobs": []}]},
            "finish_reason": "stop",
        }
        for at, text in enumerate(texts)
    ]
    return {
        "id": "c1",
        "object": "chat.completion",
        "created": 1,
        "model": "toy",
        "choices": choices,
        "usage": USAGE,
    }


def chat(proxied: Proxied, body: Any = None, **headers: str) -> httpx2.Response:
    data = body if isinstance(body, bytes) else json.dumps(HELLO | (body or {})).encode()
    return httpx2.post(f"{proxied.address}/v1/chat/completions", content=data, headers=headers, timeout=30)


def test_a_clean_reply_comes_back_as_it_was(client: OpenAI, proxied: Proxied) -> None:
    sent = reply("Hello there.")
    proxied.upstream.answers(sent)
    got = chat(proxied).json()
    told = got.pop("unbarb")
    assert got == sent
    assert [one["action"] for one in told["verdicts"]] == ["allow", "allow"]
    assert told["verdicts"][1]["id"] == f"{told['request_id']}:choices[0].message.content"


def test_a_rude_reply_is_rewritten_without_its_tokens(client: OpenAI, proxied: Proxied) -> None:
    proxied.upstream.answers(reply("You are an idiot.", "Hello."))
    got = client.chat.completions.create(**HELLO, n=2)
    assert [choice.message.content for choice in got.choices] == ["You are naive.", "Hello."]
    assert [choice.logprobs is None for choice in got.choices] == [True, False]
    assert [choice.finish_reason for choice in got.choices] == ["stop", "stop"]
    assert got.usage is not None
    assert got.usage.total_tokens == 3


def test_a_blocked_choice_says_why_and_the_others_stay(client: OpenAI, proxied: Proxied) -> None:
    calls = [{"id": "c", "type": "function", "function": {"name": "f", "arguments": "{}"}}]
    proxied.upstream.answers(reply("I will kill you.", "Hello.", tool_calls=calls))
    first, second = client.chat.completions.create(**HELLO, n=2).choices
    assert (first.finish_reason, first.message.content, first.message.tool_calls) == (
        "content_filter",
        None,
        None,
    )
    assert first.message.refusal == "This message was withheld because of what it says."
    assert second.finish_reason == "stop"
    assert second.message.tool_calls is not None


@pytest.mark.parametrize("name", ["content", "refusal", "reasoning_content", "reasoning"])
def test_whatever_people_read_in_a_reply_is_guarded(proxied: Proxied, name: str) -> None:
    proxied.upstream.answers(reply(None, **{name: "You are an idiot."}))
    assert chat(proxied).json()["choices"][0]["message"][name] == "You are naive."


def test_parts_of_a_reply_are_guarded(proxied: Proxied) -> None:
    part = {"type": "text", "text": "You are an idiot.", "annotations": [{"title": "You are an idiot."}]}
    proxied.upstream.answers(reply(None, content=[part, {"type": "file", "file": {"filename": "idiot"}}]))
    got = chat(proxied).json()
    said = [{"type": "text", "text": "You are naive."}, {"type": "file"}]
    assert got["choices"][0]["message"]["content"] == said
    assert got["unbarb"]["withheld"] == [
        "choices.message.content.annotations",
        "choices.message.content.file",
    ]


def test_other_words_in_a_reply_are_withheld_and_named(proxied: Proxied) -> None:
    odd = {"audio": {"transcript": "You are an idiot."}, "annotations": []}
    proxied.upstream.answers(reply("Hello.", **odd) | {"citations": ["You are an idiot."]})
    got = chat(proxied).json()
    assert "idiot" not in json.dumps(got)
    assert got["unbarb"]["withheld"] == ["choices.message.audio", "citations"]
    assert got["choices"][0]["message"]["annotations"] == []


def test_every_message_is_guarded_on_its_way_in(client: OpenAI, proxied: Proxied) -> None:
    proxied.upstream.answers(reply("Hello."))
    picture = {"type": "image_url", "image_url": {"url": "data:image/png;base64,aWRpb3Q="}}
    calls = [
        {
            "id": "c",
            "type": "function",
            "function": {"name": "f", "arguments": '{"a": "You are an idiot."}'},
        }
    ]
    messages: Any = [
        {"role": "system", "content": "Be kind."},
        {"role": "user", "content": [{"type": "text", "text": "You are an idiot."}, picture]},
        {"role": "assistant", "content": None, "tool_calls": calls},
        {"role": "tool", "tool_call_id": "c", "content": "You are an idiot."},
        {"role": "user", "content": "Hello."},
    ]
    client.chat.completions.create(model="toy", messages=messages, temperature=0.5)
    (seen,) = proxied.upstream.seen
    got = seen.body["messages"]
    assert got[1]["content"] == [{"type": "text", "text": "You are naive."}, picture]
    assert got[2]["tool_calls"] == calls
    assert got[3]["content"] == "You are naive."
    assert [got[0], got[4]] == [messages[0], messages[4]]
    assert seen.body["temperature"] == 0.5


def test_a_clean_request_goes_upstream_as_the_bytes_that_came(proxied: Proxied) -> None:
    proxied.upstream.answers(reply("Hello."))
    body = b'{ "model":"toy", "messages": [{"role":"user","content":"Hi \\u00e9"}], "temperature": 1.0 }'
    assert chat(proxied, body).status_code == 200
    assert proxied.upstream.seen[0].headers["content-length"] == str(len(body))


def test_a_blocked_request_never_goes_upstream(client: OpenAI, proxied: Proxied) -> None:
    proxied.upstream.answers(reply("Hello."))
    got = client.chat.completions.create(
        model="toy", messages=[{"role": "user", "content": "I will kill you."}]
    )
    (choice,) = got.choices
    assert (choice.finish_reason, choice.message.content) == ("content_filter", None)
    assert choice.message.refusal == "This message was withheld because of what it says."
    assert proxied.upstream.seen == []
    assert [event.verdict.action for event in proxied.record.events if event.verdict] == ["block"]


def test_a_blocked_request_is_answered_as_a_stream_where_one_was_asked_for(
    client: OpenAI, proxied: Proxied
) -> None:
    messages: Any = [{"role": "user", "content": "I will kill you."}]
    asked: Any = {"model": "toy", "messages": messages, "stream_options": {"include_usage": True}}
    chunks = list(client.chat.completions.create(**asked, stream=True))
    choices = [choice for one in chunks for choice in one.choices]
    assert choices[0].delta.role == "assistant"
    assert choices[1].delta.refusal == "This message was withheld because of what it says."
    assert choices[2].finish_reason == "content_filter"
    assert chunks[-1].usage is not None
    with (
        pytest.raises(openai.ContentFilterFinishReasonError),
        client.chat.completions.stream(**asked) as stream,
    ):
        stream.until_done().get_final_completion()
    assert proxied.upstream.seen == []


def test_a_completion_is_guarded_both_ways(client: OpenAI, proxied: Proxied) -> None:
    def completion(*texts: str) -> Json:
        choices = [
            {"index": at, "text": text, "logprobs": None, "finish_reason": "stop"}
            for at, text in enumerate(texts)
        ]
        return {"id": "c", "object": "text_completion", "created": 1, "model": "toy", "choices": choices}

    proxied.upstream.answers(completion("You are an idiot.", "I will kill you."))
    got = client.completions.create(model="toy", prompt=["You are an idiot.", "Hello."], suffix="Bye.")
    assert [choice.text for choice in got.choices] == ["You are naive.", ""]
    assert [choice.finish_reason for choice in got.choices] == ["stop", "content_filter"]
    assert proxied.upstream.seen[0].path == "/v1/completions"
    assert proxied.upstream.seen[0].body["prompt"] == ["You are naive.", "Hello."]


def test_a_streamed_completion_is_guarded(client: OpenAI, proxied: Proxied) -> None:
    def step(text: str, finish: str | None = None) -> bytes:
        choice = {"index": 0, "text": text, "logprobs": None, "finish_reason": finish}
        one = {"id": "c", "object": "text_completion", "created": 1, "model": "toy", "choices": [choice]}
        return b"data: " + json.dumps(one).encode() + b"\n\n"

    proxied.upstream.streams(step("Well. You are an id") + step("iot.", "stop") + b"data: [DONE]\n\n")
    chunks = list(client.completions.create(model="toy", prompt="Hello.", stream=True))
    assert "".join(choice.text for one in chunks for choice in one.choices) == "Well. You are naive."


def test_the_upstreams_models_are_listed(client: OpenAI, proxied: Proxied) -> None:
    proxied.upstream.answers(
        {"object": "list", "data": [{"id": "toy", "object": "model", "created": 1, "owned_by": "me"}]}
    )
    assert [model.id for model in client.models.list()] == ["toy"]
    assert proxied.upstream.seen[0].path == "/v1/models"


@pytest.mark.parametrize(
    ("body", "named"),
    [
        (b"{", "JSON"),
        (b'{"messages":[],"messages":[{"role":"user","content":"x"}]}', "given twice"),
        ({"messages": []}, "messages"),
        ({"messages": ["x"]}, "messages[0]"),
        ({"messages": [{"role": "user", "content": 3}]}, "messages[0].content"),
        ({"messages": [{"content": [{"type": "thought", "text": "x"}]}]}, "messages[0].content[0]"),
        ({"messages": [{"content": [{"type": "text"}]}]}, "messages[0].content[0]"),
        ({"messages": [{"content": [{"type": ["text"], "text": "x"}]}]}, "messages[0].content[0]"),
        ({"messages": [{"content": ["x"]}]}, "messages[0].content[0]"),
        ({"modalities": ["text", "audio"]}, "modalities"),
        ({"stream": "yes"}, "stream"),
        ({"n": 0}, "n:"),
    ],
)  # fmt: skip
def test_a_request_that_cannot_be_checked_is_refused(proxied: Proxied, body: Any, named: str) -> None:
    answer = chat(proxied, body)
    assert answer.status_code == 400
    assert named in answer.json()["error"]["message"]
    assert answer.json()["error"]["type"] == "invalid_request_error"
    assert proxied.upstream.seen == []


def test_all_that_is_wrong_is_told_at_once(proxied: Proxied) -> None:
    wrong = [{"role": "user", "content": 3}, "x"]
    message = chat(proxied, {"messages": wrong}).json()["error"]["message"]
    assert "messages[0].content" in message
    assert "messages[1]" in message


@pytest.mark.parametrize("prompt", [None, [], [1, 2], [[1, 2]], [1, "x"], {"a": 1}])
def test_a_prompt_of_tokens_is_refused(proxied: Proxied, prompt: Any) -> None:
    answer = httpx2.post(f"{proxied.address}/v1/completions", json={"model": "toy", "prompt": prompt})
    assert answer.status_code == 400
    assert "prompt" in answer.json()["error"]["message"]


@pytest.mark.parametrize(
    ("status", "shown"),
    [(400, 400), (404, 404), (409, 409), (429, 429), (500, 502), (503, 503), (504, 504), (302, 502)],
)
def test_an_error_of_the_upstream_is_told_guarded(proxied: Proxied, status: int, shown: int) -> None:
    error = {
        "message": "You are an idiot.",
        "code": "model_not_found",
        "failed_generation": "You are an idiot.",
    }
    proxied.upstream.answers({"error": error}, status, retry_after="7", location="/elsewhere")
    answer = chat(proxied)
    assert answer.status_code == shown
    assert answer.json()["error"]["message"] == "You are naive."
    assert answer.json()["error"]["code"] == "model_not_found"
    assert "idiot" not in answer.text
    assert answer.headers["retry-after"] == "7"
    assert answer.headers["x-upstream-request-id"] == "upstream-7"
    # Its code may say anything, so the record and the metrics have a word of ours.
    assert proxied.record.failures == (["upstream_error"] if shown >= 500 else [])


@pytest.mark.parametrize("body", [b"", b"<html>You are an idiot</html>", b"[]", b'{"error": 3}'])
def test_an_error_without_words_of_its_own_gets_ours(proxied: Proxied, body: bytes) -> None:
    proxied.upstream.answers(body, 500)
    answer = chat(proxied)
    assert (answer.status_code, answer.json()["error"]["code"]) == (502, "upstream_error")
    assert "idiot" not in answer.text


@pytest.mark.parametrize("body", [b"", b"{", b"[]", b'{"choices": 3}', b'{"choices": [{"index": 0}]}',
                                  b'{"choices": [{"message": {"content": {"a": "idiot"}}}]}',
        b'{"choices": [{"message": {}, "finish_reason": {"a": "idiot"}}]}'])  # fmt: skip
def test_a_reply_that_cannot_be_read_does_not_leave(proxied: Proxied, body: bytes) -> None:
    proxied.upstream.answers(body)
    answer = chat(proxied)
    assert (answer.status_code, answer.json()["error"]["code"]) == (502, "upstream_malformed")
    assert proxied.record.failures == ["upstream_malformed"]


def test_the_message_of_a_failure_reaches_the_client(client: OpenAI, proxied: Proxied) -> None:
    proxied.upstream.answers({"error": {"message": "The model is busy.", "code": "busy"}}, 429)
    with pytest.raises(openai.RateLimitError, match="The model is busy"):
        client.chat.completions.create(**HELLO)


def test_half_a_surrogate_pair_leaves_as_it_was_judged(proxied: Proxied) -> None:
    proxied.upstream.answers(reply("Hi \ud83c there."))
    assert chat(proxied).json()["choices"][0]["message"]["content"] == "Hi � there."
