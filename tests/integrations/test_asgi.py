"""Requests through the ASGI middleware: what an application gets, and what it never sees."""

from __future__ import annotations

import json
from typing import Any

import pytest
from asgi_exchange import JSON, Echo, answering, exchange
from event_record import Record

from unbarb.errors import ConfigError
from unbarb.guard import Guard
from unbarb.integrations.asgi import GuardMiddleware
from unbarb.policy import Policy

RUDE = "You are an idiot."
CALM = "You are naive."
THREAT = "I will kill you tonight."


def sent(value: Any) -> bytes:
    return json.dumps(value).encode()


def test_a_clean_body_passes_byte_for_byte(guard: Guard) -> None:
    body = (
        '{ "text" : "How are you?\\u0021 🌍",\n "n": 1.50, "big": 123456789012345678901234567890 }'.encode()
    )
    app = Echo()
    answer = exchange(GuardMiddleware(app, guard, requests=["text"]), body, headers=JSON)
    assert app.seen == [body]
    assert answer.status == 200
    assert "unbarb-verdicts" not in answer.headers
    assert answer.headers["unbarb-request"]


def test_only_the_chosen_fields_are_rewritten(guard: Guard) -> None:
    app = Echo()
    body = {"title": RUDE, "signature": RUDE, "parts": [{"body": RUDE, "n": None}, {"body": "Fine."}]}
    middleware = GuardMiddleware(app, guard, requests=["title", "parts[*].body"])
    answer = exchange(middleware, sent(body), headers=[*JSON, ("etag", '"x"')])
    assert json.loads(app.seen[0]) == {
        "title": CALM,
        "signature": RUDE,
        "parts": [{"body": CALM, "n": None}, {"body": "Fine."}],
    }
    assert "etag" not in app.headers
    request = answer.headers["unbarb-request"]
    assert answer.headers["unbarb-verdicts"] == f"{request}:input.0, {request}:input.1"


def test_a_threat_never_reaches_the_application(guard: Guard) -> None:
    app = Echo()
    middleware = GuardMiddleware(app, guard, requests=["messages[*].content"])
    body = sent({"messages": [{"content": "Hello."}, {"content": THREAT}]})
    answer = exchange(middleware, body, headers=JSON)
    assert app.seen == []
    assert (answer.status, answer.headers["content-type"]) == (422, "application/problem+json")
    assert int(answer.headers["content-length"]) == len(answer.body)
    problem = answer.json
    assert problem["status"] == 422
    assert problem["verdicts"] == [
        {"id": f"{problem['request']}:input.1", "action": "block", "field": "messages[1].content"}
    ]
    assert b"kill" not in answer.body


def test_a_function_may_choose(guard: Guard) -> None:
    app = Echo()

    def spoken(body: Any) -> list[tuple[str | int, ...]]:
        return [("parts", at, "text") for at, part in enumerate(body["parts"]) if part["type"] == "text"]

    parts = [{"type": "text", "text": RUDE}, {"type": "image", "text": RUDE}]
    exchange(GuardMiddleware(app, guard, requests=spoken), sent({"parts": parts}), headers=JSON)
    assert [part["text"] for part in json.loads(app.seen[0])["parts"]] == [CALM, RUDE]


@pytest.mark.parametrize(
    ("body", "headers", "status"),
    [
        (b"\x1f\x8b\x08", [*JSON, ("content-encoding", "gzip")], 415),
        (b"text=You+are+an+idiot", [("content-type", "application/x-www-form-urlencoded")], 415),
        (b'{"text": "You are an idiot."}', [], 415),
        (b'{"text": "You are an idiot."}', [("content-type", "application/json; charset=utf-16")], 415),
        (b'{"text": "You are an idiot."', JSON, 400),
        (b'{"text": "Fine.", "text": "You are an idiot."}', JSON, 400),
        (b'{"text": "\\ud83d"}', JSON, 400),
        (b'{"text": {"deep": "You are an idiot."}}', JSON, 400),
        (b'{"text": NaN}', JSON, 400),
        (b"[" * 100_000, JSON, 400),
    ],
)
def test_what_cannot_be_checked_is_refused_or_passes_as_asked(
    guard: Guard, body: bytes, headers: list[tuple[str, str]], status: int
) -> None:
    app = Echo("image/png")
    refusing = exchange(GuardMiddleware(app, guard, requests=["text"]), body, headers=headers, size=10**6)
    assert (refusing.status, app.seen) == (status, [])
    assert b"idiot" not in refusing.body
    passing = GuardMiddleware(app, guard, requests=["text"], unreadable="pass")
    assert exchange(passing, body, headers=headers, size=10**6).status == 200
    assert app.seen == [body]


def test_a_body_over_the_limit_is_refused_told_or_not(guard: Guard) -> None:
    app = Echo()
    middleware = GuardMiddleware(app, guard, requests=["text"], limit=20)
    body = sent({"text": "x" * 20})
    assert exchange(middleware, body, headers=JSON).status == 413
    assert exchange(middleware, body, headers=[*JSON, ("content-length", "1")]).status == 413
    assert exchange(middleware, sent({"text": "x"}), headers=JSON).status == 200
    assert len(app.seen) == 1


def test_requests_without_a_body_and_other_paths_pass(guard: Guard) -> None:
    app = Echo()
    middleware = GuardMiddleware(app, guard, requests=["text"], paths=["/comments"])
    assert exchange(middleware, method="GET", path="/comments/1").status == 200
    assert "unbarb-request" not in exchange(middleware, sent({"text": THREAT}), path="/other").headers
    assert len(app.seen) == 2


def test_a_socket_is_refused_unless_it_may_pass(guard: Guard) -> None:
    refused = exchange(GuardMiddleware(Echo(), guard, requests=["text"]), kind="websocket")
    assert [message["type"] for message in refused.messages] == ["websocket.close"]
    passing = GuardMiddleware(Echo(), guard, requests=["text"], unreadable="pass")
    assert exchange(passing, kind="websocket").status == 200


def test_every_decision_is_on_record_before_anything_passes(guard: Guard, record: Record) -> None:
    app = Echo()
    middleware = GuardMiddleware(app, guard, requests=["**"], replies=["**"], audit=record)
    answer = exchange(middleware, sent({"a": RUDE, "b": ["Fine."]}), headers=JSON)
    verdicts = [event.verdict for event in record.events]
    assert [(one.direction, one.action) for one in verdicts if one] == [
        ("input", "rewrite"),
        ("input", "allow"),
        ("output", "allow"),
        ("output", "allow"),
    ]
    assert {(event.surface, event.request) for event in record.events} == {
        ("asgi", answer.headers["unbarb-request"])
    }
    record.failing = True
    refused = exchange(middleware, sent({"a": "Fine."}), headers=JSON)
    assert refused.status == 503
    assert len(app.seen) == 1


def test_a_policy_may_have_what_cannot_be_recorded_spilled(guard: Guard, record: Record) -> None:
    policy = Policy.parse(
        "{schema: 1, name: mine, audit: {on_failure: spill},"
        " labels: {insult: {threshold: 0.5, action: rewrite}}}"
    )
    spilling = Guard(policy, detectors=guard.panel.members, verifier=guard.verifier, threads=1)
    record.failing = True
    middleware = GuardMiddleware(Echo(), spilling, requests=["text"], audit=record)
    assert exchange(middleware, sent({"text": "Fine."}), headers=JSON).status == 200
    assert len(record.spilled) == 1


def test_a_guard_that_fails_lets_nothing_pass(guard: Guard, record: Record) -> None:
    class Failing(Guard):
        def batch(self, *args: Any, **options: Any) -> Any:
            raise MemoryError(RUDE)

    failing = Failing(guard.policy, detectors=guard.panel.members, verifier=guard.verifier)
    app = Echo()
    middleware = GuardMiddleware(app, failing, requests=["text"], audit=record)
    answer = exchange(middleware, sent({"text": RUDE}), headers=JSON)
    assert (answer.status, app.seen) == (503, [])
    assert b"idiot" not in answer.body
    assert [event.error for event in record.events] == ["MemoryError"]


def test_all_that_is_wrong_with_its_options_is_said_at_once(guard: Guard) -> None:
    checking = Guard(guard.policy, detectors=guard.panel.members, rewriter=None)
    options: Any = {"paths": "/x", "limit": 0, "unreadable": "maybe"}
    with pytest.raises(ConfigError) as caught:
        GuardMiddleware(answering([], "text/plain"), checking, **options)
    for word in ("requests", "rewriter", "maybe", "'/x'", "limit is 0"):
        assert word in str(caught.value)
