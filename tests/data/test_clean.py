"""Every drop has a reason."""

from __future__ import annotations

from unbarb.data.clean import clean
from unbarb.data.examples import Labelled
from unbarb.data.split import group_key


def example(text: str, source: str = "here", known: bool = True) -> Labelled:
    return Labelled(text, {"toxicity": 1.0} if known else {}, None, source, group_key(text))


def test_reasons_are_counted_and_order_kept() -> None:
    given = [
        example("b"),
        example(" \n"),
        example("a"),
        example("b "),
        example("b", "there"),
        example("c", known=False),
    ]
    cleaned = clean(given)
    assert [(kept.text, kept.source) for kept in cleaned.kept] == [
        ("b", "here"),
        ("a", "here"),
        ("b", "there"),
    ]
    assert cleaned.dropped == {"empty": 1, "duplicate": 1, "unlabelled": 1}


def test_default_rules_forget_between_runs() -> None:
    assert len(clean([example("a")]).kept) == len(clean([example("a")]).kept) == 1
