"""A policy gives a plug-in its options; all that is wrong with them is told before anything is built."""

from __future__ import annotations

from collections.abc import Sequence
from importlib.metadata import EntryPoint, EntryPoints

import jsonschema
import pytest

from unbarb import plugins
from unbarb.errors import ConfigError, RewriteError
from unbarb.guard import Guard
from unbarb.plugins import Plugin
from unbarb.policy import Policy, policy_schema
from unbarb.text import Analysis

GOOD = "schema: 1\nname: example\nlabels:\n  insult: {threshold: 0.5, action: rewrite}\n"
WITH_OPTIONS = """
detectors: [lexicon, {name: scorer, model: ./runs/a, labels: {LABEL_1: toxicity, LABEL_0: null}}]
rewriter: {name: proposer, model: org/name, candidates: 4, sample: false, stop: [a, b]}
"""


class Scorer:
    name, labels, digest = "scorer", frozenset({"insult"}), "sha256:0"

    def __init__(self, model: str, labels: object = None, threads: int = 1) -> None:
        self.model, self.map, self.threads = model, labels, threads

    def detect(
        self, texts: Sequence[str], *, context: Sequence[str | None] | None = None
    ) -> list[Analysis]:
        return [Analysis(text, {"insult": float("jerk" in text)}) for text in texts]


class Proposer:
    name, digest = "proposer", "sha256:0"

    def __init__(self, model: str, candidates: int = 1, sample: bool = True, stop: object = ()) -> None:
        self.given = (model, candidates, sample, stop)

    def propose(self, analyses: Sequence[Analysis]) -> list[list[object]]:
        raise RewriteError("the model has run away")


@pytest.fixture(autouse=True)
def _registered(monkeypatch: pytest.MonkeyPatch) -> None:
    known = plugins.entry_points
    ours = [
        EntryPoint("scorer", f"{__name__}:Scorer", "unbarb.detectors"),
        EntryPoint("proposer", f"{__name__}:Proposer", "unbarb.rewriters"),
    ]
    monkeypatch.setattr(
        plugins,
        "entry_points",
        lambda **chosen: EntryPoints([*known(**chosen), *EntryPoints(ours).select(**chosen)]),
    )


def test_options_come_with_the_name_and_stand_in_digest_schema_and_report() -> None:
    policy = Policy.parse(GOOD + WITH_OPTIONS)
    assert policy.detectors == (
        Plugin("lexicon"),
        Plugin("scorer", {"model": "./runs/a", "labels": {"LABEL_1": "toxicity", "LABEL_0": None}}),
    )
    options = {"model": "org/name", "candidates": 4, "sample": False, "stop": ["a", "b"]}
    assert policy.rewriter == Plugin("proposer", options)
    other = Policy.parse(GOOD + WITH_OPTIONS.replace("runs/a", "runs/b"))
    assert policy.digest != other.digest
    jsonschema.Draft202012Validator(policy_schema()).validate(policy.to_dict())
    assert "proposed by proposer (model: org/name, candidates: 4" in str(policy.report([]))


def test_names_alone_stay_as_they_were() -> None:
    policy = Policy.parse(GOOD)
    assert policy.detectors == (Plugin("embedded"), Plugin("lexicon"))
    assert policy.rewriter == Plugin("edit")


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("rewriter: {model: a}", "rewriter: the key 'name' is missing (the name of a rewriter plug-in)"),
        ("rewriter: {name: a, name: b}", "rewriter.name: given before, in line 5"),
        ("rewriter: [a]", "rewriter: a list is not the name of a rewriter plug-in"),
        ("rewriter: {name: a, since: 2020-01-01}", "'2020-01-01' is not text, a number"),
        ("rewriter: {name: a, size: .inf}", "'.inf' is not text, a number"),
        ("rewriter: {name: a, x: !!python/name:os.system ''}", "rewriter.x: '' is not text"),
        ("detectors: [{name: '!'}]", "detectors.0.name: '!' is not the name of a detector plug-in"),
        ("detectors: [lexicon, lexicon]", "'lexicon' stands there twice"),
    ],
)
def test_what_is_no_plug_in_is_told_with_its_line(line: str, said: str) -> None:
    with pytest.raises(ConfigError) as caught:
        Policy.parse(f"{GOOD}{line}\n", "p.yaml")
    assert str(caught.value).startswith("p.yaml:5: ")
    assert said in str(caught.value)


def test_wrong_options_of_all_plug_ins_are_told_at_once() -> None:
    policy = Policy.parse(
        GOOD + "detectors: [{name: scorer, modle: a}]\nrewriter: {name: proposer, candidate: 3}\n"
    )
    with pytest.raises(ConfigError) as caught:
        Guard(policy)
    told = str(caught.value)
    assert "'scorer' has no option 'modle'; did you mean 'model'? Allowed: model, labels, threads" in told
    assert "'scorer' needs model; write {name: scorer, model: …} in the policy" in told
    assert "'proposer' has no option 'candidate'; did you mean 'candidates'?" in told
    assert "'proposer' needs model" in told


def test_a_guard_builds_them_with_their_options() -> None:
    policy = Policy.parse(GOOD + "detectors: [{name: scorer, model: ./runs/a}]\n")
    (detector,) = Guard(policy, rewriter=None, threads=3).panel.members
    assert (detector.model, detector.threads) == ("./runs/a", 3)


@pytest.mark.parametrize(("wanted", "action"), [("block", "block"), ("route", "route"), ("flag", "flag")])
def test_a_rewriter_that_fails_is_what_the_policy_says_of_it(wanted: str, action: str) -> None:
    policy = Policy.parse(
        GOOD + "detectors: [{name: scorer, model: a}]\nrewriter: {name: proposer, model: a}\n"
        f"on: {{rewrite_failure: {wanted}}}\n"
    )
    verdict = Guard(policy)("he is a jerk")
    assert verdict.action == action
    assert verdict.rule == f"on.rewrite_failure: no rewrite passed the check → {wanted}"
    assert verdict.warnings[0] == "rewriter failed: proposer: RewriteError: the model has run away"
    assert verdict.text == ("he is a jerk" if action == "flag" else None)
