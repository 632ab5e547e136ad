"""What is cut over several parts of one content is judged as it reads; so are names and predictions."""

from __future__ import annotations

from typing import Any

import httpx2
import pytest
from proxying import Proxied

PICTURE = {"type": "image_url", "image_url": {"url": "data:image/png;base64,aWRpb3Q="}}


def parts(*texts: str) -> list[dict[str, Any]]:
    return [{"type": "text", "text": text} for text in texts]


def user(content: Any, **more: Any) -> dict[str, Any]:
    return {"messages": [{"role": "user", "content": content} | more]}


def chat(proxied: Proxied, body: Any, content: Any = "Hello.") -> Any:
    """The answer to `body` where the model says `content`."""
    message = {"role": "assistant", "content": content}
    proxied.upstream.answers(
        {"id": "c", "choices": [{"index": 0, "message": message, "finish_reason": "stop"}]}
    )
    url = f"{proxied.address}/v1/chat/completions"
    return httpx2.post(url, json={"model": "toy"} | body, timeout=30).json()


def decided(proxied: Proxied) -> list[tuple[str, str]]:
    """What stands in the record: which text, and its action."""
    found = [event.verdict for event in proxied.record.events if event.verdict]
    return [(str(one.id).partition(":")[2], one.action) for one in found]


def test_an_insult_over_two_parts_of_a_reply_is_rewritten(proxied: Proxied) -> None:
    got = chat(proxied, user("Hello."), parts("You are an id", "iot."))
    assert got["choices"][0]["message"]["content"] == parts("You are naive.")
    told = [(one["id"].partition(":")[2], one["action"]) for one in got["unbarb"]["verdicts"]]
    where = "choices[0].message.content"
    assert told[1:] == [
        (f"{where}[0].text", "allow"),
        (f"{where}[1].text", "allow"),
        (where, "rewrite"),
    ]
    assert decided(proxied) == told


def test_an_insult_over_two_parts_of_a_request_is_rewritten_around_a_picture(proxied: Proxied) -> None:
    first, last = parts("You are an id", "iot.")
    chat(proxied, user([PICTURE, first, PICTURE, last]))
    got = proxied.upstream.seen[0].body["messages"][0]["content"]
    assert got == [PICTURE, *parts("You are naive."), PICTURE]


def test_a_threat_over_two_parts_blocks_like_any_other(proxied: Proxied) -> None:
    cut = parts("I will ki", "ll you tonight.")
    asked = chat(proxied, user(cut))
    assert proxied.upstream.seen == []
    said = chat(proxied, user("Hello."), cut)
    for got in (asked, said):
        (choice,) = got["choices"]
        assert (choice["finish_reason"], choice["message"]["content"]) == ("content_filter", None)


def test_parts_that_are_mended_alone_stay_parts(proxied: Proxied) -> None:
    chat(proxied, user(parts("Hello. ", "You are an idiot.")))
    got = proxied.upstream.seen[0].body["messages"][0]["content"]
    assert got == parts("Hello. ", "You are naive.")
    assert ("messages[0].content.rewritten", "allow") in decided(proxied)


def test_what_mended_parts_say_together_is_judged(proxied: Proxied) -> None:
    chat(proxied, user(parts("You are an idiot. You are an id", "iot.")))
    got = proxied.upstream.seen[0].body["messages"][0]["content"]
    assert len(got) == 1
    assert "idiot" not in got[0]["text"]


def test_clean_parts_go_upstream_as_they_came(proxied: Proxied) -> None:
    clean = [*parts("Hello ", "there."), PICTURE]
    chat(proxied, user(clean))
    assert proxied.upstream.seen[0].body["messages"][0]["content"] == clean


def test_messages_are_not_read_together(proxied: Proxied) -> None:
    messages = [{"role": "user", "content": "You are an id"}, {"role": "user", "content": "iot."}]
    chat(proxied, {"messages": messages})
    assert proxied.upstream.seen[0].body["messages"] == messages


def test_a_speakers_name_stays_only_if_it_is_clean(proxied: Proxied) -> None:
    tool = {"role": "tool", "tool_call_id": "c", "content": "Done.", "name": "idiot"}
    chat(proxied, {"messages": [*user("Hi.", name="idiot")["messages"], tool]})
    assert proxied.upstream.seen[0].body["messages"] == [{"role": "user", "content": "Hi."}, tool]
    chat(proxied, user("Hi.", name="anna"))
    assert proxied.upstream.seen[0].body["messages"][0]["name"] == "anna"


@pytest.mark.parametrize("content", ["You are an idiot.", parts("You are an id", "iot.")])
def test_a_prediction_is_guarded(proxied: Proxied, content: Any) -> None:
    chat(proxied, user("Hi.") | {"prediction": {"type": "content", "content": content}})
    got = proxied.upstream.seen[0].body["prediction"]["content"]
    assert got in ("You are naive.", parts("You are naive."))


@pytest.mark.parametrize(
    ("body", "named"),
    [
        (user("Hi.", name=["idiot"]), "messages[0].name"),
        (user("Hi.") | {"prediction": ["idiot"]}, "prediction"),
        (user("Hi.") | {"prediction": {"content": 3}}, "prediction.content"),
    ],
)
def test_names_and_predictions_that_cannot_be_checked_are_refused(
    proxied: Proxied, body: Any, named: str
) -> None:
    assert named in chat(proxied, body)["error"]["message"]
    assert proxied.upstream.seen == []
