"""Obfuscation is undone, offsets are kept, clean text stays."""

from __future__ import annotations

import sys
import unicodedata

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from unbarb.data.lists import lookalikes
from unbarb.detect.normalize import SHORT, _pieces, _suspicious, normalize

ODD = st.text(
    alphabet=st.sampled_from("aeiosutfckbdhnprm 014$@!*.-_'|\u200b\u0301\u0336аеоіѕｆｕ𝐢🅰é(),\n"),
    max_size=40,
)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("1d!0t", "idiot"),
        ("m0r0n", "moron"),
        ("lo$er", "loser"),
        ("ret@rd", "retard"),
        ("b1tch3s", "bitches"),
        ("wh0re", "whore"),
        ("f**k", "fuck"),
        ("sh*t", "shit"),
        ("c*nt", "cunt"),
        ("a**hole", "asshole"),
        ("id**t", "idiot"),
        ("f#ck", "fuck"),
        ("s.t.u.p.1.d", "stupid"),
        ("d.u.m.b.a.s.s", "dumbass"),
        ("f_u_c_k", "fuck"),
        ("a s s h o l e", "asshole"),
        ("you 1 d 1 0 t!", "you idiot!"),
        ("id iot", "idiot"),
        ("stuuuupid", "stupid"),
        ("phucking", "fucking"),
        ("fvck", "fuck"),
        ("stoopid", "stupid"),
        ("youidiot", "you idiot"),
        ("ｉｄｉｏｔ", "idiot"),
        ("𝖎𝖉𝖎𝖔𝖙", "idiot"),
        ("ⓘⓓⓘⓞⓣ", "idiot"),
        ("іdіоt", "idiot"),
        ("id\u200biot", "idiot"),
        ("i\u0336d\u0336i\u0336o\u0336t\u0336", "idiot"),
        ("fück", "fuck"),
        ("F**K", "FUCK"),
        ("Y0u are an 1D10T, really", "Y0u are an IDIOT, really"),
    ],
)
def test_obfuscation_is_undone(text: str, expected: str) -> None:
    assert normalize(text).text == expected
    assert normalize(text).changed


@pytest.mark.parametrize(
    "text",
    [
        "",
        "5 is > 3",
        "B4 we go",
        "a b c d",
        "h e l l o",
        "S H O E S",
        "C3PO",
        "A55",
        "sooo good",
        "**bold**",
        "**idiot**",
        "item*s",
        "f(x) = a*b*c",
        "$5",
        "Scunthorpe assassin class cockpit",
        "ass-ociation",
        "naïve café",
        "Straße",
        "Привет, как дела",
        "Ελληνικά",
        "❤️ 👩‍👩‍👧 1️⃣",
        "می‌خواهم",
        "beer! box! sick!",
        "https://x.org/sh1t/f**k",
        "who re-elected him",
        "idiot's",
        "an idiot and a moron",
    ],
)
def test_clean_text_stays(text: str) -> None:
    view = normalize(text)
    assert view.text == text
    assert not view.changed
    assert list(view.starts) == list(range(len(text)))
    assert list(view.ends) == list(range(1, len(text) + 1))


def test_look_alikes_stay() -> None:
    ascii_texts = [text for text in lookalikes("tune") + lookalikes("held") if text.isascii()]
    changed = [text for text in ascii_texts if normalize(text).text != text]
    assert len(ascii_texts) > 1000
    assert len(changed) <= 0.01 * len(ascii_texts), changed


def test_short_texts_are_remembered_and_long_ones_are_not() -> None:
    short, long = "a 1d!0t " * (SHORT // 8), "a 1d!0t " * SHORT
    assert normalize(short) is normalize(short)
    assert normalize(long) is not normalize(long)
    assert normalize(long) == normalize(long)


@pytest.mark.parametrize(
    "word", ["1d!0t", "i d i o t", "i.d.i.o.t", "id\u200biot", "іdіоt", "ｉｄｉｏｔ", "idiiiiot"]
)
def test_offsets_point_at_what_was_written(word: str) -> None:
    text = f"You, sir, are an {word}, and how."
    view = normalize(text)
    at = view.text.index("idiot")
    assert view.span(at, at + 5).of(text) == word
    assert all(change.of(text) in word for change in view.changed)


def test_glued_words_keep_their_own_offsets() -> None:
    view = normalize("oh youidiot!")
    at = view.text.index("idiot")
    assert view.span(at, at + 5).of("oh youidiot!") == "idiot"
    assert view.span(3, 6).of("oh youidiot!") == "you"


@settings(max_examples=300)
@given(ODD | st.text(max_size=60))
def test_offsets_are_ordered_and_inside(text: str) -> None:
    view = normalize(text)
    assert len(view.text) == len(view.starts) == len(view.ends)
    assert all(0 <= a <= b <= len(text) for a, b in zip(view.starts, view.ends, strict=True))
    assert list(view.starts) == sorted(view.starts)
    assert list(view.ends) == sorted(view.ends)
    assert all(0 <= change.start <= change.end <= len(text) for change in view.changed)


@settings(max_examples=300)
@given(ODD | st.text(max_size=60))
def test_a_second_pass_changes_nothing(text: str) -> None:
    once = normalize(text).text
    assert normalize(once).text == once


@settings(max_examples=200)
@given(ODD)
def test_what_did_not_change_is_copied(text: str) -> None:
    view = normalize(text)
    for i, c in enumerate(view.text):
        inside = any(change.start <= view.starts[i] < change.end for change in view.changed)
        assert inside or view.starts[i] == view.ends[i] or text[view.starts[i]] == c


def test_every_mark_is_read_alone_and_behind_a_letter() -> None:
    """Some marks have a combining class and yet stand by themselves (U+1734)."""
    marks = [chr(c) for c in range(sys.maxunicode) if unicodedata.category(chr(c)).startswith("M")]
    assert "\u1734" in marks
    for mark in marks:
        assert normalize(mark).text in ("", mark)
        assert normalize(f"a{mark}b").text.startswith("a")


@pytest.mark.parametrize(
    "text", ["*" * 200, "f" + "*" * 30 + "k", "@$!" * 60, "s*" * 100, "i d i o " * 500, "x" * 5000]
)
def test_hostile_text_is_done_soon(text: str) -> None:
    assert isinstance(normalize(text).text, str)


SPACED = st.lists(
    st.sampled_from(
        [
            "i",
            "d",
            "o",
            "t",
            "id",
            "iot",
            "f",
            "u",
            "ck",
            "but",
            "the",
            "in",
            "to",
            "a",
            "mor",
            "on",
            "!",
            "t.",
        ]
    ),
    max_size=12,
).map(" ".join)


@given(SPACED | st.text(alphabet="abcdefio tuckmrn.*!- ", max_size=30))
def test_the_quick_look_misses_nothing_that_the_long_one_finds(text: str) -> None:
    assert _suspicious(text) or not _pieces(text)
