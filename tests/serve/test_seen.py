"""What a verdict shows to clients that know labels and places, but no policy."""

from __future__ import annotations

from dataclasses import replace

import pytest
import yaml
from made_verdicts import POLICY, finding, verdict

from unbarb.detect.panel import Panel
from unbarb.policy import Policy
from unbarb.serve.dialects.seen import evidence, in_short, places, reached, scores_of, withheld
from unbarb.serve.errors import DetectorFailed
from unbarb.text import Span


def test_a_label_is_reached_at_its_threshold_and_not_below() -> None:
    found = verdict(scores={"insult": 0.6, "toxicity": 0.4999})

    assert reached(found, POLICY) == {"insult": 0.6}


def test_a_label_that_the_policy_allows_is_not_reached() -> None:
    assert reached(verdict(scores={"obscene": 1.0}), POLICY) == {}


def test_rules_are_those_of_the_direction() -> None:
    strict = POLICY.to_dict() | {"directions": {"output": {"labels": {"insult": {"threshold": 0.2}}}}}
    policy = Policy.parse(yaml.safe_dump(strict))
    scores = {"insult": 0.3}

    assert reached(verdict(scores=scores, direction="output"), policy) == {"insult": 0.3}
    assert reached(verdict(scores=scores, direction="input"), policy) == {}


def test_what_was_found_speaks_for_its_label_and_for_toxicity() -> None:
    insult, threat = finding(0, 3), finding(4, 9, "threat")
    found = verdict(findings=(insult, threat))

    assert evidence(found, "insult") == [insult]
    assert evidence(found, "toxicity") == [insult, threat]
    assert evidence(found, "identity_attack") == []


def test_places_that_overlap_are_one_and_those_that_touch_are_not() -> None:
    one, two, three, four = finding(5, 9), finding(0, 3), finding(2, 4), finding(4, 5)

    found = places([one, two, three, four], "123456789")

    assert found == [(Span(0, 4), [two, three]), (Span(4, 5), [four]), (Span(5, 9), [one])]


def test_a_text_in_which_nothing_was_found_is_one_place() -> None:
    assert places([], "two words") == [(Span(0, 9), [])]


def test_every_place_of_a_text_full_of_them_is_found() -> None:
    findings = [finding(at, at + 1) for at in range(0, 20_000, 2)]

    assert len(places(findings, "")) == len(findings)


def test_a_failure_is_never_a_low_score() -> None:
    with pytest.raises(DetectorFailed, match="a detector failed"):
        scores_of(replace(verdict(), scores={}))
    with pytest.raises(DetectorFailed, match="a detector failed"):
        scores_of(verdict(warnings=(f"{Panel.FAILED}: embedded: no memory",)))


def test_a_text_is_withheld_when_nothing_of_it_may_leave() -> None:
    assert withheld(verdict(action="block", text=None))
    assert not withheld(verdict())


def test_in_short_says_what_was_decided_and_by_what() -> None:
    told = in_short(verdict(scores={"insult": 0.7}, warnings=("careful",)))

    assert told["action"] == "flag"
    assert told["rule"].startswith("labels.insult")
    assert told["policy"] == "known"
    assert told["scores"]["insult"] == 0.7
    assert told["warnings"] == ["careful"]
