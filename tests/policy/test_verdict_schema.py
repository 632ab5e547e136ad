"""The published JSON Schema is exactly the Verdict of text.py."""

from __future__ import annotations

import json
from dataclasses import fields, replace
from importlib.resources import files
from typing import Any

import jsonschema
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from unbarb.policy import Policy
from unbarb.text import ACTIONS, DIRECTIONS, STEPS, Edit, Finding, Verdict, apply

SCHEMA: dict[str, Any] = json.loads((files("unbarb") / "models" / "verdict.schema.json").read_text("utf-8"))
VALIDATOR = jsonschema.Draft202012Validator(SCHEMA)

WITHHELD = ("block", "route")
REWRITTEN = Verdict(
    action="rewrite",
    original="you are an idiot",
    text="you are mistaken",
    scores={"insult": 0.98},
    scores_after={"insult": 0.04},
    unscored=("self_harm",),
    findings=(Finding("insult", 11, 16, 0.97, "embedded", "word head"),),
    edits=(Edit(8, 16, "mistaken"),),
    step="edit",
    meaning=0.81,
    rule="labels.insult: insult ≥ 0.5 → rewrite",
    policy={"name": "default", "digest": Policy.load("default").digest},
    models={"embedded": "sha256:" + "0" * 64},
    language="en",
)


def as_json(verdict: Verdict) -> dict[str, Any]:
    plain: dict[str, Any] = json.loads(json.dumps(verdict.to_dict(), allow_nan=False))
    return plain


def test_the_schema_has_the_fields_of_the_dataclasses_in_their_order() -> None:
    jsonschema.Draft202012Validator.check_schema(SCHEMA)
    for kind, schema in (
        (Verdict, SCHEMA),
        (Finding, SCHEMA["$defs"]["finding"]),
        (Edit, SCHEMA["$defs"]["edit"]),
    ):
        names = [field.name for field in fields(kind)]
        assert list(schema["properties"]) == schema["required"] == names
        assert schema["additionalProperties"] is False
        assert all(len(value["description"]) > 3 for value in schema["properties"].values())


def test_the_schema_has_the_words_of_the_types() -> None:
    properties = SCHEMA["properties"]
    assert tuple(properties["action"]["enum"]) == ACTIONS
    assert tuple(properties["direction"]["enum"]) == DIRECTIONS
    assert tuple(properties["step"]["enum"]) == STEPS
    assert properties["schema"]["const"] == REWRITTEN.schema


SCORES = st.dictionaries(st.sampled_from(["toxicity", "threat", "hate"]), st.floats(0, 1))


@st.composite
def verdicts(draw: st.DrawFn) -> Verdict:
    original = draw(st.text(max_size=30))
    action = draw(st.sampled_from(ACTIONS))
    cuts = sorted(draw(st.lists(st.integers(0, len(original)), max_size=4, unique=True)))
    spans = list(zip(cuts[::2], cuts[1::2], strict=False))
    edits = tuple(Edit(start, end, draw(st.text(max_size=5))) for start, end in spans)
    return Verdict(
        id=draw(st.none() | st.text()),
        direction=draw(st.sampled_from(DIRECTIONS)),
        action=action,
        original=original,
        text=None if action in WITHHELD else apply(edits, original),
        scores=draw(SCORES),
        scores_after=draw(st.none() | SCORES),
        unscored=tuple(draw(st.sets(st.sampled_from(["doxxing", "hate"])))),
        findings=tuple(Finding("insult", start, end, 0.9, "lexicon", "entry") for start, end in spans),
        edits=edits,
        step=draw(st.sampled_from(STEPS)),
        meaning=draw(st.none() | st.floats(0, 1)),
        not_detoxifiable=draw(st.booleans()),
        rule=draw(st.text(min_size=1)),
        policy=REWRITTEN.policy,
        models=draw(st.dictionaries(st.text(), st.text(min_size=1), max_size=2)),
        coverage=draw(st.floats(0, 1)),
        language=draw(st.sampled_from(["en", "de", "und"])),
        warnings=tuple(draw(st.lists(st.text(), max_size=2))),
        message=draw(st.none() | st.text()),
    )


@settings(suppress_health_check=[HealthCheck.too_slow], deadline=None)
@given(verdicts())
def test_every_verdict_is_valid(verdict: Verdict) -> None:
    VALIDATOR.validate(as_json(verdict))


@given(verdicts())
@settings(suppress_health_check=[HealthCheck.too_slow], deadline=None)
def test_text_is_null_exactly_when_withheld(verdict: Verdict) -> None:
    swapped = replace(verdict, text="left" if verdict.text is None else None)
    assert not VALIDATOR.is_valid(as_json(swapped))


@pytest.mark.parametrize("name", [field.name for field in fields(Verdict)])
def test_no_field_may_be_missing(name: str) -> None:
    plain = as_json(REWRITTEN)
    VALIDATOR.validate(plain)
    del plain[name]
    assert not VALIDATOR.is_valid(plain)


@pytest.mark.parametrize(
    "wrong",
    [
        {"schema": 2},
        {"extra": 1},
        {"action": "delete"},
        {"scores": {"insult": 1.2}},
        {"scores_after": {"insult": None}},
        {"meaning": -0.1},
        {"coverage": None},
        {"edits": [{"start": -1, "end": 2, "replacement": ""}]},
        {"edits": [{"start": 1, "end": 2, "replacement": "", "why": ""}]},
        {"findings": [{"label": "insult", "start": 0, "end": 1}]},
        {"policy": {"name": "default"}},
        {"policy": {"name": "default", "digest": "sha256:abc"}},
        {"unscored": ["doxxing", "doxxing"]},
        {"rule": ""},
        {"id": 7},
    ],
)
def test_what_is_wrong_is_refused(wrong: dict[str, Any]) -> None:
    assert not VALIDATOR.is_valid(as_json(REWRITTEN) | wrong)
