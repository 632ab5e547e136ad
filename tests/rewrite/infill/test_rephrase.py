"""Gaps are filled with as many words as fit, by the product of the experts, and the text is mended."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

import numpy as np
import pytest

pytest.importorskip("peft", reason="needs the extra 'train'")

import tiny_experts as tiny
from unbarb.errors import ConfigError
from unbarb.rewrite.infill.decode import Search, fill, vocabulary
from unbarb.rewrite.infill.experts import Gap, Views, Weights
from unbarb.rewrite.infill.pieces import cut
from unbarb.rewrite.infill.rank import Reading, Taste
from unbarb.rewrite.infill.rephrase import Phrasing, filled, rebased, rephrase
from unbarb.rewrite.infill.settings import Gate
from unbarb.rewrite.protocol import Candidate
from unbarb.text import Span, apply

WIDE = Search(longest=3, width=6, states=6, found=40)


class Told:
    """Experts that say what the test told them: the next piece by what stands before it, else all alike."""

    trait, gate, digest, one_mask = "toxicity", Gate(), "sha256:told", False

    def __init__(self, **after: dict[str, float]) -> None:
        self.tokenizer = tiny.tokenizer()
        self.mask = self.tokenizer.mask_token_id
        self._after = after
        self.asked: list[Gap] = []

    def views(self, gaps: Sequence[Gap]) -> Views:
        self.asked += gaps
        even = np.full((len(gaps), len(self.tokenizer)), -np.log(len(self.tokenizer)))
        expert = even.copy()
        for row, gap in zip(expert, gaps, strict=True):
            last = self.tokenizer.convert_ids_to_tokens(gap.left[-1]) if gap.left else ""
            for piece, share in self._after.get(last, {}).items():
                row[self.tokenizer.convert_tokens_to_ids(piece)] = np.log(share)
        return Views(even, expert, even)


class Even:
    """A reader to whom all candidates are alike, but for the words it was told to dislike."""

    def __init__(self, *disliked: str) -> None:
        self.disliked = disliked

    def read(self, source: str, candidates: Sequence[str]) -> list[Reading]:
        return [
            Reading(0.9 if any(word in one.split() for word in self.disliked) else 0.1, 0.8, 0.8)
            for one in candidates
        ]


def at(text: str, *words: str) -> list[Span]:
    return [Span(text.index(word), text.index(word) + len(word)) for word in words]


def test_a_gap_takes_as_many_words_as_fit() -> None:
    text = "you are a idiot !"
    experts = Told(a={"kind": 0.9, "dog": 0.05}, kind={"man": 0.9})
    phrasing = Phrasing(search=WIDE)
    ways = filled(text, at(text, "idiot"), experts, phrasing)
    lengths = {len(way.text.split()) for way in ways}
    assert lengths == {4, 5, 6, 7}
    assert ways[0].text == "you are a kind man !"
    assert all(apply(way.edits, text) == way.text for way in ways)
    assert all(one.likelihood >= other.likelihood for one, other in pairwise(ways))
    assert len({way.text for way in ways}) == len(ways)
    assert "you are a idiot !" not in {way.text for way in ways}


def test_deletions_can_be_left_out_and_the_text_itself_never_comes() -> None:
    text = "you are a stupid idiot"
    experts = Told(a={"stupid": 0.5, "kind": 0.4})
    with_them = filled(text, at(text, "stupid"), experts, Phrasing(search=WIDE))
    without = filled(text, at(text, "stupid"), experts, Phrasing(search=WIDE, deletions=False))
    assert {way.text for way in with_them} - {way.text for way in without} == {"you are an idiot"}
    assert text not in {way.text for way in with_them}
    assert [way.empty for way in with_them].count(True) == 1


def test_later_gaps_stay_masked_until_their_turn_and_then_see_what_came_before() -> None:
    text = "you stupid dog and fool ran home"
    experts = Told(you={"good": 0.9}, dog={"big": 0.9})
    filled(text, at(text, "stupid", "fool"), experts, Phrasing(search=WIDE))
    mask = experts.mask
    assert any(mask in gap.right for gap in experts.asked)
    second = [gap for gap in experts.asked if mask not in gap.right]
    good = experts.tokenizer.convert_tokens_to_ids("good")
    assert any(good in gap.left for gap in second)
    stupid = experts.tokenizer.convert_tokens_to_ids("stupid")
    assert all(stupid not in (*gap.left, *gap.right) for gap in experts.asked)


@pytest.mark.parametrize("one_mask", [False, True])
def test_a_later_gap_is_hidden_as_it_was_in_training(one_mask: bool) -> None:
    text = "you stupid dog and foolish idiots ran home"
    experts = Told()
    experts.one_mask = one_mask
    filled(text, at(text, "stupid", "foolish", "idiots"), experts, Phrasing(search=WIDE))
    later = len(experts.tokenizer("foolish idiots", add_special_tokens=False)["input_ids"])
    assert later > 2
    masks = {gap.right.count(experts.mask) for gap in experts.asked}
    assert masks == {0, 1 if one_mask else later}


def test_only_words_of_letters_are_filled_in() -> None:
    experts = Told(a={"5": 0.6, "!": 0.2, "##b": 0.1, "[SEP]": 0.05, "man": 0.04})
    letters = vocabulary(experts.tokenizer)
    pieces = np.array(experts.tokenizer.convert_ids_to_tokens(range(len(experts.tokenizer))))
    assert not {"5", "!", "##b", "[SEP]", "b"} & set(pieces[letters.begins])
    assert {"##b", "man"} <= set(pieces[letters.goes_on])
    text = "you are a idiot"
    found = fill(cut(text, experts.tokenizer), [(3, 4)], experts, Weights(), Search(longest=1, width=1))
    best = next(one for one in found if one.pieces[0])
    assert experts.tokenizer.decode(list(best.pieces[0])) == "man"


def test_weights_of_nothing_let_the_base_alone_choose() -> None:
    experts = Told(a={"man": 0.9})
    found = fill(
        cut("you are a idiot", experts.tokenizer), [(3, 4)], experts, Weights(1, 0, 0), Search(1, 3, 4)
    )
    words = [one for one in found if one.pieces[0]]
    assert {round(one.score, 6) for one in words} == {round(-np.log(len(experts.tokenizer)), 6)}
    found = fill(
        cut("you are a idiot", experts.tokenizer), [(3, 4)], experts, Weights(0, 1, 0), Search(1, 3, 4)
    )
    assert experts.tokenizer.decode(list(found[0].pieces[0])) == "man"


def test_the_anti_expert_pushes_away() -> None:
    class Opposed(Told):
        def views(self, gaps: Sequence[Gap]) -> Views:
            told = super().views(gaps)
            anti = told.base.copy()
            anti[:, self.tokenizer.convert_tokens_to_ids("fool")] = np.log(0.9)
            return Views(told.expert, told.expert, anti)

    experts = Opposed(a={"fool": 0.5, "man": 0.3})
    text = cut("you are a idiot", experts.tokenizer)

    def best(anti: float) -> str:
        found = fill(text, [(3, 4)], experts, Weights(1, 1, anti), Search(1, 3, 4, empty=-99.0))
        return str(experts.tokenizer.decode(list(found[0].pieces[0])))

    assert (best(0.0), best(1.0)) == ("fool", "man")


def test_the_reader_has_the_last_word_and_meaning_has_a_floor() -> None:
    text = "you are a idiot"
    experts = Told(a={"fool": 0.6, "man": 0.3})
    phrasing = Phrasing(search=WIDE)
    assert filled(text, at(text, "idiot"), experts, phrasing)[0].text == "you are a fool"
    found = rephrase(text, at(text, "idiot"), experts, Even("fool"), phrasing)
    assert found[0].text == "you are a man"
    assert [one.score for one in found] == sorted((one.score for one in found), reverse=True)
    floor = Phrasing(search=WIDE, taste=Taste(least=0.81))
    assert rephrase(text, at(text, "idiot"), experts, Even(), floor) == []


def test_what_stands_round_a_gap_is_kept_and_mended() -> None:
    text = "You  are\ta idiot, Anna!"
    found = filled(
        text, at(text, "idiot"), Told(a={"idiot": 0.1, "old": 0.1, "man": 0.5}), Phrasing(search=WIDE)
    )
    assert found[0].text == "You  are\ta man, Anna!"
    assert all(way.text.startswith("You  are") and way.text.endswith(", Anna!") for way in found)
    text = "Idiot dog ran home"
    assert all(
        way.text[0].isupper() for way in filled(text, at(text, "Idiot"), Told(), Phrasing(search=WIDE))
    )


def test_a_later_rounds_candidate_is_an_edit_of_the_first_text() -> None:
    made = rebased("you are a stupid idiot", Candidate("you are a good man", (), "edit", -1.0))
    assert made is not None
    assert apply(made.edits, "you are a stupid idiot") == made.text
    assert rebased("you", Candidate("you", (), "edit")) is None


def test_a_search_out_of_range_is_told_whole() -> None:
    with pytest.raises(ConfigError, match=r"longest: 9 is not from 0 to 8\nwidth: 0 is not from 1"):
        Search(longest=9, width=0)
