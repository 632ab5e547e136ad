"""Edits are made all at once, in offsets of the original; types are frozen and tell themselves as JSON."""

from __future__ import annotations

import json
from dataclasses import FrozenInstanceError, asdict

import pytest
from hypothesis import given
from hypothesis import strategies as st

from unbarb.errors import InputError
from unbarb.text import ACTIONS, STEPS, Edit, Span, Verdict, apply


@st.composite
def edited(draw: st.DrawFn) -> tuple[str, list[Edit]]:
    """A text and disjoint edits in any order."""
    text = draw(st.text(max_size=30))
    cuts = sorted(draw(st.lists(st.integers(0, len(text)), max_size=8, unique=True)))
    edits = [
        Edit(start, end, draw(st.text(max_size=4)))
        for start, end in zip(cuts[::2], cuts[1::2], strict=False)
    ]
    return text, draw(st.permutations(edits))


@given(edited())
def test_edits_are_made_at_once_and_in_any_order(case: tuple[str, list[Edit]]) -> None:
    text, edits = case
    expected = list(text)
    for edit in edits:
        expected[edit.start : edit.end] = [edit.replacement] + [""] * (edit.end - edit.start - 1)
    assert apply(edits, text) == "".join(expected)


@given(edited())
def test_what_no_edit_touches_stays(case: tuple[str, list[Edit]]) -> None:
    text, edits = case
    nothing = [Edit(edit.start, edit.end, text[edit.start : edit.end]) for edit in edits]
    assert apply(nothing, text) == text
    grown = sum(len(edit.replacement) - (edit.end - edit.start) for edit in edits)
    assert len(apply(edits, text)) == len(text) + grown


def test_insertions_and_neighbours_are_disjoint() -> None:
    assert apply([Edit(1, 1, "x"), Edit(1, 2, "y"), Edit(2, 3, "")], "abc") == "axy"
    assert apply([Edit(3, 3, "!")], "abc") == "abc!"
    assert apply([], "") == ""


def test_offsets_are_code_points() -> None:
    assert apply([Edit(2, 3, "you")], "🙂 ü!") == "🙂 you!"


@pytest.mark.parametrize(
    "edits",
    [
        [Edit(0, 2, ""), Edit(1, 3, "")],
        [Edit(0, 3, ""), Edit(1, 2, "")],
        [Edit(2, 1, "")],
        [Edit(-1, 1, "")],
        [Edit(2, 4, "")],
    ],
)
def test_edits_that_overlap_or_lie_outside_are_refused(edits: list[Edit]) -> None:
    with pytest.raises(InputError, match="disjoint and inside the text"):
        apply(edits, "abc")


def test_a_span_overlaps_what_shares_a_character() -> None:
    span = Span(2, 5)
    assert span.of("abcdefg") == "cde"
    assert span.overlaps(Span(4, 9))
    assert not span.overlaps(Span(5, 6))
    assert not span.overlaps(Span(0, 2))


def test_types_are_frozen() -> None:
    with pytest.raises(FrozenInstanceError):
        Span(0, 1).start = 2  # type: ignore[misc]


def test_a_verdict_is_told_in_plain_json_types() -> None:
    verdict = Verdict(
        action="rewrite",
        original="you fool",
        text="you",
        scores={"toxicity": 0.9},
        edits=(Edit(3, 8, ""),),
        step="edit",
        rule="labels.toxicity",
        policy={"name": "default", "digest": "sha256:0"},
    )
    assert verdict.to_dict() == asdict(verdict)
    assert list(verdict.to_dict()) == list(asdict(verdict))
    told = json.loads(json.dumps(verdict.to_dict()))
    assert list(told)[:3] == ["schema", "id", "direction"]
    assert told["edits"] == [{"start": 3, "end": 8, "replacement": ""}]
    assert verdict.action in ACTIONS
    assert verdict.step in STEPS
    assert apply(verdict.edits, verdict.original) == verdict.text
