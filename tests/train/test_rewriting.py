"""Pairs become tag rows and sentence rows; what is swapped or spoilt is what the targets say."""

from __future__ import annotations

import numpy as np
import pytest

pytest.importorskip("torch")

from unbarb.data.examples import Labelled, Pair
from unbarb.detect.wordpiece import CLS, SEP, WordPiece
from unbarb.rewrite.tags import DELETE, KEEP
from unbarb.train.rewriting import (
    phrases_of,
    reference_weights,
    sentence_rows,
    spoilt_edits,
    swapped,
    tag_rows,
    tag_vocabulary,
    tagged_pairs,
    toxic_words,
)


def pair(toxic: str, *neutrals: str) -> Pair:
    return Pair(toxic, neutrals, "toy", toxic)


PAIRS = [
    pair("you stupid man", "you man"),
    pair("that dumb plan", "that plan", "the plan"),
    pair("a stupid dumb day", "a day"),
    pair("stupid work", "work"),
    pair("dumb idea", "idea"),
    pair("you idiot", "you person"),
    pair("shut up you fool", "i would really very much prefer some silence from here on"),
]


def test_references_that_tags_cannot_say_are_left_out() -> None:
    tagged = tagged_pairs(PAIRS)
    assert len(tagged) == len(PAIRS)
    assert tagged[1][1] == [[KEEP, KEEP, DELETE, KEEP], [KEEP, "replace|the", DELETE, KEEP]]
    assert tagged[-1][1] == []


def test_the_vocabulary_begins_with_keep_and_delete() -> None:
    assert tag_vocabulary(tagged_pairs(PAIRS), 1) == [KEEP, DELETE, "replace|the", "replace|person"]
    assert phrases_of([KEEP, DELETE, "replace|the", "append|not a b"]) == ["the", "not a b"]


def test_weights_sum_to_one_and_fall_by_half_for_two_changes() -> None:
    near, far = reference_weights([[KEEP, DELETE], [DELETE, DELETE, DELETE]])
    assert near + far == pytest.approx(1.0)
    assert near == pytest.approx(2 * far)


def test_tag_rows_put_tags_at_first_pieces_and_share_places(wordpiece: WordPiece) -> None:
    tags = [KEEP, DELETE, "replace|the", "replace|person"]
    rows = tag_rows(tagged_pairs([PAIRS[1], pair("zq idiot", "zq person")]), tags, wordpiece)
    shared = {(place, tag): weight for place, tag, weight in rows[0].targets}
    near, far = reference_weights([[KEEP, DELETE], [DELETE, DELETE]])
    assert shared == pytest.approx({(0, 0): 1.0, (1, 0): near, (1, 2): far, (2, 1): 1.0, (3, 0): 1.0})
    assert [(place, tag) for place, tag, _ in rows[1].targets] == [(0, 0), (1, 0), (3, 3)]
    assert (rows[1].ids[0], rows[1].ids[-1]) == (CLS, SEP)


def test_what_cannot_be_taught_makes_no_row(wordpiece: WordPiece) -> None:
    """No reference, no word, or no tag of the vocabulary; a word without pieces lends its tag to nobody."""
    unknown = [((("go",)), [["append|x", "replace|y"]])]
    nothing = [((), [[KEEP]]), (("go",), [])]
    assert tag_rows([*nothing, *unknown], [KEEP, DELETE], wordpiece) == []
    (row,) = tag_rows([(("\ufe0f", "go"), [[KEEP, DELETE, KEEP]])], [KEEP, DELETE], wordpiece)
    assert row.targets == ((0, 0, 1.0), (1, 0, 1.0))


def test_toxic_words_are_grouped_by_what_became_of_them() -> None:
    tagged = tagged_pairs([*PAIRS, pair("you moron", "you person"), pair("good day", "good day")] * 3)
    groups = toxic_words(tagged)
    assert sorted(groups["delete "]) == ["dumb", "stupid"]
    assert sorted(groups["replace|person "]) == ["idiot", "moron"]
    assert "that" not in {word for words in groups.values() for word in words}


def test_words_mostly_kept_or_seldom_met_are_not_toxic() -> None:
    tagged = tagged_pairs(
        [pair("bad day", "day")] * 3 + [pair("bad day", "bad day")] * 9 + [pair("odd day", "day")]
    )
    assert toxic_words(tagged) == {}


def test_swapping_exchanges_removed_words_for_others_of_their_group() -> None:
    tagged = tagged_pairs(PAIRS)
    groups = {"delete ": ["stupid", "dumb"], "person": ["idiot", "moron"], "plain": ["plan", "man"]}
    assert swapped(tagged, groups, 0.0, 1) == tagged
    drawn = [swapped(tagged, groups, 1.0, seed) for seed in range(12)]
    assert drawn[0] == swapped(tagged, groups, 1.0, 0)
    for one in drawn:
        for (source, many), (words, same) in zip(tagged, one, strict=True):
            assert same == many
            for at, (old, new) in enumerate(zip(source, words, strict=True)):
                removed = many and all(tags[at + 1] not in (KEEP,) for tags in many)
                group = next((group for group in groups.values() if old in group), [old])
                assert new == old if not removed else new in group
    assert {one[0][0] for one in drawn} == {("you", "stupid", "man"), ("you", "dumb", "man")}


def test_a_word_that_stays_with_something_after_it_is_not_swapped() -> None:
    tagged = [(("fool", "day"), [[KEEP, "append|not", KEEP]])]
    assert all(swapped(tagged, {"g": ["fool", "idiot"]}, 1.0, seed) == tagged for seed in range(9))


def test_spoilt_edits_leave_out_a_replacement_or_leave_in_an_insult() -> None:
    rng = np.random.default_rng(0)
    found = spoilt_edits(
        ["you", "dumb", "idiot"], [KEEP, KEEP, DELETE, "replace|person"], frozenset(["dumb"]), rng
    )
    assert [words for words, _, _ in found] == [("you", "dumb", "person")]  # "you" alone is too short
    _, fluency, toxicity = found[0]
    assert np.isnan(fluency)
    assert toxicity == 1.0
    (dropped,) = spoilt_edits(
        ["you", "are", "idiot"], [KEEP, KEEP, KEEP, "replace|wrong"], frozenset(), rng
    )
    assert dropped[:2] == (("you", "are"), 0.0)
    assert np.isnan(dropped[2])


def rows(wordpiece: WordPiece, epoch: int = 0, share: float = 1.0, others: int = 9) -> list:
    pairs = PAIRS * 3
    labelled = [
        Labelled("what a good day it was", {"toxicity": 0.0}, None, "toy", "a"),
        Labelled("who knows what this is about", {"insult": 1.0}, None, "toy", "b"),
        Labelled("  ", {"toxicity": 0.0}, None, "toy", "c"),
    ]
    tagged = tagged_pairs(pairs)
    tags = tag_vocabulary(tagged, 1)
    return sentence_rows(pairs, tagged, labelled, tags, wordpiece, 5, epoch, share, others)


def test_sentence_rows_know_only_what_is_known(wordpiece: WordPiece) -> None:
    made = [row for epoch in range(6) for row in rows(wordpiece, epoch)]
    kinds = {tuple(None if np.isnan(value) else value for value in row.labels.tolist()) for row in made}
    assert kinds == {(1.0, 0.0), (1.0, 1.0), (0.0, 0.0), (0.0, None), (None, 1.0), (1.0, None)}
    assert all(row.ids[0] == CLS and 3 <= len(row.ids) <= 96 for row in made)


def test_shares_are_drawn_anew_each_epoch_and_alike_for_the_same(wordpiece: WordPiece) -> None:
    def ids(epoch: int) -> list[list[int]]:
        return [row.ids.tolist() for row in rows(wordpiece, epoch, share=0.5)]

    assert ids(1) == ids(1) != ids(2)
    assert rows(wordpiece, share=0.0, others=0) == []
