"""Chunks of a stream, guarded, without a wire: what leaves, when, and as which bytes."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Sequence
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from plain_judge import MESSAGE, guard
from scripted_upstream import KIND, chunk, saying

from unbarb.serve.proxy.choices import CHAT, COMPLETION, Layout
from unbarb.serve.proxy.deltas import Deltas, Malformed, Reported
from unbarb.text import Verdict

Json = dict[str, Any]


def told(verdicts: Sequence[Verdict], withheld: Sequence[str]) -> Json:
    return {"actions": [verdict.action for verdict in verdicts], "withheld": list(withheld)}


def run(
    chunks: Sequence[Json | bytes], layout: Layout = CHAT, choices: int = 1, *, close: bool = True
) -> list[Json]:
    return [json.loads(data) for step in steps(chunks, layout, choices, close=close) for data in step]


def steps(
    chunks: Sequence[Json | bytes], layout: Layout = CHAT, choices: int = 1, *, close: bool = False
) -> list[list[bytes]]:
    """What leaves after each chunk, and after the end."""

    async def all_of_them() -> list[list[bytes]]:
        deltas = Deltas(layout, guard, told, choices)
        found = [
            await deltas.take(one if isinstance(one, bytes) else json.dumps(one).encode()) for one in chunks
        ]
        return [*found, await deltas.close()] if close else found

    return asyncio.run(all_of_them())


def text_of(chunks: Sequence[Json], index: int = 0, name: str = "content") -> str:
    """What a client puts together."""
    found = ""
    for one in chunks:
        for choice in one["choices"]:
            if choice["index"] == index:
                found += choice.get("delta", choice).get(name) or ""
    return found


def finishes(chunks: Sequence[Json], index: int = 0) -> list[str]:
    return [
        choice["finish_reason"]
        for one in chunks
        for choice in one["choices"]
        if choice["index"] == index and choice["finish_reason"]
    ]


def test_a_sentence_is_held_back_until_it_is_whole() -> None:
    found = steps(saying(["Hello th", "ere. You ar", "e an idi", "ot. By", "e."]))
    texts = [text_of([json.loads(data) for data in step]) for step in found]
    assert texts == ["", "", "Hello there. ", "", "You are an friend. ", "", "Bye."]


def test_the_role_goes_first_and_the_end_stands_alone() -> None:
    found = run(saying(["Hello"]))
    assert [one["choices"][0]["delta"] for one in found] == [
        {"role": "assistant", "content": ""}, {"content": "Hello"}, {},
    ]  # fmt: skip
    assert [one["choices"][0]["finish_reason"] for one in found] == [None, None, "stop"]


def test_text_in_the_last_chunk_goes_before_its_end() -> None:
    found = run([chunk({"content": "You idiot"}, finish="stop", index=0)])
    assert [one["choices"][0]["delta"] for one in found] == [{"content": "You friend"}, {}]
    assert finishes(found) == ["stop"]


@given(st.lists(st.integers(1, 7), min_size=1, max_size=40))
def test_any_cutting_of_the_same_text_gives_the_same_text(sizes: list[int]) -> None:
    text = "Hello there. You are an idiot! What 🌍 is `code`?\n\n- a list\n- of idiots\n\nBye."
    pieces, at = [], 0
    for size in sizes:
        pieces.append(text[at : at + size])
        at += size
    found = run(saying([*pieces, text[at:]]))
    assert text_of(found) == text.replace("idiot", "friend")


def test_tool_calls_pass_at_once_as_the_bytes_that_came() -> None:
    call = '{"index":0, "id":"c1","type":"function","function":{"name":"f","arguments":"{\\"a\\": \\"idi"}}'
    more = '{"index":0,"function":{"arguments":"ot\\u00e9\\"}"}}'
    around = '{"id":"x","choices": [{"index":0,"finish_reason":null,"delta":{"tool_calls":[%s]}}]}'
    sent = [(around % one).encode() for one in (call, more)]
    end = json.dumps(chunk(finish="tool_calls")).encode()
    first, second, _ = steps([*sent, end])
    assert [first, second] == [[sent[0]], [sent[1]]]


def test_tool_calls_do_not_wait_for_text_that_is_held_back() -> None:
    calls = [{"index": 0, "function": {"arguments": "{"}}]
    found = steps(
        [chunk({"content": "You idi", "tool_calls": calls}), chunk({"content": "ot"}, finish="tool_calls")]
    )
    (first,) = [json.loads(data) for data in found[0]]
    assert first["choices"][0]["delta"] == {"tool_calls": calls}
    assert text_of([json.loads(data) for data in found[1]]) == "You friend"


def test_choices_are_guarded_apart() -> None:
    one, two = saying(["You idi", "ot."], 0), saying(["Hello the", "re."], 1)
    mixed = [step for pair in zip(one, two, strict=True) for step in pair]
    found = run(mixed, choices=2)
    assert [text_of(found, 0), text_of(found, 1)] == ["You friend.", "Hello there."]
    assert [finishes(found, 0), finishes(found, 1)] == [["stop"], ["stop"]]


def test_choices_in_one_chunk_are_guarded_apart() -> None:
    def both(first: str, second: str, finish: str | None = None) -> Json:
        texts = enumerate((first, second))
        choices = [{"index": at, "delta": {"content": text}, "finish_reason": finish} for at, text in texts]
        return KIND | {"choices": choices}

    found = run([both("You idi", "Hel"), both("ot", "lo", "stop")], choices=2)
    assert [text_of(found, 0), text_of(found, 1)] == ["You friend", "Hello"]
    assert [finishes(found, 0), finishes(found, 1)] == [["stop"], ["stop"]]


def test_a_block_ends_its_choice_and_no_other() -> None:
    one, two = saying(["Well. ", "I kill you. ", "And more."], 0), saying(["All ", "is ", "well."], 1)
    found = run([step for pair in zip(one, two, strict=True) for step in pair], choices=2)
    assert text_of(found, 0) == "Well. "
    assert text_of(found, 0, "refusal") == MESSAGE
    assert [finishes(found, 0), finishes(found, 1)] == [["content_filter"], ["stop"]]
    assert text_of(found, 1) == "All is well."


def test_tool_calls_after_a_block_do_not_leave() -> None:
    calls = [{"index": 0, "function": {"name": "f", "arguments": "{}"}}]
    found = run(
        [chunk({"content": "I kill you. And"}), chunk({"tool_calls": calls}), chunk(finish="tool_calls")]
    )
    assert finishes(found) == ["content_filter"]
    assert not [one for one in found if "tool_calls" in one["choices"][0]["delta"]]


@pytest.mark.parametrize("name", ["content", "refusal", "reasoning_content", "reasoning"])
def test_whatever_people_read_is_guarded(name: str) -> None:
    found = run([chunk({name: "You idi"}), chunk({name: "ot."}), chunk(finish="stop")])
    assert text_of(found, name=name) == "You friend."


@pytest.mark.parametrize("name", ["reasoning_content", "reasoning"])
def test_the_end_of_a_reasoning_does_not_wait_for_the_end_of_the_answer(name: str) -> None:
    said = [{name: "You idi"}, {name: "ot"}, {"content": "Well"}, {name: " And an idiot"}, {"content": "."}]
    found = run([*(chunk(delta) for delta in said), chunk(finish="stop")])
    assert [one["choices"][0]["delta"] for one in found] == [
        {name: "You friend"}, {name: " And an friend"}, {"content": "Well."}, {},
    ]  # fmt: skip
    assert found[-1]["unbarb"]["actions"] == ["rewrite", "allow", "rewrite"]


def test_a_reasoning_that_is_blocked_at_its_end_ends_its_choice() -> None:
    found = run([chunk({"reasoning": "I kill"}), chunk({"content": "Well. And"}), chunk(finish="stop")])
    assert finishes(found) == ["content_filter"]
    assert "kill" not in json.dumps(found)


def test_fields_that_could_carry_words_are_withheld_and_named() -> None:
    odd = {"audio": {"transcript": "idiot"}, "annotations": [], "content": None}
    found = run([chunk(odd, stop_reason="idiot") | {"citations": ["idiot"]}, chunk(finish="stop")])
    assert "idiot" not in json.dumps([one["choices"] for one in found])
    assert found[0]["choices"][0]["delta"] == {"annotations": [], "content": None}
    assert found[-1]["unbarb"]["withheld"] == ["choices.delta.audio", "choices.stop_reason", "citations"]


def test_the_last_end_tells_the_verdicts_and_the_usage_stays_behind_it() -> None:
    usage = KIND | {"choices": [], "usage": {"prompt_tokens": 1, "completion_tokens": 2, "total_tokens": 3}}
    found = run([*saying(["You idiot."]), usage])
    assert found[-1] == usage
    assert found[-2]["unbarb"] == {"actions": ["rewrite"], "withheld": []}
    assert [one for one in found if "unbarb" in one] == [found[-2]]


def test_usage_that_comes_with_the_end_comes_once() -> None:
    found = run(
        [
            chunk({"content": "Hel"}),
            chunk({"content": "lo"}, finish="stop") | {"usage": {"total_tokens": 3}},
        ]
    )
    assert [one.get("usage") for one in found] == [None, {"total_tokens": 3}]


def test_an_upstream_that_names_no_end_is_ended_by_its_done() -> None:
    found = run([chunk({"content": "You idi"}), chunk({"content": "ot"})])
    assert text_of(found) == "You friend"
    assert found[-1]["unbarb"] == {"actions": ["rewrite"], "withheld": []}


def test_fewer_choices_than_asked_for_still_tell_their_verdicts() -> None:
    found = run(saying(["Hello."]), choices=3)
    assert [one["unbarb"]["actions"] for one in found if "unbarb" in one] == [["allow"]]


def tokens(text: str) -> Json:
    return {"content": [{"token": text, "logprob": -0.5, "top_logprobs": []}], "refusal": None}


def test_probabilities_wait_for_their_text() -> None:
    found = steps([chunk({"content": text}, logprobs=tokens(text)) for text in ("Hel", "lo", ". ", "Bye")])
    shown = [[json.loads(data)["choices"][0] for data in step] for step in found]
    assert shown[:3] == [[], [], []]
    assert shown[3][0]["delta"]["content"] == "Hello. "
    assert [one["token"] for one in shown[3][0]["logprobs"]["content"]] == ["Hel", "lo", ". "]


def test_probabilities_of_a_changed_text_do_not_leave() -> None:
    words = ["Well. ", "You ", "idi", "ot. ", "Bye. ", "Now."]
    found = run(
        [*(chunk({"content": word}, logprobs=tokens(word)) for word in words), chunk(finish="stop")]
    )
    shown = [choice.get("logprobs") for one in found for choice in one["choices"]]
    assert [one["token"] for part in shown if part for one in part["content"]] == ["Well. "]
    assert "idi" not in json.dumps(found)


def test_probabilities_that_straddle_a_change_do_not_leave() -> None:
    found = run(
        [
            chunk({"content": "Well. You idi"}, logprobs=tokens("Well. You idi")),
            chunk({"content": "ot."}, "stop"),
        ]
    )
    assert [
        choice.get("logprobs") for one in found for choice in one["choices"] if choice.get("logprobs")
    ] == []


def test_halves_of_a_surrogate_pair_come_out_as_one_character() -> None:
    found = run([chunk({"content": "Hi \ud83c"}), chunk({"content": "\udf0d!"}), chunk(finish="stop")])
    assert text_of(found) == "Hi 🌍!"


def test_half_a_pair_that_stays_alone_is_replaced() -> None:
    found = run([chunk({"content": "Hi \ud83c"}), chunk(finish="stop")])
    assert text_of(found) == "Hi �"


def test_a_completion_is_guarded_in_its_own_layout() -> None:
    def said(text: str, finish: str | None = None) -> Json:
        return {
            "id": "c",
            "choices": [{"index": 0, "text": text, "logprobs": None, "finish_reason": finish}],
        }

    found = run([said("You idi"), said("ot. I "), said("kill you."), said("More", "stop")], COMPLETION)
    assert text_of(found, name="text") == "You friend. "
    assert finishes(found) == ["content_filter"]
    assert all("text" in choice for one in found for choice in one["choices"])


@pytest.mark.parametrize(
    "data",
    [
        b"{", b"[]", b"", b"null", b"{}", b'{"choices":{}}', b'{"choices":[1]}', b'{"choices":[{}]}',
        b'{"choices":[{"index":true}]}', b'{"choices":[{"index":-1}]}',
        b'{"choices":[{"index":0,"delta":[]}]}', b'{"choices":[{"index":0,"delta":{"content":["idiot"]}}]}',
        b'{"choices":[{"index":0,"delta":{"content":"idiot","content":""}}]}',
        b'{"choices":[{"index":0,"delta":{},"finish_reason":{"x":"idiot"}}]}', b"\xff\xfe{}",
        b'{"a":' * 100_000,
    ],
)  # fmt: skip
def test_what_cannot_be_read_is_not_passed_on(data: bytes) -> None:
    with pytest.raises(Malformed):
        steps([data])


def test_an_error_in_the_stream_is_told_apart() -> None:
    with pytest.raises(Reported) as raised:
        steps([chunk({"content": "You idi"}), {"error": {"message": "out of memory"}}])
    assert raised.value.error == {"message": "out of memory"}
