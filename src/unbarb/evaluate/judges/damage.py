"""Sentences broken on purpose, in the ways that editing breaks them: what a fluency judge learns from.

Seven kinds, all on words (runs without white space): one gone, two gone, a wrong function word put in,
the end cut off, a word doubled, two neighbours swapped, a word replaced by one from elsewhere.
"""

from __future__ import annotations

from collections.abc import Sequence
from random import Random

_FUNCTION_WORDS = (
    "a an the this that these those of to in on at by for with from and or but so if as is are was were "
    "be been has have had do does did not will would can could should may might he she it they we you i "
    "his her its their my your them him us me who which what when where there then than very just about "
    "into over"
)
FUNCTION_WORDS = tuple(_FUNCTION_WORDS.split())


def damage(sentence: str, random: Random, foreign: Sequence[str] = FUNCTION_WORDS) -> str | None:
    """Break `sentence` in one or two ways; `None` when it is under four words or comes out the same."""
    words = sentence.split()
    if len(words) < 4:
        return None
    for _ in range(1 if random.random() < 0.75 else 2):
        kind = random.choices(_KINDS, _WEIGHTS)[0]
        words = kind(words, random, foreign)
    broken = " ".join(words)
    return broken if broken != " ".join(sentence.split()) else None


def _one_gone(words: list[str], random: Random, foreign: Sequence[str]) -> list[str]:
    at = random.randrange(len(words))
    return words[:at] + words[at + 1 :]


def _two_gone(words: list[str], random: Random, foreign: Sequence[str]) -> list[str]:
    at = random.randrange(len(words) - 1)
    return words[:at] + words[at + 2 :]


def _wrong_word_in(words: list[str], random: Random, foreign: Sequence[str]) -> list[str]:
    at = random.randrange(1, len(words))
    return [*words[:at], random.choice(FUNCTION_WORDS), *words[at:]]


def _end_cut(words: list[str], random: Random, foreign: Sequence[str]) -> list[str]:
    return words[: max(2, len(words) - random.randint(1, max(1, len(words) // 2)))]


def _doubled(words: list[str], random: Random, foreign: Sequence[str]) -> list[str]:
    at = random.randrange(len(words))
    return [*words[: at + 1], *words[at:]]


def _swapped(words: list[str], random: Random, foreign: Sequence[str]) -> list[str]:
    at = random.randrange(len(words) - 1)
    return [*words[:at], words[at + 1], words[at], *words[at + 2 :]]


def _replaced(words: list[str], random: Random, foreign: Sequence[str]) -> list[str]:
    at = random.randrange(len(words))
    return [*words[:at], random.choice(foreign), *words[at + 1 :]]


_KINDS = (_one_gone, _two_gone, _wrong_word_in, _end_cut, _doubled, _swapped, _replaced)
_WEIGHTS = (5, 2, 2, 2, 1, 2, 3)
