"""OpenAI's moderation endpoint, judged by OpenAI's own client and by verdicts whose scores are known."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest
from made_verdicts import POLICY, verdict
from openai import BadRequestError, OpenAI
from starlette.testclient import TestClient

from unbarb.audit import Event
from unbarb.errors import DetectionError
from unbarb.serve.dialects.moderations import ALL_OF, ANY_OF, CATEGORIES, result
from unbarb.serve.errors import DetectorFailed

PATH = "/v1/moderations"
RUDE, CLEAN = "You are an idiot.", "Thank you for the talk."


# OpenAI's client, unmodified, over a socket


@pytest.fixture(scope="module")
def client(live: str) -> Iterator[OpenAI]:
    with OpenAI(base_url=f"{live}/v1", api_key="any", max_retries=0) as client:
        yield client


def test_openais_client_reads_a_result_for_each_text(client: OpenAI) -> None:
    answer = client.moderations.create(input=[RUDE, CLEAN], model="omni-moderation-latest")

    rude, clean = answer.results
    assert answer.id.startswith("modr-")
    assert answer.model == "default"
    assert (rude.flagged, clean.flagged) == (True, False)
    assert rude.categories.harassment
    assert rude.category_scores.harassment > 0.5 > rude.category_scores.violence
    assert rude.category_applied_input_types.harassment == ["text"]
    assert not any(clean.categories.model_dump().values())


def test_openais_client_finds_every_category_it_knows(client: OpenAI) -> None:
    [found] = client.moderations.create(input=RUDE).results

    for part in (found.categories, found.category_scores, found.category_applied_input_types):
        fields = type(part).model_fields
        assert sorted(field.alias or name for name, field in fields.items()) == sorted(CATEGORIES)
        # A category that the answer did not have would read as None.
        assert None not in [getattr(part, name) for name in fields]


def test_parts_of_text_are_one_text(client: OpenAI) -> None:
    parts = [{"type": "text", "text": "You are"}, {"type": "text", "text": "an idiot."}]

    [found] = client.moderations.create(input=parts).results

    assert found.flagged


def test_an_image_is_refused_and_not_passed(client: OpenAI, events: list[Event]) -> None:
    parts = [{"type": "text", "text": RUDE}, {"type": "image_url", "image_url": {"url": "data:,"}}]

    with pytest.raises(BadRequestError) as caught:
        client.moderations.create(input=parts)

    assert caught.value.type == "invalid_request_error"
    assert "input.parts.1.type: only text is judged here" in caught.value.message


# Requests


@pytest.mark.parametrize("given", [[], 3, None, [RUDE, {"type": "text", "text": RUDE}], [{"text": RUDE}]])
def test_what_is_no_input_is_a_400_in_openais_envelope(service: TestClient, given: Any) -> None:
    answer = service.post(PATH, json={"input": given})

    assert answer.status_code == 400
    error = answer.json()["error"]
    assert error["type"] == "invalid_request_error"
    assert "input" in error["message"]


def test_an_empty_text_is_clean(service: TestClient) -> None:
    [found] = service.post(PATH, json={"input": ""}).json()["results"]

    assert found["flagged"] is False


def test_a_model_of_another_name_is_a_policy(service: TestClient) -> None:
    lenient = service.post(PATH, json={"input": RUDE, "model": "lenient"}).json()
    unknown = service.post(PATH, json={"input": RUDE, "model": "gpt-7"})

    assert lenient["model"] == lenient["results"][0]["unbarb"]["policy"] == "lenient"
    assert unknown.status_code == 404
    assert "no policy named 'gpt-7'" in unknown.json()["error"]["message"]


def test_every_text_is_on_record(service: TestClient, events: list[Event]) -> None:
    service.post(PATH, json={"input": [RUDE, CLEAN]})

    assert [event.surface for event in events] == ["moderations", "moderations"]
    assert [event.verdict and event.verdict.original for event in events] == [RUDE, CLEAN]


# Categories


def test_all_thirteen_categories_are_answered_and_what_is_not_scored_is_named() -> None:
    found = result(verdict(), POLICY)

    assert len(CATEGORIES) == 13
    assert list(found.categories) == list(found.category_scores) == list(CATEGORIES)
    scored = {category for category, kinds in found.category_applied_input_types.items() if kinds}
    assert scored == {
        "harassment", "harassment/threatening", "hate", "hate/threatening", "violence"
    }  # fmt: skip
    assert set(found.unscored_categories) == set(CATEGORIES) - scored
    for category in found.unscored_categories:
        assert found.categories[category] is False
        assert found.category_scores[category] == 0.0


def test_a_label_that_a_plug_in_scores_gives_its_category() -> None:
    found = result(verdict(scores={"self_harm": 0.7}), POLICY)

    assert found.categories["self-harm"]
    assert found.category_scores["self-harm"] == 0.7
    assert "self-harm" not in found.unscored_categories
    assert "self-harm/intent" in found.unscored_categories


@pytest.mark.parametrize(
    ("scores", "true"),
    [
        ({"insult": 0.6}, {"harassment"}),
        ({"insult": 0.59}, set()),
        ({"toxicity": 0.5}, {"harassment"}),
        ({"identity_attack": 0.5}, {"hate"}),
        ({"threat": 0.5}, {"harassment/threatening", "violence"}),
        (
            {"threat": 0.5, "identity_attack": 0.5},
            {"harassment/threatening", "violence", "hate", "hate/threatening"},
        ),
        ({"obscene": 1.0}, set()),
    ],
)
def test_a_category_is_true_when_the_policys_threshold_is_reached(
    scores: dict[str, float], true: set[str]
) -> None:
    found = result(verdict(scores=scores), POLICY)

    assert {category for category, value in found.categories.items() if value} == true
    assert found.flagged == bool(true)


def test_a_score_is_the_highest_of_its_labels_or_the_lowest_of_those_that_must_agree() -> None:
    scores = {
        "insult": 0.3,
        "toxicity": 0.4,
        "severe_toxicity": 0.2,
        "identity_attack": 0.9,
        "threat": 0.15,
    }
    found = result(verdict(scores=scores), POLICY).category_scores

    assert found["harassment"] == 0.4
    assert found["hate/threatening"] == 0.15
    assert not set(ANY_OF) & set(ALL_OF)
    assert {*ANY_OF, *ALL_OF} <= set(CATEGORIES)


def test_a_text_that_is_withheld_is_flagged_although_no_category_is_true() -> None:
    found = result(verdict(action="route", text=None, rule="on.unsupported_language → route"), POLICY)

    assert found.flagged
    assert not any(found.categories.values())
    assert found.unbarb["action"] == "route"


def test_a_detector_that_failed_is_a_failure_and_not_thirteen_zeros(
    service: TestClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    guard = service.app.state.service.policies.get("moderation").guard  # type: ignore[attr-defined]
    monkeypatch.setattr(guard.panel, "members", [Broken()])

    answer = service.post(PATH, json={"input": RUDE, "model": "moderation"})

    assert answer.status_code == 503
    assert answer.json()["error"]["code"] == DetectorFailed.code
    assert RUDE not in json.dumps(answer.json())


class Broken:
    """A detector that fails on every text."""

    name, labels, digest = "broken", frozenset({"toxicity"}), "sha256:0"

    def detect(self, texts: Any, *, context: Any = None) -> Any:
        raise DetectionError("no")
