"""The FMS detector API, held to the specification that the orchestrator publishes."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml
from jsonschema import Draft202012Validator
from made_verdicts import POLICY, finding, verdict
from starlette.testclient import TestClient

from unbarb.audit import Event
from unbarb.serve.dialects.fms import content_detections, detections, rewrite
from unbarb.text import Edit

SPECIFICATION = yaml.safe_load(
    (Path(__file__).parent.parent / "fixtures" / "fms_detector_api.yaml").read_text("utf-8")
)
CONTENTS, CHAT, GENERATION = (f"/api/v1/text/{name}" for name in ("contents", "chat", "generation"))
RUDE, THREAT, CLEAN = "😀 You are an idiot.", "I will kill you.", "Thank you for the talk."


def held(path: str, status: int, body: Any) -> Any:
    """`body`, when it is what the specification says of an answer to `path`."""
    content = SPECIFICATION["paths"][path]["post"]["responses"][str(status)]["content"]
    schema = content["application/json"]["schema"] | {"components": SPECIFICATION["components"]}
    Draft202012Validator(schema).validate(body)
    return body


def asked(service: TestClient, path: str, body: dict[str, Any], status: int = 200) -> Any:
    answer = service.post(path, json=body, headers={"detector-id": "unbarb"})
    assert answer.status_code == status, answer.text
    return held(path, status, answer.json())


def test_the_specification_is_read_and_can_refuse() -> None:
    assert len(SPECIFICATION["components"]["schemas"]) == 13
    with pytest.raises(Exception, match="'score' is a required property"):
        held(CONTENTS, 200, [[{"start": 0, "end": 1, "detection": "a", "detection_type": "b"}]])


def test_contents_have_a_list_each_in_their_order(service: TestClient) -> None:
    clean, rude, threat = asked(
        service, CONTENTS, {"contents": [CLEAN, RUDE, THREAT], "detector_params": {}}
    )

    assert clean == []
    assert {one["detection"] for one in rude} == {"toxicity", "insult"}
    assert {one["detection_type"] for one in rude + threat} == {"toxic_language"}
    assert "threat" in {one["detection"] for one in threat}
    for one in rude:
        # Code points: the emoji counts as one.
        assert RUDE[one["start"] : one["end"]] == one["text"] == "idiot"
        assert {part["name"] for part in one["evidence"]} == {"embedded", "lexicon"}


def test_the_detection_with_the_highest_score_carries_the_rewrite(
    service: TestClient,
) -> None:
    [rude] = asked(service, CONTENTS, {"contents": [RUDE]})

    first, *others = sorted(rude, key=lambda one: -one["score"])
    assert first["metadata"]["action"] == "rewrite"
    assert "idiot" not in first["metadata"]["rewrite"]
    assert 0 < first["metadata"]["similarity"] <= 1
    assert [one["metadata"] for one in others] == [{}]


def test_what_is_withheld_has_no_rewrite(service: TestClient) -> None:
    [threat] = asked(service, CONTENTS, {"contents": [THREAT]})

    assert [one["metadata"]["action"] for one in threat if one["metadata"]] == ["block"]
    assert not any("rewrite" in one["metadata"] for one in threat)


def test_a_threshold_of_the_callers_own_is_taken(service: TestClient) -> None:
    high = {"contents": [RUDE], "detector_params": {"threshold": 0.9999, "other": "unknown"}}
    low = {"contents": [CLEAN], "detector_params": {"threshold": 0}}

    assert asked(service, CONTENTS, high) == [[]]
    assert len(asked(service, CONTENTS, low)[0]) == 6


def test_a_policy_is_taken_by_name(service: TestClient, events: list[Event]) -> None:
    asked(service, CONTENTS, {"contents": [RUDE], "detector_params": {"policy": "moderation"}})

    assert [event.policy and event.policy["name"] for event in events] == ["moderation"]


@pytest.mark.parametrize(
    ("path", "body", "told"),
    [
        (CONTENTS, {}, "contents"),
        (CONTENTS, {"contents": "one"}, "contents"),
        (CONTENTS, {"contents": [1]}, "contents"),
        (CONTENTS, {"contents": [RUDE], "detector_params": {"threshold": 2}}, "threshold"),
        (GENERATION, {"prompt": "a"}, "generated_text"),
        (CHAT, {"messages": [{"content": RUDE}]}, "role"),
    ],
)
def test_what_is_wrong_with_a_request_is_a_422_in_the_specified_envelope(
    service: TestClient, path: str, body: dict[str, Any], told: str
) -> None:
    error = asked(service, path, body, 422)

    assert error["code"] == 422
    assert told in error["message"]


def test_a_policy_that_is_not_there_is_a_404_in_the_specified_envelope(service: TestClient) -> None:
    error = asked(service, CHAT, {"messages": [], "detector_params": {"policy": "none"}}, 404)

    assert error["code"] == 404
    assert "no policy named 'none'" in error["message"]


def test_a_detector_id_may_be_missing(service: TestClient) -> None:
    assert service.post(CONTENTS, json={"contents": [CLEAN]}).json() == [[]]


def test_no_contents_have_no_detections(service: TestClient) -> None:
    assert asked(service, CONTENTS, {"contents": []}) == []


def test_of_a_generation_the_answer_is_judged(service: TestClient, events: list[Event]) -> None:
    found = asked(service, GENERATION, {"prompt": THREAT, "generated_text": RUDE})

    assert {one["detection"] for one in found} == {"toxicity", "insult"}
    assert [event.verdict and (event.verdict.original, event.verdict.direction) for event in events] == [
        (RUDE, "output")
    ]


def test_every_message_of_a_chat_is_judged_by_who_speaks(service: TestClient, events: list[Event]) -> None:
    messages = [
        {"role": "system", "content": "Answer politely."},
        {
            "role": "user",
            "content": [{"type": "text", "text": RUDE}, {"type": "image_url", "image_url": {}}],
        },
        {"role": "assistant", "content": None, "tool_calls": []},
        {"role": "assistant", "content": THREAT},
    ]

    found = asked(service, CHAT, {"messages": messages, "tools": []})

    told = [(one["metadata"]["message"], one["metadata"]["role"]) for one in found]
    assert set(told) == {(1, "user"), (3, "assistant")}
    assert told == sorted(told)
    verdicts = [event.verdict for event in events if event.verdict]
    assert {one.original: one.direction for one in verdicts} == {
        "Answer politely.": "none",
        RUDE: "input",
        THREAT: "output",
    }


def test_health_needs_no_key_and_says_nothing_but_ok(service: TestClient) -> None:
    assert service.get("/health").json() == {"status": "ok"}


def test_a_label_of_whole_sentences_stands_where_anything_was_found() -> None:
    found = verdict("idiot fool", (finding(0, 5), finding(6, 10)), scores={"toxicity": 0.9})

    spans = [(one.start, one.end, one.detection) for one in content_detections(found, POLICY, None)]

    assert spans == [(0, 5, "toxicity"), (6, 10, "toxicity")]


def test_what_was_reached_and_found_nowhere_is_the_whole_text() -> None:
    [one] = content_detections(verdict("a hateful text", scores={"identity_attack": 0.7}), POLICY, None)

    assert (one.start, one.end, one.text, one.evidence) == (0, 14, "a hateful text", [])


def test_what_is_withheld_is_detected_although_no_label_is_reached() -> None:
    held_back = verdict(action="route", text=None, rule="on.unsupported_language → route")

    [one] = detections(held_back, POLICY, None)

    assert (one.detection, one.score) == ("withheld", 1.0)
    assert one.metadata == {"action": "route", "rule": "on.unsupported_language → route"}


def test_a_text_that_was_not_changed_has_no_rewrite() -> None:
    changed = verdict("you idiot", action="rewrite", text="you", edits=(Edit(3, 9, ""),), step="delete")

    assert "rewrite" not in rewrite(verdict())
    assert rewrite(changed)["rewrite"] == "you"
    assert rewrite(changed)["step"] == "delete"
