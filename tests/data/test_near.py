"""Near-duplicates are those that an exact comparison of all pairs finds."""

from __future__ import annotations

import random
from itertools import combinations

import pytest

from unbarb.data.near import RUN, representatives
from unbarb.errors import ConfigError


def jaccard(one: str, other: str) -> float:
    runs = [{key[at : at + RUN] for at in range(len(key) - RUN + 1)} for key in (one, other)]
    return len(runs[0] & runs[1]) / len(runs[0] | runs[1])


def made(rng: random.Random, length: int = 60) -> str:
    return "".join(rng.choice("abcdefghijklmnopqrstuvwxyz") for _ in range(length))


def test_texts_of_their_own_stand_for_themselves() -> None:
    rng = random.Random(1)
    keys = [made(rng) for _ in range(200)] + ["", "a", "ab", "abc", "é" * 4, "😀"]
    assert representatives(keys, 0.85).tolist() == list(range(len(keys)))


def test_a_copy_with_little_changed_belongs_to_the_first() -> None:
    rng = random.Random(2)
    key = made(rng, 200)
    keys = [made(rng), key, made(rng), key[:-3], key + "lol", made(rng)]
    assert representatives(keys, 0.85).tolist() == [0, 1, 2, 1, 1, 5]


def test_what_is_found_is_what_all_pairs_say() -> None:
    rng = random.Random(3)
    keys = []
    for _ in range(60):
        key = made(rng, 120)
        keys += [key, key[: rng.randrange(40, 120)]]  # from a third of it to all of it
    first = representatives(keys, 0.8)
    for one, other in combinations(range(len(keys)), 2):
        similarity, together = jaccard(keys[one], keys[other]), first[one] == first[other]
        # The estimate has a standard error of .035 there; three of them either way.
        assert together or similarity < 0.9
        assert not together or similarity > 0.7


def test_near_to_something_near_belongs_together() -> None:
    rng = random.Random(4)
    key = made(rng, 400)
    chain = [key[at : at + 300] for at in range(0, 100, 20)]
    assert set(representatives(chain, 0.8).tolist()) == {0}
    assert jaccard(chain[0], chain[-1]) < 0.7


def test_nothing_at_all_is_no_error() -> None:
    assert representatives([], 0.85).tolist() == []


@pytest.mark.parametrize("threshold", [0, 0.5, 1.1])
def test_a_threshold_that_makes_everything_a_candidate_is_refused(threshold: float) -> None:
    with pytest.raises(ConfigError, match=r"above 0\.5 and at most 1"):
        representatives(["a"], threshold)
