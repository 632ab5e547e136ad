"""Damaged sentences are never the intact one, and every draw can be drawn again."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from unbarb.train.damage import damage

PHRASES = ["bad person", "not", "wrong"]
SENTENCES = st.lists(st.sampled_from(["you", "are", "wrong", ",", ".", "so"]), min_size=3, max_size=12)


@given(words=SENTENCES, seed=st.integers(0, 5000), phrases=st.sampled_from([PHRASES, []]))
def test_damage_is_never_the_sentence_itself(words: list[str], seed: int, phrases: list[str]) -> None:
    before = list(words)
    done = damage(words, phrases, np.random.default_rng(seed))
    assert done
    assert done != words == before
    assert done == damage(words, phrases, np.random.default_rng(seed))


def test_all_kinds_come_up() -> None:
    words = ["the", "plan", "is", "not", "very", "good", "."]
    rng = np.random.default_rng(0)
    made = [tuple(damage(words, PHRASES, rng)) for _ in range(400)]
    sizes = {len(one) for one in made}
    assert {len(words) - 2, len(words) - 1, len(words), len(words) + 1, len(words) + 2} <= sizes
    assert any(sorted(one) == sorted(words) for one in made)  # neighbours swapped
    assert any(one[:3] == ("the", "the", "plan") for one in made)  # a word doubled
    assert any("bad" in one for one in made)  # a wrong phrase
    assert any(one == tuple(words[: len(one)]) for one in made)  # a cut end
    assert len(set(made)) > 60
