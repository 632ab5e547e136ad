"""The hand-made model answers as its module promises, from the guard down: other tests lean on it."""

from __future__ import annotations

import pytest

from unbarb.guard import Guard


@pytest.mark.parametrize(
    ("text", "action", "result"),
    [
        ("You are an idiot.", "rewrite", "You are a person."),
        ("What a dumb plan!", "rewrite", "What a plan!"),
        ("The weather is nice.", "allow", "The weather is nice."),
        ("", "allow", ""),
        ("I will kill you.", "block", None),
    ],
)
def test_a_guard_on_the_toy_model(tiny_guard: Guard, text: str, action: str, result: str | None) -> None:
    verdict = tiny_guard(text)
    assert (verdict.action, verdict.text) == (action, result)
