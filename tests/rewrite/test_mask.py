"""Leaving out and masking what was found."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from unbarb.rewrite.mask import MASK, Mask
from unbarb.rewrite.protocol import Candidate, Rewriter
from unbarb.text import Analysis, Finding, Word, apply


def analysis(text: str, *toxic: str) -> Analysis:
    findings = []
    at = 0
    for part in toxic:
        at = text.index(part, at)
        findings.append(Finding("insult", at, at + len(part), 0.9, "test", "said so"))
        at += len(part)
    return Analysis(text, {"toxicity": 0.9}, tuple(findings))


def propose(text: str, *toxic: str) -> dict[str, str]:
    return {candidate.step: candidate.text for candidate in Mask().propose([analysis(text, *toxic)])[0]}


def test_it_is_a_rewriter() -> None:
    rewriter: Rewriter = Mask()
    assert rewriter.name == "mask"
    assert rewriter.digest.startswith("sha256:")


@pytest.mark.parametrize(
    ("text", "toxic", "deleted"),
    [
        ("You idiot, go home.", ["idiot"], "You, go home."),
        ("This is a fucking disaster!", ["fucking"], "This is a disaster!"),
        ("what a stupid idea", ["stupid"], "what an idea"),
        ("Idiots like you (morons) never learn.", ["Idiots", "morons"], "Like you never learn."),
        ('He said "idiot" twice', ["idiot"], "He said twice"),
        ("Moron, read it again.", ["Moron"], "Read it again."),
        ("Go away, you idiot!", ["you idiot"], "Go away!"),
        ("What a stupid, stupid thing", ["stupid", "stupid"], "What a thing"),
        ("It is late. Moron! Go.", ["Moron"], "It is late. Go."),
        ("That is shit.", ["shit"], "That is."),
    ],
)
def test_deletion_mends_what_is_left(text: str, toxic: list[str], deleted: str) -> None:
    assert propose(text, *toxic)["delete"] == deleted


def test_the_mask_hides_the_length() -> None:
    assert propose("You idiot and you buffoon.", "idiot", "buffoon")["mask"] == "You [...] and you [...]."
    assert propose("shut the fuck up", "shut the fuck up") == {"mask": MASK}


def test_neighbours_are_one_mask() -> None:
    assert propose("you stupid idiot", "stupid", "idiot")["mask"] == "you [...]"


def test_nothing_found_nothing_proposed() -> None:
    assert Mask().propose([Analysis("all good", {"toxicity": 0.9})]) == [[]]


def test_a_weak_finding_stays() -> None:
    text = "damn, you idiot"
    weak, strong = Finding("obscene", 0, 4, 0.2, "test", "mild"), Finding("insult", 10, 15, 0.3, "test", "")
    only_weak = Analysis(text, {"toxicity": 0.9}, (weak,))
    assert Mask().propose([only_weak]) == [[]]
    both = Analysis(text, {"toxicity": 0.9}, (weak, strong))
    assert [candidate.text for candidate in Mask().propose([both])[0]] == ["damn, you", "damn, you [...]"]


def test_a_weak_finding_of_a_toxic_word_does_not_keep_it() -> None:
    weak = Finding("obscene", 4, 9, 0.2, "test", "mild")
    found = Analysis("you idiot there", {}, (weak,), (Word(4, 9, 0.8),))
    assert Mask().propose([found])[0][1].text == "you [...] there"


def test_toxic_words_count_without_a_finding() -> None:
    text = "you idiot there"
    found = Analysis(text, {}, words=(Word(4, 9, 0.8), Word(10, 15, 0.2)))
    assert [candidate.text for candidate in Mask().propose([found])[0]] == [
        "you there",
        "you",
        "you [...] there",
        "you [...]",
    ]


def test_links_mentions_and_numbers_stay_unless_a_finding_covers_them() -> None:
    text = "see http://idiot.org @idiot 88"
    words = tuple(Word(start, end, 0.9) for start, end in ((11, 16), (21, 27), (28, 30)))
    assert Mask().propose([Analysis(text, {}, words=words)]) == [[]]
    assert propose(text, "idiot") == {}
    assert propose(text, "@idiot")["mask"] == "see http://idiot.org [...] 88"


@given(st.text(max_size=40), st.lists(st.tuples(st.integers(0, 40), st.integers(1, 8)), max_size=5))
def test_edits_give_the_text(text: str, places: list[tuple[int, int]]) -> None:
    findings = tuple(
        Finding("insult", start, start + size, 0.9, "test", "said so")
        for start, size in places
        if start + size <= len(text)
    )
    candidates: list[Candidate] = Mask().propose([Analysis(text, {}, findings)])[0]
    for candidate in candidates:
        assert apply(candidate.edits, text) == candidate.text
    assert [candidate.step for candidate in candidates] in (["delete", "mask"], ["mask"], [])


def test_the_wider_try_comes_after_the_narrower_and_deletions_before_masks() -> None:
    words = (Word(7, 13, 0.9), Word(14, 18, 0.3))
    (found,) = Mask().propose([Analysis("read a stupid dull book", {"toxicity": 0.9}, words=words)])
    assert [(one.step, one.text) for one in found] == [
        ("delete", "read a dull book"),
        ("delete", "read a book"),
        ("mask", "read a [...] dull book"),
        ("mask", "read a [...] book"),
    ]
    assert [one.score for one in found] == sorted((one.score for one in found), reverse=True)
