"""What is known of drafts before they are read: which differ, what they keep, what they share."""

from __future__ import annotations

import numpy as np
import pytest

from unbarb.rewrite.beam import likeliest
from unbarb.rewrite.drafts import Drafts, Ids, consensus, drafts_of

VOCABULARY = ("keep", "delete", "replace|b c", "append|c")
PIECES: dict[str, Ids] = {"a": (1,), "b": (2,), "c": (3, 4), "b c": (2, 3, 4)}


def drafts(toxicity: tuple[float, ...] = (0.2, 0.9)) -> Drafts:
    """Of "a b", with every way to tag its two words."""
    logp = np.log(
        np.array([[1, 1e-9, 1e-9, 1e-9], [0.6, 0.2, 0.15, 0.05], [0.4, 0.3, 0.2, 0.1]], np.float32)
    )
    words = [PIECES["a"], PIECES["b"]]
    return drafts_of(
        likeliest(logp, 16), VOCABULARY, words, np.array(toxicity, np.float32), PIECES.__getitem__
    )


def test_drafts_differ_from_the_source_and_from_one_another() -> None:
    found = drafts()
    assert (1, 2) not in found.pieces
    assert () not in found.pieces
    assert len(set(found.pieces)) == len(found.pieces)
    assert found.likelihood.tolist() == sorted(found.likelihood.tolist(), reverse=True)


def test_the_likeliest_way_to_the_same_pieces_is_kept() -> None:
    """Of deleting one word and replacing the other, whichever; and of appending to what is left."""
    found = drafts()
    at = found.pieces.index((2, 3, 4))
    assert found.tags[at] == ["keep", "replace|b c", "delete"]
    assert np.exp(found.likelihood[at]) == pytest.approx(0.15 * 0.3, rel=1e-4)


def test_what_is_kept_and_deleted() -> None:
    found = drafts()
    by_tags = {tuple(row): at for at, row in enumerate(found.tags)}
    deletes_b, replaces_a = by_tags["keep", "keep", "delete"], by_tags["keep", "replace|b c", "keep"]
    assert found.deleted[deletes_b] == pytest.approx(0.5)
    assert found.kept[deletes_b] == pytest.approx(0.2)
    assert found.deleted[replaces_a] == 0.0
    assert found.kept[replaces_a] == pytest.approx(0.9)
    assert found.pieces[by_tags["keep", "append|c", "keep"]] == (1, 3, 4, 2)


def test_consensus_is_the_expected_overlap() -> None:
    pieces = [(1, 2, 2), (2, 2), (5,)]
    likelihood = np.log(np.array([0.5, 0.25, 0.25], np.float32))
    shared = consensus(pieces, likelihood, temperature=1.0, recall=1.0)
    f = 2 * 2 / (3 + 2)  # two pieces in common
    assert shared.tolist() == pytest.approx([0.5 + 0.25 * f, 0.25 + 0.5 * f, 0.25])


def test_recall_prefers_the_longer_of_two_that_share_as_much() -> None:
    pieces = [(1, 2, 3), (1, 2, 3, 4), (1, 2)]
    likelihood = np.zeros(3, np.float32)
    even = consensus(pieces, likelihood, temperature=1.0, recall=1.0)
    recalling = consensus(pieces, likelihood, temperature=1.0, recall=3.0)
    assert recalling[1] > recalling[0] > recalling[2]
    assert even[0] > even[1]


def test_a_low_temperature_listens_to_the_likeliest_alone() -> None:
    pieces = [(1, 2), (3,), (1,)]
    shared = consensus(pieces, np.array([-1.0, -2.0, -3.0], np.float32), temperature=0.01, recall=1.0)
    assert shared.tolist() == pytest.approx([1.0, 0.0, 2 / 3], abs=1e-4)
