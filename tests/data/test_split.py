"""One source text, one split."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from unbarb.data.examples import Labelled
from unbarb.data.split import group_key, leaks, place, split
from unbarb.errors import ConfigError


def example(text: str, source: str = "here") -> Labelled:
    return Labelled(text, {"toxicity": 0.0}, None, source, group_key(text))


def test_tokenised_lowercase_and_fullwidth_forms_have_one_key() -> None:
    forms = ("I'm not, you know!", "im not , you know", " I'M NOT YOU KNOW ", "Ｉ'm not, you know")
    assert {group_key(form) for form in forms} == {"imnotyouknow"}
    assert group_key(" :-) ") == ":-)"
    assert group_key("you are not") != group_key("you are")


@given(st.lists(st.text(max_size=12), max_size=40), st.integers(0, 9))
def test_nothing_is_lost_and_nothing_leaks(texts: list[str], seed: int) -> None:
    examples = [example(text, source) for text in texts for source in ("one", "two")]
    parts = split(examples, seed, {"train": 0.5, "dev": 0.2, "test": 0.3})
    assert sorted((each for part in parts.values() for each in part), key=repr) == sorted(
        examples, key=repr
    )
    assert leaks(parts["train"], parts["test"]) == leaks(parts["dev"], parts["test"]) == []


def test_shares_are_met_and_seeds_differ() -> None:
    examples = [example(f"text number {n}") for n in range(4000)]
    parts = split(examples, seed=3)
    assert 3500 < len(parts["train"]) < 3700
    assert 150 < len(parts["test"]) < 250
    assert parts == split(examples, seed=3)
    assert parts != split(examples, seed=4)


def test_the_place_of_a_text_is_pinned() -> None:
    """A changed hash would move test texts into training without anybody noticing."""
    places = [place(group_key(f"text number {n}"), seed=7) for n in range(60)]
    assert [n for n, name in enumerate(places) if name != "train"] == PINNED


PINNED = [6, 12, 13, 20, 27, 38, 43, 53, 58]


def test_a_leak_is_named() -> None:
    assert leaks([example("A b."), example("c")], [example("a B!")]) == ["ab"]


@pytest.mark.parametrize("shares", [{}, {"a": 0.5}, {"a": 1.5, "b": -0.5}])
def test_shares_must_add_up(shares: dict[str, float]) -> None:
    with pytest.raises(ConfigError, match="add up to 1"):
        split([], 0, shares)
