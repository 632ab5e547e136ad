"""Damages sentences on purpose, the way edits go wrong, for the readers of fluency to learn from.

Kinds: a word gone, two gone, a wrong phrase put in or appended, a word doubled, neighbours
swapped, a cut end, a dangling article, a stray mark.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

LOOSE_ENDS = (
    "a",
    "the",
    "of",
    "to",
    "and",
    "is",
    "are",
    "you",
    "your",
    "with",
    "that",
    "this",
    "very",
    "so",
)


def damage(words: Sequence[str], phrases: Sequence[str], rng: np.random.Generator) -> list[str]:
    """A damaged copy of `words`, never equal to it; needs at least three words.

    `phrases` are what the edit tags may put in: the wrong phrase is drawn from them.
    """
    for _ in range(8):
        done = _once(list(words), phrases, rng)
        if done != list(words) and done:
            return done
    return [*words, LOOSE_ENDS[int(rng.integers(len(LOOSE_ENDS)))]]


def _once(words: list[str], phrases: Sequence[str], rng: np.random.Generator) -> list[str]:
    body = [i for i, word in enumerate(words) if word.isalnum()] or [0]
    at = body[int(rng.integers(len(body)))]
    kind = int(rng.choice(8, p=[0.25, 0.14, 0.21, 0.1, 0.06, 0.06, 0.11, 0.07]))
    if kind == 0:
        return words[:at] + words[at + 1 :]
    if kind == 1:
        other = body[int(rng.integers(len(body)))]
        return [word for i, word in enumerate(words) if i not in (at, other)]
    if kind == 2:
        return words[:at] + _phrase(phrases, rng) + words[at + 1 :]
    if kind == 3:
        return words[: at + 1] + _phrase(phrases, rng) + words[at + 1 :]
    if kind == 4:
        return words[: at + 1] + words[at:]
    if kind == 5:
        return words[:at] + words[at + 1 : at + 2] + [words[at]] + words[at + 2 :]
    if kind == 6:
        keep = max(2, len(words) - int(rng.integers(1, 4)))
        return words[:keep]
    end = words[:-1] if words[-1] in ".!?" else words
    return [*end, LOOSE_ENDS[int(rng.integers(len(LOOSE_ENDS)))], *words[len(end) :]]


def _phrase(phrases: Sequence[str], rng: np.random.Generator) -> list[str]:
    return phrases[int(rng.integers(len(phrases)))].split() if phrases else []
