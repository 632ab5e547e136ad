"""Replies through the ASGI middleware: whole, as text in chunks, and as server-sent events."""

from __future__ import annotations

import json
from typing import Any

import pytest
from asgi_exchange import Answer, answering, exchange
from event_record import Record

from unbarb.guard import Guard
from unbarb.integrations.asgi import GuardMiddleware
from unbarb.integrations.http import Receive, Scope, Send

RUDE = "You are an idiot."
CALM = "You are naive."
THREAT = "I will kill you tonight."
SSE = "text/event-stream"


def ask(guard: Guard, chunks: list[bytes], kind: str, replies: Any = ("text",), **options: Any) -> Answer:
    method = options.pop("method", "GET")
    audit, unreadable = options.pop("audit", None), options.pop("unreadable", "refuse")
    app = answering(chunks, kind, **options)
    middleware = GuardMiddleware(app, guard, replies=list(replies), audit=audit, unreadable=unreadable)
    return exchange(middleware, method=method)


def events(pieces: list[str], field: str | None = "text") -> list[bytes]:
    """An event each."""
    return [f"data: {json.dumps({field: one}) if field else one}\n\n".encode() for one in pieces]


def told(answer: Answer) -> str:
    """The texts of all events that have one, joined."""
    lines = [line[6:] for line in answer.body.decode().split("\n") if line.startswith("data: {")]
    return "".join(json.loads(line).get("text", "") for line in lines)


def pieces_of(text: str, size: int) -> list[str]:
    return [text[at : at + size] for at in range(0, len(text), size)]


def test_a_json_reply_is_rewritten_and_its_length_is_right(guard: Guard) -> None:
    body = json.dumps({"text": RUDE, "n": 1}).encode()
    answer = ask(guard, [body[:9], body[9:]], "application/json", etag='"x"')
    assert answer.json == {"text": CALM, "n": 1}
    assert int(answer.headers["content-length"]) == len(answer.body)
    assert "etag" not in answer.headers
    assert answer.headers["unbarb-verdicts"] == answer.headers["unbarb-request"] + ":output.0"


def test_a_clean_json_reply_stays_as_it_is(guard: Guard) -> None:
    body = b'{ "text":"Fine.\\u0021", "n": 1e2 }'
    answer = ask(guard, [body], "application/problem+json", etag='"x"')
    assert answer.body == body
    assert answer.headers["etag"] == '"x"'
    assert int(answer.headers["content-length"]) == len(body)


@pytest.mark.parametrize("kind", ["application/json", "text/plain", "text/plain; charset=utf-8"])
def test_a_threat_in_a_reply_is_a_problem_in_its_place(guard: Guard, kind: str, record: Record) -> None:
    text = json.dumps({"text": THREAT}) if kind == "application/json" else THREAT
    answer = ask(guard, [text.encode()], kind, audit=record)
    assert answer.status == 422
    assert answer.headers["content-type"] == "application/problem+json"
    assert b"kill" not in answer.body
    assert [event.verdict.action for event in record.events if event.verdict] == ["block"]


def test_plain_text_of_known_length_is_rewritten_whole(guard: Guard) -> None:
    answer = ask(guard, [RUDE.encode()], "text/plain")
    assert answer.body.decode() == CALM
    assert int(answer.headers["content-length"]) == len(answer.body)


@pytest.mark.parametrize("size", [1, 2, 5, 1000])
def test_streamed_text_is_rewritten_wherever_its_bytes_were_cut(guard: Guard, size: int) -> None:
    data = f"Schön, 🌍! {RUDE} Bye".encode()
    answer = ask(
        guard, [data[at : at + size] for at in range(0, len(data), size)], "text/plain", length=False
    )
    assert answer.body.decode() == f"Schön, 🌍! {CALM} Bye"
    assert answer.headers.get("content-length", str(len(answer.body))) == str(len(answer.body))


def test_streamed_text_leaves_sentence_by_sentence_and_on_record(guard: Guard, record: Record) -> None:
    chunks = [b"That is fine. And ", b"so is this. ", b"The end"]
    answer = ask(guard, chunks, "text/plain", length=False, audit=record)
    assert answer.body == b"".join(chunks)
    assert len([chunk for chunk in answer.chunks if chunk]) >= 2
    pieces = [(event.piece, event.verdict.original) for event in record.events if event.verdict]
    assert [number for number, _ in pieces] == list(range(len(pieces)))
    assert "".join(text for _, text in pieces).encode() == answer.body


def test_a_threat_ends_streamed_text(guard: Guard) -> None:
    late = ask(
        guard, [b"That is fine. And so on. ", THREAT.encode(), b" More."], "text/plain", length=False
    )
    assert late.status == 200
    assert late.body.startswith(b"That is fine.")
    assert b"kill" not in late.body
    assert late.messages[-1]["more_body"] is False


@pytest.mark.parametrize("kind", ["text/plain", SSE])
def test_a_stream_that_begins_with_a_threat_is_a_problem_in_its_place(guard: Guard, kind: str) -> None:
    chunks = events([THREAT, " And more."]) if kind == SSE else [THREAT.encode(), b" And more."]
    answer = ask(guard, chunks, kind, length=False)
    assert (answer.status, answer.headers["content-type"]) == (422, "application/problem+json")
    assert b"kill" not in answer.body


@pytest.mark.parametrize("size", [1, 3, 11, 500])
def test_events_of_json_are_rewritten(guard: Guard, size: int) -> None:
    chunks = [b": ping\n\n", *events(pieces_of(f"Good day. {RUDE} Bye", size)), b"data: [DONE]\n\n"]
    answer = ask(guard, chunks, SSE, length=False)
    assert told(answer) == f"Good day. {CALM} Bye"
    assert answer.body.startswith(b": ping\n\n")
    assert answer.body.endswith(b"data: [DONE]\n\n")


@pytest.mark.parametrize("cut", [1, 2, 6, 1000])
@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
def test_clean_events_pass_byte_for_byte(guard: Guard, cut: int, end: str) -> None:
    body = "".join(
        f"id: {number}{end}event: said{end}data:{json.dumps({'text': piece, 'i': 1.50})}{end}{end}"
        for number, piece in enumerate(["Good ", "day. ", "All is", " well. ", "", "Bye"])
    )
    data = f": hello{end}{end}{body}data: [DONE]{end}{end}".encode()
    chunks = [data[at : at + cut] for at in range(0, len(data), cut)]
    assert ask(guard, chunks, SSE, length=False).body == data


def test_events_of_several_texts_keep_their_order_and_their_texts(guard: Guard) -> None:
    find = ["choices[*].delta"]
    said = [("a", 0), ("b", 1), (" You are", 0), ("All fine", 1), (" an idiot.", 0), (". Bye", 1)]
    chunks = [
        b"data: "
        + json.dumps({"choices": [{"delta": text} if i == at else {} for i in (0, 1)]}).encode()
        + b"\n\n"
        for text, at in said
    ]
    answer = ask(guard, chunks, SSE, find, length=False)
    got = [json.loads(line[6:])["choices"] for line in answer.body.decode().split("\n\n") if line]
    assert len(got) == len(said)
    assert "".join(one[1].get("delta", "") for one in got) == "bAll fine. Bye"
    assert "idiot" not in "".join(one[0].get("delta", "") for one in got)


def test_events_of_bare_words_are_one_text(guard: Guard) -> None:
    chunks = events(pieces_of(f"Good day. {RUDE}", 4), None)
    answer = ask(guard, chunks, SSE, [], length=False)
    data = [line.removeprefix("data:").removeprefix(" ") for line in answer.body.decode().split("\n\n")]
    assert "".join(data) == f"Good day. {CALM}"


def test_a_threat_ends_the_events_with_one_that_says_so(guard: Guard) -> None:
    pieces = ["That is fine. ", "And so on. ", "I will", " kill you", " tonight. ", "And more."]
    chunks = [*events(pieces), b"data: [DONE]\n\n"]
    answer = ask(guard, chunks, SSE, length=False)
    *_, last, end = answer.body.decode().split("\n\n")
    assert end == ""
    assert last.startswith("event: withheld\n")
    assert "withheld" in json.loads(last.split("data: ")[1])["message"]
    assert answer.body.startswith(b'data: {"text": "That is fine. "}\n\n')
    assert b"kill" not in answer.body
    assert b"more" not in answer.body


def test_words_after_the_last_blank_line_are_guarded_too(guard: Guard) -> None:
    answer = ask(guard, [b'data: {"text": "You are an idiot."}'], SSE, length=False)
    assert b"idiot" not in answer.body
    assert b"data: " in answer.body


@pytest.mark.parametrize(
    ("chunks", "kind", "headers"),
    [
        ([b"\x89PNG"], "image/png", {}),
        ([b"\x1f\x8b"], "application/json", {"content_encoding": "gzip"}),
        ([b"You are an idiot."], "text/html", {}),
        ([b'{"text": '], "application/json", {}),
        ([b"an idiot"], "text/plain", {"status": 206}),
        ([b"\xff\xfe"], "text/plain", {}),
    ],
)
def test_what_cannot_be_checked_is_refused_or_passes_as_asked(
    guard: Guard, chunks: list[bytes], kind: str, headers: dict[str, Any]
) -> None:
    assert ask(guard, chunks, kind, **headers).status == 502
    passed = ask(guard, chunks, kind, unreadable="pass", **headers)
    assert passed.body == b"".join(chunks)


def test_replies_without_a_body_pass(guard: Guard) -> None:
    assert ask(guard, [], "text/html", status=302, location="/x").headers["location"] == "/x"
    head = ask(guard, [], "application/json", method="HEAD", length=False, content_length="99")
    assert head.headers["content-length"] == "99"


def test_a_stream_that_turns_unreadable_is_cut_off(guard: Guard) -> None:
    with pytest.raises(RuntimeError, match="cannot be checked"):
        ask(guard, [b"That is fine. And so on. ", b"\xff"], "text/plain", length=False)


def test_a_record_that_fails_cuts_a_stream_off(guard: Guard, record: Record) -> None:
    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        await send(
            {"type": "http.response.start", "status": 200, "headers": [(b"content-type", b"text/plain")]}
        )
        await send({"type": "http.response.body", "body": b"That is fine. And so on. ", "more_body": True})
        record.failing = True
        await send({"type": "http.response.body", "body": b"This is fine. The end. ", "more_body": True})

    answer = Answer()
    with pytest.raises(RuntimeError, match="could not be checked"):
        exchange(GuardMiddleware(app, guard, replies=[], audit=record), answer=answer)
    assert answer.body == b"That is fine. "
    assert answer.messages[-1]["more_body"] is True


def test_the_application_is_not_asked_for_what_cannot_be_read(guard: Guard) -> None:
    given: list[Scope] = []

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        given.append(scope)
        await answering([], "text/plain")(scope, receive, send)

    middleware = GuardMiddleware(app, guard, replies=["text"])
    exchange(middleware, headers=[("accept-encoding", "gzip"), ("range", "bytes=0-3"), ("accept", "*/*")])
    assert [name for name, _ in given[0]["headers"]] == [b"accept"]
