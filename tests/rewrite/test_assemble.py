"""Tags become edits that leave good text: disjoint, small, and repaired where they would show."""

from __future__ import annotations

import re

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from unbarb.detect.wordpiece import words_of
from unbarb.rewrite.assemble import Assembler
from unbarb.rewrite.tags import DELETE, KEEP, carry_out
from unbarb.text import apply

D = DELETE


def assembled(text: str, changes: dict[int, str]) -> str:
    """`text` with the tags `changes`, by place; place 0 stands before the first word."""
    words = words_of(text)
    tags = [changes.get(place, KEEP) for place in range(len(words) + 1)]
    return apply(Assembler(text, words).edits(tags), text)


@pytest.mark.parametrize(
    ("text", "changes", "expected"),
    [
        # spacing
        ("you are a fool.", {4: D}, "you are a."),
        ("stop it , fool .", {4: D}, "stop it ."),
        ("this  is   fucking  odd", {3: D}, "this  is odd"),
        ("go (you fool) now", {4: D}, "go (you) now"),
        ("you fool", {2: "replace|person"}, "you person"),
        ("you're dumb", {3: "replace|wrong"}, "you're wrong"),
        ("it is", {2: "append|n't good"}, "it is n't good"),
        ("do", {1: "append|'t"}, "do't"),
        ("that is shit!", {3: "replace|not good"}, "that is not good!"),
        ("what a day", {3: "append|, really"}, "what a day, really"),
        # loose marks
        ("Well, fool, stop.", {3: D}, "Well, stop."),
        ("Stop it, fool.", {4: D}, "Stop it."),
        ("Fool, stop it.", {1: D}, "Stop it."),
        ("No. Idiot.", {3: D}, "No."),
        ("Why? Idiot!", {3: D}, "Why?"),
        ("stop - fool", {3: D}, "stop"),
        ("Fool! Stop.", {1: D}, "Stop."),
        ("wait... fool... stop", {5: D}, "wait... stop"),
        ("- stop it", {}, "- stop it"),
        ("stop, ,", {}, "stop, ,"),
        ("the (stupid) plan", {3: D}, "the plan"),
        ('a "dumb" idea', {3: D}, "an idea"),
        ('"yes" fool "no"', {4: D}, '"yes" "no"'),
        ("go () now", {}, "go () now"),
        # sentences
        ("Thanks. But go.", {2: D}, "Thanks. But go."),
        ("Thanks. Fool, go.", {2: D, 3: D, 4: D}, "Thanks go."),
        ("Thanks. You go.", {2: D, 3: "replace|we"}, "Thanks. We go."),
        ("No. Dumb people go.", {3: D}, "No. People go."),
        ("no. dumb people go.", {3: D}, "no. people go."),
        ("no. dumb people go.", {2: D, 3: D}, "no people go."),
        # the end
        ("Go away, fool.", {4: D, 5: D}, "Go away."),
        ("what a fool !", {3: "replace|man", 4: D}, "what a man !"),
        ("you fool, go", {2: D, 3: D}, "you go"),
        # articles
        ("you are an idiot", {4: "replace|person"}, "you are a person"),
        ("you are a moron", {4: "replace|idea"}, "you are an idea"),
        ("a stupid idea", {2: D}, "an idea"),
        ("An idiotic plan", {2: D}, "A plan"),
        ("a fool", {2: "replace|user"}, "a user"),
        ("a fool", {2: "replace|honest man"}, "an honest man"),
        ("an idiot", {2: "replace|honey bee"}, "a honey bee"),
        ("a fool", {2: "replace|uninformed person"}, "an uninformed person"),
        ("an idiot", {2: "replace|unique person"}, "a unique person"),
        ("an idiot", {2: "replace|union man"}, "a union man"),
        ("a fool", {2: "replace|unkind person"}, "an unkind person"),
        ("an idiot", {2: "replace|one"}, "a one"),
        ("an idiot", {2: "replace|european"}, "a european"),
        ("a fool", {2: "replace|hour"}, "an hour"),
        ("a apple", {}, "a apple"),
        # casing
        ("Fucking stop it", {1: D}, "Stop it"),
        ("Idiots are here", {1: "replace|people"}, "People are here"),
        ("fucking Stop it", {1: D}, "Stop it"),
        ("YOU FUCKING IDIOT, STOP", {3: "replace|person"}, "YOU FUCKING PERSON, STOP"),
        ("I know you fool", {4: "replace|and i agree"}, "I know you and I agree"),
        ("stop it", {0: "append|please"}, "please stop it"),
        ("Stop it", {0: "append|please"}, "Please Stop it"),
        # all gone
        ("fool", {1: D}, ""),
        (" fool! ", {1: D, 2: D}, "  "),
    ],
)
def test_repairs(text: str, changes: dict[int, str], expected: str) -> None:
    assert assembled(text, changes) == expected


def test_kept_text_is_left_alone() -> None:
    text = "  An odd\u200b  (but  fine )text ,with—marks… and a apple .. ?! "
    words = words_of(text)
    assert Assembler(text, words).edits([KEEP] * (len(words) + 1)) == ()


def test_what_stands_unseen_between_kept_words_stays() -> None:
    text = "go \u200b away you fool"
    places = [span for span in words_of(text) if span.of(text) != "\u200b"]
    assert Assembler(text, places).edits([KEEP] * 5) == ()
    assert apply(Assembler(text, places).edits([*[KEEP] * 4, DELETE]), text) == "go \u200b away you"


def test_no_words_no_edits() -> None:
    assert Assembler("  ", []).edits([KEEP]) == ()


def test_edits_are_small() -> None:
    text = "The weather was fucking nice and the food was shit."
    words = words_of(text)
    tags = [KEEP] * (len(words) + 1)
    tags[4], tags[10] = DELETE, "replace|bad"
    (one, two) = Assembler(text, words).edits(tags)
    assert text[one.start : one.end].strip() == "fucking"
    assert (text[two.start : two.end], two.replacement) == ("shit", "bad")


TAGS = st.sampled_from(
    [KEEP] * 6 + [DELETE] * 3 + ["replace|person", "append|very much", "replace|old idea"]
)
WORDS = st.sampled_from(
    [
        "you",
        "An",
        "a",
        "idiot",
        "I",
        "don't",
        "it’s",
        ",",
        ".",
        "!",
        "-",
        "(",
        ")",
        '"',
        "é",
        "日本",
        "🙂",
        "…",
    ]
)


@st.composite
def tagged(draw: st.DrawFn) -> tuple[str, list[str]]:
    if draw(st.booleans()):
        text = draw(st.text(max_size=25))
    else:
        parts = draw(st.lists(st.tuples(WORDS, st.sampled_from(["", " ", " ", "  ", "\n"])), max_size=14))
        text = "".join(word + gap for word, gap in parts)
    size = len(words_of(text)) + 1
    tags = draw(st.lists(TAGS, min_size=size, max_size=size))
    if tags[0] == DELETE or tags[0].startswith("replace"):
        tags[0] = KEEP
    return text, tags


@given(tagged())
def test_edits_are_disjoint_in_order_and_change_something(case: tuple[str, list[str]]) -> None:
    text, tags = case
    edits = Assembler(text, words_of(text)).edits(tags)
    at = 0
    for edit in edits:
        assert at <= edit.start <= edit.end <= len(text)
        assert text[edit.start : edit.end] != edit.replacement
        at = edit.end
    apply(edits, text)


@given(tagged())
def test_nothing_outside_the_words_is_touched(case: tuple[str, list[str]]) -> None:
    text, tags = case
    words = words_of(text)
    result = apply(Assembler(text, words).edits(tags), text)
    if words:
        assert result.startswith(text[: words[0].start])
        assert result.endswith(text[words[-1].end :])
    else:
        assert result == text


def letters(words: list[str]) -> list[str]:
    """Words with a letter or digit, told apart by neither case nor article."""
    lowered = (word.casefold() for word in words if re.search(r"[^\W_]", word))
    return ["a" if word == "an" else word for word in lowered]


@given(tagged())
def test_the_words_are_those_the_tags_ask_for(case: tuple[str, list[str]]) -> None:
    """Repairs move marks, case and articles, never another word."""
    text, tags = case
    words = [span.of(text) for span in words_of(text)]
    assume(words)
    wanted = " ".join(carry_out(words, tags))
    result = apply(Assembler(text, words_of(text)).edits(tags), text)
    squeezed = "".join(letters([span.of(result) for span in words_of(result)]))
    assert squeezed == "".join(letters([span.of(wanted) for span in words_of(wanted)]))


@given(tagged())
def test_keeping_everything_edits_nothing(case: tuple[str, list[str]]) -> None:
    text, tags = case
    assert Assembler(text, words_of(text)).edits([KEEP] * len(tags)) == ()
