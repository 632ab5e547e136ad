"""Where the words are in what LiteLLM hands over; its own objects are in test_litellm_hook."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest

from unbarb.integrations.fields import Unreadable, texts
from unbarb.integrations.litellm_shapes import asked, changed, heard, told


@pytest.mark.parametrize(
    ("request_", "found"),
    [
        ({"messages": [{"role": "system", "content": "a"}, {"role": "user", "content": "b"}]}, ["a", "b"]),
        (
            {
                "messages": [
                    {"role": "user", "content": [{"type": "text", "text": "a"}, {"type": "image_url"}]}
                ]
            },
            ["a"],
        ),
        ({"messages": [{"role": "assistant", "content": None, "tool_calls": [{"id": "a"}]}]}, []),
        ({"prompt": ["a", "b"], "suffix": "c", "user": "d"}, ["a", "b", "c"]),
        ({"system": [{"type": "text", "text": "a"}], "messages": [{"content": "b"}]}, ["b", "a"]),
        (
            {
                "input": [{"role": "user", "content": [{"type": "input_text", "text": "a"}]}],
                "instructions": "b",
            },
            ["a", "b"],
        ),
    ],
)
def test_a_requests_texts_are_found(request_: Any, found: list[str]) -> None:
    assert list(texts(request_, asked).values()) == found


@pytest.mark.parametrize("name", ["prompt", "input"])
def test_tokens_are_refused(name: str) -> None:
    for tokens in ([1, 2], [[1], [2]]):
        with pytest.raises(Unreadable, match=f"{name} holds tokens"):
            texts({name: tokens}, asked)


def choice(**fields: Any) -> Any:
    message = SimpleNamespace(**fields)
    return SimpleNamespace(index=0, message=message, finish_reason="stop", logprobs={"content": ["x"]})


def test_what_is_unknown_and_could_carry_words_is_taken_out() -> None:
    one = choice(role="assistant", content="a", citations=["b"], n=1, provider_specific_fields={"x": "c"})
    (part,) = heard(SimpleNamespace(choices=[one]))
    assert part.texts == {("content",): "a"}
    assert (one.message.citations, one.message.provider_specific_fields, one.message.n) == (None, None, 1)


def test_reasoning_is_guarded_wherever_it_stands() -> None:
    blocks = [{"type": "thinking", "thinking": "b", "signature": "s"}]
    items = [{"type": "reasoning", "summary": [{"type": "summary_text", "text": "c"}]}]
    one = choice(content=None, reasoning_content="a", thinking_blocks=blocks, reasoning_items=items)
    (part,) = heard(SimpleNamespace(choices=[one]))
    assert list(part.texts.values()) == ["a", "b", "c"]
    changed(part, ["A", "B", "C"])
    assert one.message.reasoning_content == "A"
    assert blocks[0]["thinking"] == "B"
    assert items[0]["summary"][0] == {"type": "summary_text", "text": "C"}


def test_log_probabilities_stay_only_with_the_words_that_they_spell() -> None:
    one = choice(content="a")
    (part,) = heard(SimpleNamespace(choices=[one]))
    changed(part, ["a"])
    assert one.logprobs
    changed(part, ["b"])
    assert one.logprobs is None


def test_a_block_leaves_nothing_but_what_the_user_is_told() -> None:
    one = choice(role="assistant", content="a", tool_calls=[{"id": "b"}], reasoning_content="c")
    (part,) = heard(SimpleNamespace(choices=[one]))
    told(part, "No.")
    assert vars(one.message) == {
        "role": "assistant",
        "content": "No.",
        "tool_calls": None,
        "reasoning_content": None,
    }
    assert (one.finish_reason, one.logprobs) == ("content_filter", None)


def test_speech_and_other_kinds_of_replies_are_refused() -> None:
    with pytest.raises(Unreadable, match="speech"):
        heard(SimpleNamespace(choices=[choice(content=None, audio={"transcript": "a"})]))
    with pytest.raises(Unreadable, match="bytes"):
        heard(b"data: x")
