"""A policy decides by its rules, in its order, and never rewrites what must be blocked."""

from __future__ import annotations

import subprocess
import sys
from itertools import pairwise
from typing import get_args

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from unbarb.detect.embedded import HOME, read_card
from unbarb.errors import DetectionError
from unbarb.policy import NEVER_REWRITTEN, PRESETS, Policy
from unbarb.policy.layout import EVENTS, KNOWN_LABELS
from unbarb.text import ACTIONS, LABELS, Direction, Span

RULES = """
schema: 1
name: example
labels:
  toxicity: {threshold: 0.5, margin: 0.1, action: rewrite}
  insult: {threshold: 0.6, action: flag, message: please be kind}
  threat: {threshold: 0.5, action: block}
  hate: {threshold: 0.5, action: mask}
directions:
  output:
    labels:
      insult: {threshold: 0.3, action: rewrite}
      spam: {threshold: 0.9, action: route}
message: withheld
"""


@pytest.fixture
def policy() -> Policy:
    return Policy.parse(RULES)


@pytest.mark.parametrize(
    ("scores", "action", "rule"),
    [
        ({}, "allow", "none"),
        ({"toxicity": 0.4999}, "allow", "none"),
        ({"toxicity": 0.5}, "rewrite", "labels.toxicity: toxicity ≥ 0.5 → rewrite"),
        ({"insult": 0.9}, "flag", "labels.insult: insult ≥ 0.6 → flag"),
        ({"insult": 0.9, "toxicity": 0.5}, "rewrite", "labels.toxicity: toxicity ≥ 0.5 → rewrite"),
        ({"hate": 0.5, "toxicity": 0.9}, "mask", "labels.hate: hate ≥ 0.5 → mask"),
        ({"threat": 0.5, "toxicity": 1.0, "hate": 1.0}, "block", "labels.threat: threat ≥ 0.5 → block"),
        ({"self_harm": 0.8, "toxicity": 1.0}, "route", "built_in.self_harm: self_harm ≥ 0.5 → route"),
        ({"spam": 1.0}, "allow", "none"),
    ],
)
def test_threshold_precedence_and_rule(
    policy: Policy, scores: dict[str, float], action: str, rule: str
) -> None:
    decision = policy.decide(scores)
    assert (decision.action, decision.rule) == (action, rule)


def test_of_equal_actions_the_highest_score_names_the_rule(policy: Policy) -> None:
    scores = {"threat": 0.6, "sexual_minors": 0.9}
    assert policy.decide(scores).key == "built_in.sexual_minors"
    assert policy.decide({"threat": 0.9, "sexual_minors": 0.6}).key == "labels.threat"


def test_a_direction_changes_only_what_it_names(policy: Policy) -> None:
    scores = {"insult": 0.4}
    assert policy.decide(scores, "input").action == policy.decide(scores).action == "allow"
    decision = policy.decide(scores, "output")
    assert decision.rule == "directions.output.labels.insult: insult ≥ 0.3 → rewrite"
    assert (decision.label, decision.threshold, decision.message) == ("insult", 0.3, "please be kind")
    assert policy.decide({"spam": 0.95}, "output").action == "route"
    assert policy.decide({"toxicity": 0.6}, "output").key == "labels.toxicity"


def test_precedence_is_the_policys(policy: Policy) -> None:
    other = Policy.parse(RULES + "precedence: [route, block, rewrite, mask, flag, allow]")
    scores = {"hate": 0.9, "toxicity": 0.9}
    assert (policy.decide(scores).action, other.decide(scores).action) == ("mask", "rewrite")
    both = {"threat": 0.9, "self_harm": 0.6}
    assert (policy.decide(both).action, other.decide(both).action) == ("block", "route")


def test_messages(policy: Policy) -> None:
    assert policy.decide({"threat": 1.0}).message == "withheld"
    assert policy.decide({"insult": 1.0}).message == "please be kind"
    assert policy.decide({"toxicity": 1.0}).message is None
    assert policy.event("detector_error").message == "withheld"


def test_ceilings_leave_out_what_only_flags(policy: Policy) -> None:
    built_in = dict.fromkeys(set(NEVER_REWRITTEN) - {"threat"}, 0.5)
    assert policy.ceilings() == {"toxicity": 0.4, "threat": 0.5, "hate": 0.5} | built_in
    assert policy.ceilings("output")["insult"] == 0.3
    assert Policy.load("moderation").ceilings() == {}


@pytest.mark.parametrize("score", [float("nan"), -0.1, 1.1, float("inf")])
def test_a_score_that_is_no_probability_is_a_failed_detector(policy: Policy, score: float) -> None:
    with pytest.raises(DetectionError, match="score of toxicity"):
        policy.decide({"toxicity": score})


def test_events_fail_closed_by_default(policy: Policy) -> None:
    assert (policy.on_rewrite_failure, policy.on_unsupported_language, policy.on_detector_error) == (
        "mask",
        "flag",
        "block",
    )
    assert policy.event("detector_error").rule == "on.detector_error: a detector failed → block"
    for name, (usual, allowed) in EVENTS.items():
        for action in allowed:
            changed = Policy.parse(RULES + f"on: {{{name}: {action}}}")
            assert changed.event(name).action == getattr(changed, f"on_{name}") == action
        assert policy.event(name).action == usual


def test_an_event_decides_where_it_does_more_or_nothing_else_did(policy: Policy) -> None:
    clean, insult, threat = (policy.decide({label: 1.0}) for label in ("none", "insult", "threat"))
    for action in ACTIONS:
        told = policy.stricter(clean, action, "on.unsupported_language")
        assert told.rule == f"on.unsupported_language: language not supported → {action}"
        assert told.action == action
    assert policy.stricter(insult, "allow", "on.detector_error") == insult
    assert policy.stricter(insult, "flag", "on.detector_error") == insult
    assert policy.stricter(insult, "block", "on.detector_error") == policy.event("detector_error")
    assert policy.stricter(threat, "route", "on.detector_error") == threat


def test_shadow_decides_in_full() -> None:
    policy = Policy.parse(RULES + "shadow: true")
    decision = policy.decide({"threat": 0.9})
    assert policy.shadow
    assert decision.action == "block"
    assert decision == Policy.parse(RULES).decide({"threat": 0.9})


def test_allowed_spans_are_whole_words_of_any_case() -> None:
    policy = Policy.parse(RULES + "allow: [Moby Dick, dick cheney, 'c++ sucks', straße]")
    found = {
        "I read MOBY  dick.": ["MOBY  dick"],
        "moby dickens": [],
        "xmoby dick": [],
        "moby\ndick cheney!": ["moby\ndick cheney"],
        "C++ sucks, Straße": ["C++ sucks", "Straße"],
        "": [],
    }
    for text, phrases in found.items():
        assert [span.of(text) for span in policy.allowed_spans(text)] == phrases
    assert Policy.parse(RULES).allowed_spans("Moby Dick") == []
    assert policy.allowed_spans("😀 moby dick") == [Span(2, 11)]


MOBY = Policy.parse(RULES + "allow: [moby dick, dick moby, dick]")


@given(st.text(alphabet="mobydick \n.é😀MOBYDICK", max_size=60))
def test_allowed_spans_are_in_order_and_disjoint(text: str) -> None:
    spans = MOBY.allowed_spans(text)
    assert all(first.end <= second.start for first, second in pairwise(spans))
    assert all("dick" in span.of(text).lower() for span in spans)


def test_unscored_names_what_nothing_loaded_scores(policy: Policy) -> None:
    assert policy.unscored(LABELS) == ("doxxing", "hate", "self_harm", "sexual_minors", "spam")
    assert policy.unscored({*KNOWN_LABELS, "hate", "spam", "other"}) == ()


@pytest.mark.parametrize("name", PRESETS)
def test_presets_keep_the_promise_on_what_is_never_rewritten(name: str) -> None:
    policy = Policy.load(name)
    assert policy.name == name
    expected = {"flag"} if name == "moderation" else {"block", "route"}
    for direction in get_args(Direction):
        assert set(KNOWN_LABELS) <= set(policy.rules(direction))
        for label in NEVER_REWRITTEN:
            everything = dict.fromkeys(LABELS, 1.0) | {label: 1.0}
            assert policy.rules(direction)[label].action in expected
            assert policy.decide(everything, direction).action in expected
    assert not policy.shadow


def test_presets_differ_as_their_names_say() -> None:
    default, strict, lenient = (Policy.load(name).rules() for name in ("default", "strict", "lenient"))
    for label in KNOWN_LABELS:
        assert strict[label].threshold < default[label].threshold <= lenient[label].threshold
    moderation = Policy.load("moderation")
    assert {rule.action for rule in moderation.rules().values()} == {"flag"}
    assert {moderation.event(name).action for name in EVENTS} == {"flag"}
    for label in LABELS:
        assert moderation.rules()[label].threshold == default[label].threshold
    assert len({Policy.load(name).digest for name in PRESETS}) == len(PRESETS) == 4


def test_the_default_has_the_thresholds_that_the_recipe_chose() -> None:
    chosen = read_card(HOME)["thresholds"]["policy"]
    assert {label: Policy.load("default").rules()[label].threshold for label in LABELS} == chosen


def test_digest_is_of_the_content_not_of_its_look(policy: Policy) -> None:
    assert policy.digest.startswith("sha256:")
    assert len(policy.digest) == 71
    again = Policy.parse(yaml.safe_dump(policy.to_dict(), sort_keys=True, allow_unicode=True))
    assert again.digest == policy.digest
    assert (again == policy, hash(again) == hash(policy)) == (True, True)
    assert Policy.parse("# a comment" + RULES + "gate: true").digest == policy.digest
    assert Policy.parse(RULES + "gate: false").digest != policy.digest
    assert Policy.load(policy) is policy


def test_report_tells_every_rule_and_what_is_unscored(policy: Policy) -> None:
    report = policy.report(LABELS)
    told = str(report)
    assert "A text with toxicity of 0.5 or more is rewritten; what leaves must score below 0.4." in told
    assert "An output with insult of 0.3 or more is rewritten" in told
    assert "A text with hate of 0.5 or more has what was found masked" in told
    assert "sexual_minors of 0.5 or more is blocked (built in" in told
    assert "Unscored, so never found: doxxing, hate, self_harm, sexual_minors, spam." in told
    assert report.unscored == policy.unscored(LABELS)
    assert report.to_dict()["digest"] == policy.digest
    assert "gate is off" in str(Policy.load("strict").report(LABELS))
    for rules in policy.tables.values():
        assert all(f"{rule.label} of {rule.threshold:g}" in told for rule in rules.values())


def test_a_policy_needs_no_heavy_import() -> None:
    code = (
        "import sys; from unbarb.policy import Policy; Policy.load('default');"
        "print(sorted({'numpy', 'torch', 'pydantic', 'onnxruntime'} & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
