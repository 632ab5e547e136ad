"""What Perspective's API refuses, in its own words and with its own error types."""

from __future__ import annotations

from typing import Any

import pytest
from starlette.testclient import TestClient

from unbarb.audit import Event
from unbarb.serve.dialects.perspective_checks import LABEL_OF, UNSUPPORTED, known_language
from unbarb.serve.errors import Invalid

ANALYZE = "/v1alpha1/comments:analyze"
SUGGEST = "/v1alpha1/comments:suggestscore"
RUDE = "😀 You are an idiot 😀."
ARTICLE = {"article": {"text": "An article."}}


def asking(text: str = RUDE, *attributes: str, **more: Any) -> dict[str, Any]:
    asked: dict[str, Any] = {name: {} for name in attributes or ["TOXICITY"]}
    return {"comment": {"text": text}, "requestedAttributes": asked, **more}


@pytest.mark.parametrize(
    ("body", "message", "kind"),
    [
        ({}, "Comment must be non-empty.", "COMMENT_EMPTY"),
        (asking("  \n"), "Comment must be non-empty.", "COMMENT_EMPTY"),
        ({"comment": {"text": RUDE}}, "Missing requested_attributes", "NO_REQUESTED_ATTRIBUTES"),
        (asking(RUDE, "TOXITY"), "Unknown requested attribute: TOXITY", "INVALID_REQUEST"),
        (
            asking(RUDE, "SPAM"),
            "Attribute SPAM is not scored by this server; it scores TOXICITY, SEVERE_TOXICITY,"
            " IDENTITY_ATTACK, INSULT, PROFANITY, THREAT",
            "INVALID_REQUEST",
        ),
        (
            asking(comment={"text": RUDE, "type": "HTML"}),
            "Currently, only 'PLAIN_TEXT' comments are supported",
            "INVALID_REQUEST",
        ),
        (asking(comment={"text": RUDE, "type": "RTF"}), "Unknown text type", "INVALID_REQUEST"),
        (
            asking(requestedAttributes={"INSULT": {"scoreType": "PERCENTILE"}}),
            "Requested score type PERCENTILE is not supported by attribute INSULT",
            "INVALID_REQUEST",
        ),
        (
            asking(context={"entries": [{"text": "a"}], "articleAndParentComment": ARTICLE}),
            "Context can have either entries or article_and_parent_comment,"
            " but both fields were populated.",
            "INVALID_REQUEST",
        ),
        (
            asking(languages=["en", "de", "it"]),
            "Attribute TOXICITY does not support request languages: de, it",
            "LANGUAGE_NOT_SUPPORTED_BY_ATTRIBUTE",
        ),
        (asking("!!! 123"), "Unable to detect language", "LANGUAGE_DETECTION_FAILED"),
    ],
)
def test_errors_have_perspectives_words(
    service: TestClient, body: dict[str, Any], message: str, kind: str
) -> None:
    answer = service.post(ANALYZE, json=body)

    error = answer.json()["error"]
    assert answer.status_code == error["code"] == 400
    assert (error["message"], error["status"]) == (message, "INVALID_ARGUMENT")
    assert error["details"][0]["errorType"] == kind


def test_an_unknown_field_is_named(service: TestClient) -> None:
    error = service.post(ANALYZE, json=asking(doNotStor=True)).json()["error"]

    assert error["code"] == 400
    assert error["details"][1]["fieldViolations"][0]["field"] == "body.doNotStor"


def test_every_attribute_is_scored_or_refused_by_name(service: TestClient) -> None:
    scored = service.post(ANALYZE, json=asking(RUDE, *LABEL_OF)).json()["attributeScores"]

    assert list(scored) == list(LABEL_OF)
    assert len(UNSUPPORTED) == 32
    assert not UNSUPPORTED & set(LABEL_OF)


def test_snake_case_is_taken_as_google_takes_it(service: TestClient, events: list[Event]) -> None:
    body = {"comment": {"text": RUDE}, "requested_attributes": {"INSULT": {"score_threshold": 0.99999}}}

    answer = service.post(ANALYZE, json=body | {"do_not_store": True})

    assert answer.status_code == 200
    assert "attributeScores" not in answer.json()
    assert [event.store_text for event in events] == [False]


def test_a_language_that_cannot_be_told_is_scored_all_the_same() -> None:
    known_language("zzz qqq", "TOXICITY", [], "und", ["en"])
    known_language("!!!", "TOXICITY", ["en-GB"], "und", ["en"])

    with pytest.raises(Invalid, match="Unable to detect language"):
        known_language("!!!", "TOXICITY", [], "und", ["en"])


@pytest.mark.parametrize(
    "context",
    [
        {"entries": [{"text": "An article."}, {"text": "A comment on it.", "type": "PLAIN_TEXT"}]},
        {
            "articleAndParentComment": {
                "article": {"text": "An article."},
                "parentComment": {"text": "Yes."},
            }
        },
        {"entries": []},
        None,
    ],
)
def test_context_comes_in_two_ways(service: TestClient, context: Any) -> None:
    assert service.post(ANALYZE, json=asking(context=context)).status_code == 200


@pytest.mark.parametrize(
    ("scores", "message"),
    [
        ({}, "Missing attribute_scores"),
        ({"INSULT": {}}, "Attribute INSULT is given without a score"),
        (
            {"INSULT": {"summaryScore": {"value": 1.5}}},
            "Attribute INSULT: 1.5 is not a probability from 0 to 1",
        ),
        ({"SPA": {"summaryScore": {"value": 1}}}, "Unknown requested attribute: SPA"),
    ],
)
def test_a_suggestion_that_says_nothing_is_refused(
    service: TestClient, events: list[Event], scores: dict[str, Any], message: str
) -> None:
    answer = service.post(SUGGEST, json={"comment": {"text": RUDE}, "attributeScores": scores})

    assert answer.status_code == 400
    assert answer.json()["error"]["message"] == message
    assert not events
