"""Whatever the proxy decides is on record before anything of it leaves, and nothing leaves that is not."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from typing import Any

import pytest
from scripted_upstream import ScriptedUpstream, events, saying
from starlette.testclient import TestClient

from serving import client as client_of
from unbarb.audit import Event

CHAT = "/v1/chat/completions"
HELLO: Any = {"model": "toy", "messages": [{"role": "user", "content": "Hello."}]}
THREAT: Any = {"model": "toy", "messages": [{"role": "user", "content": "I will kill you."}]}
REPLY = {"id": "c", "choices": [{"index": 0, "message": {"role": "assistant", "content": "Hi there."}}]}
CALLS = [{"id": "c", "type": "function", "function": {"name": "f", "arguments": "{}"}}]


class Groups:
    """A record that keeps what is written together, and fails from the given group on."""

    def __init__(self, works: int | None = None) -> None:
        self.groups: list[list[str]] = []
        self._works = works

    def append(self, events: Sequence[Event]) -> list[int]:
        found = [event.verdict.original if event.verdict else event.error or event.kind for event in events]
        if "policy" not in found:
            if self._works is not None and len(self.groups) >= self._works:
                raise OSError("disk full")
            self.groups.append(found)
        return list(range(len(events)))

    def close(self) -> None:
        """Nothing to close."""


def service(upstream: ScriptedUpstream, record: Groups) -> Any:
    return client_of(record, dialects=("chat",), options={"chat.upstream": upstream.address})


def test_request_and_reply_are_recorded_together(upstream: ScriptedUpstream) -> None:
    record = Groups()
    upstream.answers(REPLY)
    with service(upstream, record) as client:
        assert client.post(CHAT, json=HELLO).status_code == 200
    assert record.groups == [["Hello.", "Hi there."]]


@pytest.mark.parametrize("body", [HELLO, THREAT])
def test_what_cannot_be_recorded_does_not_leave(upstream: ScriptedUpstream, body: Any) -> None:
    upstream.answers(REPLY)
    with service(upstream, Groups(works=0)) as client:
        answer = client.post(CHAT, json=body)
    assert (answer.status_code, answer.json()["error"]["code"]) == (503, "audit_failed")
    assert "Hi there" not in answer.text


def test_a_reply_without_words_waits_for_the_record_too(upstream: ScriptedUpstream) -> None:
    message = {"role": "assistant", "content": None, "tool_calls": CALLS}
    upstream.answers({"id": "c", "choices": [{"index": 0, "message": message}]})
    with service(upstream, Groups(works=0)) as client:
        assert client.post(CHAT, json=HELLO).status_code == 503


def test_a_record_that_hangs_keeps_no_chat_past_the_deadline(upstream: ScriptedUpstream) -> None:
    go = threading.Event()

    class Stuck(Groups):
        def append(self, events: Sequence[Event]) -> list[int]:
            assert events[0].kind == "policy" or go.wait(10)
            return super().append(events)

    options = {"chat.upstream": upstream.address}
    message = {"role": "assistant", "content": None, "tool_calls": CALLS}
    upstream.answers({"id": "c", "choices": [{"index": 0, "message": message}]})
    with client_of(Stuck(), dialects=("chat",), options=options, deadline=0.5) as client:
        answers = [client.post(CHAT, json=body) for body in (HELLO, THREAT)]
        go.set()
    assert [answer.status_code for answer in answers] == [503, 503]
    assert "could not be recorded in time" in answers[0].text


def test_a_blocked_request_is_on_record_before_its_answer(upstream: ScriptedUpstream) -> None:
    record = Groups()
    with service(upstream, record) as client:
        assert client.post(CHAT, json=THREAT).json()["choices"][0]["finish_reason"] == "content_filter"
        assert record.groups == [["I will kill you."]]


def test_a_request_is_on_record_while_the_upstream_fails(upstream: ScriptedUpstream) -> None:
    record = Groups()
    upstream.answers({"error": {"message": "Busy."}}, 500)
    with service(upstream, record) as client:
        assert client.post(CHAT, json=HELLO).status_code == 502
    assert [one for group in record.groups for one in group] == ["Hello.", "Busy.", "upstream_error"]


def test_every_piece_of_a_stream_is_on_record_before_it_leaves(upstream: ScriptedUpstream) -> None:
    record = Groups(works=2)  # the request and the first sentence
    upstream.streams(events(saying(["One. Tw", "o. Thr", "ee."])))
    with service(upstream, record) as client:
        text = _text(client)
    assert "One. " in text
    assert "Two" not in text
    assert "audit_failed" in text
    assert record.groups == [["Hello."], ["One. "]]


def _text(client: TestClient) -> str:
    return str(client.post(CHAT, json=HELLO | {"stream": True}).text)
