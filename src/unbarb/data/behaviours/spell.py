"""Spelling variants: what people do to a sentence to slip past a filter, or because they type fast."""

from __future__ import annotations

import random
import re
from collections.abc import Callable

LEET = {"a": "4@", "e": "3", "i": "1!", "o": "0", "s": "5$", "t": "7", "b": "8", "g": "9", "l": "1"}
LONG_WORD = re.compile(r"[^\W\d_]{4,}")

Variant = Callable[[str, random.Random], str]


def swap_letters(text: str, rng: random.Random) -> str:
    """Two neighbouring inner letters change places in one or two words."""
    return _respell(text, rng, 2, lambda word, at: word[:at] + word[at + 1] + word[at] + word[at + 2 :])


def drop_letter(text: str, rng: random.Random) -> str:
    """One inner letter is missing in one or two words."""
    return _respell(text, rng, 2, lambda word, at: word[:at] + word[at + 1 :])


def join_words(text: str, rng: random.Random) -> str:
    """Some spaces, or all of them, are missing."""
    share = rng.choice((0.3, 0.6, 1.0))
    spaces = [match.start() for match in re.finditer(" ", text)]
    gone = set(rng.sample(spaces, max(1, round(share * len(spaces))))) if spaces else set()
    return "".join(character for at, character in enumerate(text) if at not in gone)


def space_letters(text: str, rng: random.Random) -> str:
    """The letters of one word, or of all words, stand apart."""
    mark = rng.choice((" ", " ", ".", "-", "_"))
    if mark == " " and rng.random() < 0.3:
        return " ".join(text.replace(" ", ""))
    words = [match for match in LONG_WORD.finditer(text)]
    if not words:
        return text
    chosen = rng.choice(words)
    return text[: chosen.start()] + mark.join(chosen[0]) + text[chosen.end() :]


def leet(text: str, rng: random.Random) -> str:
    """Digits and signs stand for letters that look like them."""
    share = rng.choice((0.4, 0.7, 1.0))
    return "".join(
        rng.choice(LEET[character.lower()])
        if character.lower() in LEET and rng.random() < share
        else character
        for character in text
    )


VARIANTS: dict[str, Variant] = {
    "swapped": swap_letters,
    "dropped": drop_letter,
    "joined": join_words,
    "spaced": space_letters,
    "leet": leet,
}


def _respell(text: str, rng: random.Random, most: int, change: Callable[[str, int], str]) -> str:
    found = [match for match in LONG_WORD.finditer(text)]
    for match in sorted(rng.sample(found, min(most, len(found))), key=lambda word: -word.start()):
        at = rng.randrange(1, len(match[0]) - 2)
        text = text[: match.start()] + change(match[0], at) + text[match.end() :]
    return text
