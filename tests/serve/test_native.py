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
    given = {"texts": [CLEAN, RUDE, ""], "ids": ["a", None, "c"]}
    verdicts = service.post("/v1/rewrite", json=given).json()["verdicts"]
    assert [verdict["id"] for verdict in verdicts] == ["a", None, "c"]
    assert [verdict["original"] for verdict in verdicts] == given["texts"]
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
    assert unknown.status_code == 400
    assert unknown.json()["code"] == "unknown_policy"
    assert "moderation" in unknown.json()["detail"]


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"text": RUDE, "texts": [RUDE]},
        {"texts": [1]},
        {"text": RUDE, "colour": "red"},
        {"text": RUDE, "direction": "up"},
        {"texts": [RUDE], "ids": ["a", "b"]},
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
