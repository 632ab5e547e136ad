"""Sentences broken on purpose are broken, each in a known way."""

from __future__ import annotations

from random import Random

from unbarb.evaluate.judges import damage as module
from unbarb.evaluate.judges.damage import FUNCTION_WORDS, damage

WORDS = ["the", "old", "train", "was", "late", "again", "this", "morning"]


def test_every_kind_does_what_it_says():
    def lengths(kind):
        return {len(kind(WORDS, Random(seed), FUNCTION_WORDS)) - len(WORDS) for seed in range(30)}

    assert lengths(module._one_gone) == {-1}
    assert lengths(module._two_gone) == {-2}
    assert lengths(module._wrong_word_in) == {1}
    assert lengths(module._doubled) == {1}
    assert lengths(module._swapped) == {0}
    assert lengths(module._replaced) == {0}
    assert lengths(module._end_cut) == {-1, -2, -3, -4}
    assert sorted(module._swapped(WORDS, Random(1), ())) == sorted(WORDS)


def test_the_same_seed_breaks_the_same_way():
    sentence = " ".join(WORDS)
    first = [damage(sentence, Random(seed)) for seed in range(50)]
    assert first == [damage(sentence, Random(seed)) for seed in range(50)]
    assert len(set(first)) > 20


def test_what_is_not_broken_is_none():
    assert damage("too few words", Random(1)) is None
    assert all(damage("a a a a a a", Random(seed)) != "a a a a a a" for seed in range(50))
