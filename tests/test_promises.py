"""The promises of every verdict, on any text: property tests over the model that ships."""

from __future__ import annotations

import json
from functools import cache

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from unbarb import Guard
from unbarb.data.behaviours import sentences as behaviour_sentences
from unbarb.segment import sentences
from unbarb.text import LABELS, STEPS, Verdict, apply

RUDE = (
    "you are an idiot",
    "shut up , you stupid moron !",
    "this is fucking bullshit and you know it",
    "what a pathetic loser",
    "I will find you and kill you",
    "f u c k you, 1d!0t",
    "😀 Ünïcödé jerks\u200b like you",
)
PLAIN = (
    "the weather is nice today .",
    "see you on Monday",
    "La vida es bella y el cielo es azul .",
    "[SEP] [MASK]",
    "",
)
TEXTS = st.one_of(
    st.text(max_size=60),
    st.lists(st.sampled_from(RUDE + PLAIN) | st.text(max_size=12), max_size=5).map(" ".join),
    st.lists(st.sampled_from(RUDE + PLAIN), min_size=1, max_size=4).map("\n".join),
)
CALM = settings(deadline=None, max_examples=60, suppress_health_check=[HealthCheck.too_slow])
TOXIC = "You are a stupid idiot and everybody hates you."
FILLER = "The committee met on Tuesday and discussed the plan for the new library in the old town hall. "


@cache
def guard() -> Guard:
    return Guard()


def assert_promises(verdict: Verdict) -> None:
    original = verdict.original
    assert (verdict.text is None) == (verdict.action in ("block", "route"))
    if verdict.text is not None:
        assert apply(verdict.edits, original) == verdict.text
    if verdict.action in ("allow", "flag"):
        assert verdict.text == original
        assert not verdict.edits
    if verdict.action in ("rewrite", "mask"):
        assert verdict.edits
        assert verdict.scores_after is not None
        ceilings = guard().policy.ceilings(verdict.direction)
        assert all(verdict.scores_after.get(label, 0.0) < top for label, top in ceilings.items())
    assert verdict.step in STEPS
    assert 0.0 <= verdict.coverage <= 1.0
    assert set(verdict.scores) >= set(LABELS)
    assert all(0.0 <= score <= 1.0 for score in verdict.scores.values())
    for finding in verdict.findings:
        assert 0 <= finding.start < finding.end <= len(original)
        assert 0.0 <= finding.score <= 1.0
    json.dumps(verdict.to_dict(), allow_nan=False)


@given(TEXTS)
@CALM
def test_any_text_gets_a_verdict_that_keeps_the_promises(text: str) -> None:
    assert_promises(guard()(text))


@given(st.lists(TEXTS, min_size=1, max_size=6))
@CALM
def test_a_text_gets_the_same_verdict_alone_and_in_any_batch(texts: list[str]) -> None:
    together = guard().batch(texts)
    assert together == [guard()(text) for text in texts]
    assert guard().batch(texts[::-1]) == together[::-1]


@pytest.mark.parametrize("text", ["you idiot \ud800", "\udfff", "idi\ud800ot"])
def test_half_a_character_is_withheld_and_harms_no_neighbour(text: str) -> None:
    """A lone surrogate is no Unicode text and cannot be read, so it must not leave."""
    before, verdict, after = guard().batch(["see you on Monday", text, "see you on Tuesday"])
    assert (verdict.action, verdict.text) == ("block", None)
    assert any(warning.startswith("detector failed: embedded") for warning in verdict.warnings)
    assert before == guard()("see you on Monday")
    assert after == guard()("see you on Tuesday")
    json.dumps(verdict.to_dict(), allow_nan=False)


@given(TEXTS)
@CALM
def test_what_leaves_passes_the_policys_own_check(text: str) -> None:
    verdict = guard()(text)
    if verdict.action in ("rewrite", "mask") and verdict.text is not None:
        again = guard().check(verdict.text)
        assert again.action in ("allow", "flag"), (verdict.text, again.rule)


@pytest.mark.parametrize("place", [0.0, 0.11, 0.33, 0.5, 0.77, 0.98, 1.0])
def test_a_toxic_sentence_is_found_wherever_it_stands_in_a_long_text(place: float) -> None:
    filler = [FILLER] * 590
    filler.insert(round(place * len(filler)), TOXIC + " ")
    text = "".join(filler)
    assert len(text.split()) > 10_000
    verdict = guard().check(text)
    assert verdict.action != "allow"
    at = text.index(TOXIC)
    assert any(at <= finding.start and finding.end <= at + len(TOXIC) for finding in verdict.findings)
    assert verdict.coverage == 1.0


def test_a_long_text_is_rewritten_only_where_it_is_toxic() -> None:
    text = FILLER * 40 + TOXIC + " " + FILLER * 40
    verdict = guard()(text)
    assert verdict.action in ("rewrite", "mask")
    (place,) = (span for span in sentences(text) if span.of(text).strip() == TOXIC)
    assert all(place.start <= edit.start and edit.end <= place.end for edit in verdict.edits)


@pytest.mark.slow
def test_fuzz_thousands_of_texts() -> None:
    @given(TEXTS | st.text(max_size=400))
    @settings(deadline=None, max_examples=4000, suppress_health_check=list(HealthCheck))
    def run(text: str) -> None:
        assert_promises(guard()(text))

    run()


@pytest.mark.slow
def test_written_hate_and_friendliness_keep_the_promises() -> None:
    texts = [one.text for one in behaviour_sentences("test", 40, 5)]
    verdicts = guard().batch(texts)
    assert len(verdicts) == len(texts) > 1000
    for verdict in verdicts:
        assert_promises(verdict)
