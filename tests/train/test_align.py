"""Tags say a rewrite: carried out over the toxic words they give the neutral ones."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from unbarb.rewrite.tags import APPEND, DELETE, KEEP, REPLACE, carry_out
from unbarb.train.align import MAX_PHRASE, align, lowered, tags_of, vocabulary

WORDS = st.lists(st.sampled_from(["you", "are", "a", "fool", ",", "not", "very"]), max_size=9)


@given(source=WORDS, target=WORDS)
def test_tags_carried_out_give_the_target(source: list[str], target: list[str]) -> None:
    tags = tags_of(source, target)
    if tags is None:
        longest = max(j2 - j1 for _, _, j1, j2 in align(source, target))
        assert longest > MAX_PHRASE
    else:
        assert len(tags) == len(source) + 1
        assert carry_out(source, tags) == target


@given(words=WORDS)
def test_nothing_changed_is_all_kept(words: list[str]) -> None:
    assert tags_of(words, words) == [KEEP] * (len(words) + 1)


@given(source=WORDS, target=WORDS)
def test_blocks_are_apart_and_between_them_all_is_same(source: list[str], target: list[str]) -> None:
    i = j = 0
    for i1, i2, j1, j2 in align(source, target):
        assert i2 > i1 or j2 > j1
        assert source[i:i1] == target[j:j1]
        assert (i, j) == (0, 0) or i1 > i  # neighbours would have been one block
        i, j = i2, j2
    assert source[i:] == target[j:]


def cost(source: list[str], target: list[str]) -> float:
    """The least edit cost, by plain recursion."""
    if not source or not target:
        return len(source) + len(target)
    if source[0] == target[0]:
        return cost(source[1:], target[1:])
    return min(
        cost(source[1:], target) + 1, cost(source, target[1:]) + 1, cost(source[1:], target[1:]) + 1.6
    )


@given(
    source=st.lists(st.sampled_from("abc"), max_size=5), target=st.lists(st.sampled_from("abc"), max_size=5)
)
def test_blocks_cost_least(source: list[str], target: list[str]) -> None:
    spent = sum(
        1.6 * min(i2 - i1, j2 - j1) + abs((i2 - i1) - (j2 - j1)) for i1, i2, j1, j2 in align(source, target)
    )
    assert spent <= cost(source, target) + 1e-9


@pytest.mark.parametrize(
    ("source", "target", "changes"),
    [
        ("you are a damn fool", "you are a person", {4: REPLACE + "person", 5: DELETE}),
        ("shut up", "please be quiet", {1: REPLACE + "please be quiet", 2: DELETE}),
        ("go away", "please go away", {0: APPEND + "please"}),
        ("you are wrong", "you are not wrong", {2: APPEND + "not"}),
        ("you fool", "you", {2: DELETE}),
        ("", "well done", {0: APPEND + "well done"}),
    ],
)
def test_known_tags(source: str, target: str, changes: dict[int, str]) -> None:
    tags = tags_of(source.split(), target.split())
    assert tags is not None
    assert {at: tag for at, tag in enumerate(tags) if tag != KEEP} == changes


def test_a_long_phrase_is_a_real_rewrite() -> None:
    assert tags_of(["no"], ["i", "do", "not", "think", "so"]) is None
    assert tags_of(["no"], ["not", "so", "sure", "now"]) is not None


def test_carry_out_needs_a_tag_for_each_place() -> None:
    with pytest.raises(ValueError, match="shorter"):
        carry_out(["a", "b"], [KEEP, KEEP])


def test_lowered_makes_case_and_apostrophes_plain() -> None:
    assert lowered("You’re AN Idiot!") == ("you", "'re", "an", "idiot", "!")


def test_the_vocabulary_is_of_what_was_met_often_enough() -> None:
    tagged = [[KEEP, "replace|x", "append|y"], [KEEP, "replace|x"], ["replace|x", DELETE], ["append|y"]]
    assert vocabulary(tagged, 2) == [KEEP, DELETE, "replace|x", "append|y"]
    assert vocabulary(tagged, 3) == [KEEP, DELETE, "replace|x"]
    assert vocabulary([], 1) == [KEEP, DELETE]
