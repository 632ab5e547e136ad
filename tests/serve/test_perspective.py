"""Perspective's API: its error texts, offsets, thresholds and record; Google's own client is the judge."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from googleapiclient import discovery
from googleapiclient.errors import HttpError
from hypothesis import given
from hypothesis import strategies as st
from made_verdicts import finding, verdict
from starlette.testclient import TestClient

from unbarb.audit import Event
from unbarb.serve.dialects.perspective import Utf16, attribute_scores, envelope
from unbarb.serve.dialects.perspective_discovery import document
from unbarb.serve.dialects.perspective_shapes import AttributeParameters
from unbarb.serve.errors import Invalid, Overloaded, ServiceError, TooLarge
from unbarb.serve.keys import Key, made, new_id, write

ANALYZE = "/v1alpha1/comments:analyze"
SUGGEST = "/v1alpha1/comments:suggestscore"
RUDE = "😀 You are an idiot 😀."


def asking(text: str = RUDE, *attributes: str, **more: Any) -> dict[str, Any]:
    asked: dict[str, Any] = {name: {} for name in attributes or ["TOXICITY"]}
    return {"comment": {"text": text}, "requestedAttributes": asked, **more}


# Google's client, unmodified, over a socket


@pytest.fixture(scope="module")
def google(live: str) -> Iterator[Any]:
    """Google's client, built from our discovery document as its users build it from Google's."""
    with discovery.build(
        "commentanalyzer",
        "v1alpha1",
        developerKey="any",
        discoveryServiceUrl=f"{live}/$discovery/rest?version=v1alpha1",
        static_discovery=False,
    ) as client:
        yield client


def test_googles_client_scores_a_comment(google: Any) -> None:
    body = asking(RUDE, "TOXICITY", "PROFANITY", languages=["en"], clientToken="mine", spanAnnotations=True)

    answer = google.comments().analyze(body=body).execute()

    assert list(answer["attributeScores"]) == ["TOXICITY", "PROFANITY"]
    toxicity = answer["attributeScores"]["TOXICITY"]
    assert toxicity["summaryScore"]["type"] == "PROBABILITY"
    assert (
        toxicity["summaryScore"]["value"]
        > 0.5
        > answer["attributeScores"]["PROFANITY"]["summaryScore"]["value"]
    )
    assert answer["languages"] == ["en"]
    assert answer["detectedLanguages"] == ["en"]
    assert answer["clientToken"] == "mine"
    [span] = toxicity["spanScores"]
    units = RUDE.encode("utf-16-le")
    assert units[2 * span["begin"] : 2 * span["end"]].decode("utf-16-le") == "idiot"


def test_googles_client_raises_what_it_raised_before(google: Any) -> None:
    body = asking("Vous êtes un idiot et je vous déteste, monsieur")

    with pytest.raises(HttpError) as caught:
        google.comments().analyze(body=body).execute()

    assert caught.value.status_code == 400
    assert caught.value.reason == "Attribute TOXICITY does not support request languages: fr"
    # Its users go by this word in the printed error.
    assert "LANGUAGE_NOT_SUPPORTED_BY_ATTRIBUTE" in str(caught.value)


def test_googles_client_suggests_a_score(google: Any) -> None:
    body = {
        "comment": {"text": RUDE},
        "attributeScores": {"INSULT": {"summaryScore": {"value": 1}}},
        "clientToken": "t",
    }

    answer = google.comments().suggestscore(body=body).execute()

    assert answer == {"clientToken": "t", "detectedLanguages": ["en"]}


def test_a_client_with_a_document_of_its_own_needs_only_our_address(live: str) -> None:
    theirs = document("https://commentanalyzer.googleapis.com/")

    with discovery.build_from_document(
        theirs, developerKey="any", client_options={"api_endpoint": live}
    ) as client:
        answer = client.comments().analyze(body=asking()).execute()

    assert answer["attributeScores"]["TOXICITY"]["summaryScore"]["value"] > 0.5


def test_the_document_names_the_address_it_was_asked_at(service: TestClient) -> None:
    found = [
        service.get(path).json()
        for path in (
            "/$discovery/rest?version=v1alpha1",
            "/discovery/v1/apis/commentanalyzer/v1alpha1/rest",
        )
    ]

    assert found[0] == found[1] == document("http://127.0.0.1/")


def test_every_message_that_the_document_names_is_in_it() -> None:
    found = document("http://127.0.0.1/")
    named = set(_references(found))

    assert len(named) >= 10
    assert named == set(found["schemas"])


def _references(part: Any) -> Iterator[str]:
    if isinstance(part, dict):
        yield from [part["$ref"]] if "$ref" in part else []
        part = list(part.values())
    if isinstance(part, list):
        for one in part:
            yield from _references(one)


# Answers


def test_a_threshold_of_0_drops_nothing_and_one_above_the_score_does() -> None:
    found = verdict(scores={"toxicity": 0.0, "insult": 0.3, "threat": 0.3})
    asked = {
        "TOXICITY": AttributeParameters(score_threshold=0.0),
        "INSULT": AttributeParameters(score_threshold=0.3),
        "THREAT": AttributeParameters(score_threshold=0.31),
        "PROFANITY": AttributeParameters(),
    }

    assert list(attribute_scores(found, asked, spans=False)) == ["TOXICITY", "INSULT", "PROFANITY"]


def test_spans_are_places_of_the_attribute_with_the_comments_score() -> None:
    text = "𝓎ou idiot, you 🤡 fool"
    found = verdict(text, (finding(4, 9), finding(17, 21), finding(0, 3, "threat")), scores={"insult": 0.8})

    insult = attribute_scores(found, {"INSULT": AttributeParameters()}, spans=True)["INSULT"]

    assert [(one.begin, one.end) for one in insult.span_scores or ()] == [(5, 10), (19, 23)]
    assert {one.score.value for one in insult.span_scores or () if one.score} == {0.8}


def test_without_annotations_one_span_is_the_whole_comment() -> None:
    found = verdict("🤡 idiot", (finding(2, 7),))

    scores = attribute_scores(found, {"INSULT": AttributeParameters()}, spans=False)

    assert [(one.begin, one.end) for one in scores["INSULT"].span_scores or ()] == [(0, 8)]


def test_an_attribute_that_the_policys_detectors_do_not_score_is_an_error() -> None:
    found = verdict()
    scores = {label: score for label, score in found.scores.items() if label != "threat"}
    object.__setattr__(found, "scores", scores)

    with pytest.raises(Invalid, match="THREAT is not scored by the policy 'known'"):
        attribute_scores(found, {"THREAT": AttributeParameters()}, spans=False)


@given(st.text(st.characters(), max_size=30), st.integers(0, 30))
def test_places_in_utf16_are_those_of_the_encoded_text(text: str, at: int) -> None:
    at = min(at, len(text))

    assert Utf16(text).of(at) == len(text[:at].encode("utf-16-le", "surrogatepass")) // 2


@pytest.mark.parametrize(
    ("error", "code", "status"),
    [
        (TooLarge("over"), 400, "INVALID_ARGUMENT"),
        (Overloaded("full", retry_after=3), 503, "UNAVAILABLE"),
        (ServiceError("broken"), 500, "INTERNAL"),
        (ServiceError("no such thing", status=405), 405, "UNKNOWN"),
    ],
)
def test_the_envelope_is_googles(error: ServiceError, code: int, status: str) -> None:
    answer = envelope(error)
    content = json.loads(bytes(answer.body))["error"]

    assert (answer.status_code, content["code"], content["status"]) == (code, code, status)
    assert answer.headers.get("retry-after") == ("3" if error.retry_after else None)
    assert ("details" in content) == (code == 400)


def test_a_comment_that_is_too_long_is_told_as_perspective_tells_it() -> None:
    content = json.loads(bytes(envelope(TooLarge("the body is over 5 bytes")).body))["error"]

    assert content["message"] == "Comment text too long."
    assert content["details"][0]["errorType"] == "COMMENT_TOO_LONG"


# The record


def test_a_decision_is_on_record_under_its_surface(service: TestClient, events: list[Event]) -> None:
    service.post(ANALYZE, json=asking())

    assert [(event.kind, event.surface, event.store_text) for event in events] == [
        ("decision", "perspective", True)
    ]


def test_a_suggestion_is_on_record_beside_our_own_scores(service: TestClient, events: list[Event]) -> None:
    scores = {
        "TOXICITY": {"summaryScore": {"value": 0.0}},
        "INSULT": {
            "spanScores": [{"begin": 3, "end": 6, "score": {"value": 1.0}}, {"score": {"value": 0.2}}]
        },
    }

    answer = service.post(
        SUGGEST, json={"comment": {"text": RUDE}, "attributeScores": scores, "languages": ["en"]}
    )

    assert answer.json() == {"requestedLanguages": ["en"], "detectedLanguages": ["en"]}
    [event] = events
    assert event.details == {"suggested": {"TOXICITY": 0.0, "INSULT": 1.0}}
    assert event.verdict is not None
    assert event.verdict.scores["toxicity"] > 0.5


def test_the_key_is_googles_parameter(serve: Callable[..., TestClient], tmp_path: Path) -> None:
    key, token = made(Key(id=new_id(), name="a form"))
    write(tmp_path / "keys.json", [key])
    client = serve(dialects=("perspective",), keys=tmp_path / "keys.json")

    assert client.post(f"{ANALYZE}?key={token}", json=asking()).status_code == 200
    assert client.post(ANALYZE, json=asking(), headers={"x-goog-api-key": token}).status_code == 200
    assert client.get("/$discovery/rest").status_code == 200
    refused = client.post(f"{ANALYZE}?key=wrong", json=asking())
    assert (refused.status_code, refused.json()["error"]["status"]) == (401, "UNAUTHENTICATED")
