"""Nothing of an answer leaves that the guard has not seen, and what is not checked says so."""

from __future__ import annotations

import json

import pytest

from unbarb.deploy.request.answer import Answer
from unbarb.deploy.request.checked import Checked
from unbarb.guard import Guard

RUDE = "Sure. You are an idiot."
THREAT = "I will find you and kill you tonight."


@pytest.fixture(scope="module")
def checked() -> Checked:
    return Checked(Guard())


def test_a_text_is_let_through_mended_or_withheld(checked: Checked) -> None:
    fine, rude, threat = checked([Answer("The weather is fine.", "stop"), Answer(RUDE), Answer(THREAT)])
    assert (fine.text, fine.verified, fine.finish) == ("The weather is fine.", True, "stop")
    assert rude.text is not None
    assert "idiot" not in rude.text
    assert rude.text.startswith("Sure.")
    assert (threat.text, threat.withheld) == (None, ("text",))
    for passed in (fine, rude, threat):
        assert passed.verified
    told = json.dumps([passed.to_dict() for passed in (fine, rude, threat)])
    assert "idiot" not in told
    assert "kill" not in told


def test_other_strings_leave_only_as_single_words(checked: Checked) -> None:
    strings = {
        "action": "allow",
        "verdict": json.dumps({"original": RUDE}),
        "word": "idiot",
        "note": "a note",
    }
    [passed] = checked([Answer("fine", scores={"toxicity": 0.5}, strings=strings)])
    assert passed.strings == {"action": "allow"}
    assert passed.withheld == ("verdict", "word", "note")
    assert passed.scores == {"toxicity": 0.5}


def test_no_text_leaves_as_a_name(checked: Checked) -> None:
    answer = Answer("fine", RUDE, scores={RUDE: 0.5, "identity attack": 0.25}, strings={RUDE: "allow"})
    [passed] = checked([answer])
    assert (passed.finish, passed.scores) == ("unknown", {"identity attack": 0.25})
    assert (passed.strings, passed.withheld) == ({}, ("unknown", "scores"))


def test_scores_alone_need_no_guard(checked: Checked) -> None:
    [passed] = checked([Answer(None, scores={"insult": 0.5})])
    assert (passed.text, passed.verified, passed.verdict) == (None, True, None)
    assert checked([]) == []


def test_without_a_guard_nothing_is_called_verified() -> None:
    [passed] = Checked(None)([Answer(RUDE, strings={"note": "a note"})])
    assert (passed.text, passed.verified, passed.withheld) == (RUDE, False, ())
    assert passed.strings == {"note": "a note"}


def test_what_an_endpoint_says_of_a_failure_is_checked_too(checked: Checked) -> None:
    assert (
        checked.message("http://h/v2: status 400: text too long")
        == "http://h/v2: status 400: text too long"
    )
    assert "idiot" not in checked.message(f"http://h/v2: status 400: no answer to '{RUDE}'")
    assert Checked(None).message(RUDE) == RUDE
