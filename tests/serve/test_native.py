"""unbarb's own dialect: verdicts as published, one or many."""

from __future__ import annotations

import json
from pathlib import Path

import jsonschema
import pytest
from starlette.testclient import TestClient

import unbarb
from unbarb import Guard
from unbarb.audit import Event

SCHEMA = json.loads((Path(unbarb.__file__).parent / "models" / "verdict.schema.json").read_text("utf-8"))
RUDE, CLEAN = "you are an idiot", "the train leaves at nine"


@pytest.fixture(scope="module")
def guard() -> Guard:
    return Guard()


def test_one_text_gives_the_guards_own_verdict(service: TestClient, guard: Guard) -> None:
    for path, judge in (("/v1/check", guard.check), ("/v1/rewrite", guard)):
        answer = service.post(path, json={"text": RUDE, "id": "7", "direction": "output"})
        assert answer.status_code == 200
        jsonschema.validate(answer.json(), SCHEMA)
        expected = judge(RUDE, id="7", direction="output").to_dict()
        assert answer.json() == json.loads(json.dumps(expected))


def test_several_texts_give_verdicts_in_order(service: TestClient) -> None:
    texts = [{"text": CLEAN, "id": "a"}, RUDE, {"text": "", "id": "c", "context": CLEAN}]
    verdicts = service.post("/v1/rewrite", json={"texts": texts}).json()["verdicts"]
    assert [verdict["id"] for verdict in verdicts] == ["a", None, "c"]
    assert [verdict["original"] for verdict in verdicts] == [CLEAN, RUDE, ""]
    assert [verdict["action"] for verdict in verdicts] == ["allow", "rewrite", "allow"]
    assert service.post("/v1/check", json={"texts": []}).json() == {"verdicts": []}


def test_every_decision_is_on_record_with_the_answers_request_id(
    service: TestClient, events: list[Event]
) -> None:
    answer = service.post("/v1/check", json={"texts": [RUDE, CLEAN], "store": False})
    assert [event.kind for event in events] == ["decision"] * 2
    assert {event.request for event in events} == {answer.headers["x-request-id"]}
    assert [event.verdict.original for event in events if event.verdict] == [RUDE, CLEAN]
    assert not any(event.store_text for event in events)


def test_a_policy_is_named_in_the_body_or_a_header(service: TestClient) -> None:
    body = service.post("/v1/check", json={"text": RUDE, "policy": "moderation"}).json()
    header = service.post("/v1/check", json={"text": RUDE}, headers={"unbarb-policy": "strict"}).json()
    assert (body["policy"]["name"], body["action"]) == ("moderation", "flag")
    assert header["policy"]["name"] == "strict"
    unknown = service.post("/v1/check", json={"text": RUDE, "policy": "nowhere"})
    assert unknown.status_code == 404
    assert unknown.json()["code"] == "unknown_policy"
    assert "moderation" in unknown.json()["detail"]


def test_a_stream_is_sent_in_pieces_that_make_the_whole(service: TestClient, events: list[Event]) -> None:
    text = f"{CLEAN}. {RUDE}. And then some more."
    chunks = [text[at : at + 5] for at in range(0, len(text), 5)]
    answer = service.post("/v1/rewrite/stream", json={"chunks": chunks, "id": "s"})
    assert answer.headers["content-type"].startswith("text/event-stream")
    told = [part.split("\n") for part in answer.text.strip().split("\n\n")]
    names = [name.removeprefix("event: ") for name, _ in told]
    data = [json.loads(line.removeprefix("data: ")) for _, line in told]
    assert names == ["piece"] * (len(names) - 1) + ["done"]
    assert "".join(piece["text"] for piece in data[:-1]).startswith(CLEAN)
    assert "".join(piece["verdict"]["original"] for piece in data[:-1]) == text
    assert "idiot" not in "".join(piece["text"] for piece in data[:-1])
    assert data[-1] == {
        "pieces": len(data) - 1,
        "characters": sum(len(piece["text"]) for piece in data[:-1]),
        "blocked": False,
        "message": None,
    }
    assert [(event.stream, event.piece) for event in events] == [("s", at) for at in range(len(events))]
    assert len(events) >= len(data) - 1


def test_a_block_ends_a_stream(service: TestClient) -> None:
    text = "We will meet at nine. I will kill you. You will see."
    answer = service.post("/v1/rewrite/stream", json={"text": text})
    done = json.loads(answer.text.strip().split("data: ")[-1])
    assert done["blocked"] is True
    assert "You will see" not in answer.text


def test_the_policies_that_may_be_named_are_told(service: TestClient) -> None:
    told = service.get("/v1/policies").json()
    assert told["default"] == "default"
    assert {"default", "strict", "lenient", "moderation"} <= {one["name"] for one in told["policies"]}


@pytest.mark.parametrize("body", [[], {}])
def test_nothing_is_judged_without_a_text(service: TestClient, events: list[Event], body: object) -> None:
    assert service.post("/v1/rewrite/stream", json=body).status_code == 422
    assert events == []


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"text": RUDE, "texts": [RUDE]},
        {"texts": [1]},
        {"text": RUDE, "colour": "red"},
        {"text": RUDE, "direction": "up"},
        {"texts": [{"text": RUDE, "name": "a"}]},
        {"text": RUDE, "store": 0},
        [RUDE],
        {"texts": [RUDE] * 300},
    ],
)
def test_what_is_wrong_is_a_problem_that_repeats_no_text(service: TestClient, body: object) -> None:
    answer = service.post("/v1/check", json=body)
    assert answer.status_code in (400, 422)
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.json()["status"] == answer.status_code
    assert RUDE not in answer.text


def test_half_a_surrogate_pair_is_no_text(service: TestClient) -> None:
    answer = service.post(
        "/v1/check", content=b'{"text": "a\\ud800"}', headers={"content-type": "application/json"}
    )
    assert answer.status_code in (400, 422)
