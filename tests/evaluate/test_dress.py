"""What judges do not read, and what a stuck decoder says again."""

from __future__ import annotations

import pytest

from unbarb.evaluate.judges.dress import looped, undressed


@pytest.mark.parametrize(
    ("written", "plain"),
    [
        ('"You are kind."', "You are kind."),
        ("“You are kind.”", "You are kind."),
        ("**You** are\n\n- kind ", "You are kind"),
        ("# Title", "Title"),
        ("that is great 😊👍🏽!", "that is great 🏽!"),
        ('he said "no" and "yes"', 'he said "no" and "yes"'),
        ('"no" is not "yes"', '"no" is not "yes"'),
        ("don't", "don't"),
        ("5 * 3 * 2", "5 * 3 * 2"),
        ("f*** this s**t and f*** that", "f*** this s**t and f*** that"),
        ("** you **", "** you **"),
        ("", ""),
    ],
)
def test_only_what_is_round_the_sentence_goes(written, plain):
    assert undressed(written) == plain


@pytest.mark.parametrize(
    ("text", "share"),
    [
        ("a good day", 0.0),
        ("very very good", 0.0),
        ("no no no no", 0.75),
        ("I like it I like it", 0.5),
        ("well, I like it. I like it. I like it.", 6 / 10),
        ("it is what it is", 0.0),
        ("", 0.0),
    ],
)
def test_a_loop_is_a_stretch_that_follows_itself(text, share):
    assert looped(text) == pytest.approx(share)
