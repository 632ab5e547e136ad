"""Doubt: how far a score may be trusted, by how much and what kind of text it is of."""

from __future__ import annotations

from collections.abc import Sequence
from math import log
from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray

from unbarb.detect.wordlist import load
from unbarb.language import language

FEW, MOST = 16, 8
"""The words from which on a text is doubted, and by how much at most."""
STRANGE, BARE, SHORT = 8, 2, 6
"""What divides the odds of a strange text; the words under which one is no sentence, and is short."""

LEARNT = ("en", "und")
"""The languages that the encoder learnt; of a text in none that can be told it is asked too."""

Score = TypeVar("Score", float, NDArray[np.floating[Any]])


def doubted(score: Score, words: int, times: float = 1.0) -> Score:
    """The score of a text of so many words, its odds divided by `divisor` of them, and by `times`."""
    return score / (score + (1 - score) * divisor(words) * times)


def doubt(words: int, times: float = 1.0) -> float:
    """By how much the logits of such a text fall; see `doubted`."""
    return log(divisor(words) * times)


def divisor(words: int) -> float:
    """What the odds of a text of so many words are divided by: the square of its length over `FEW`.

    The longer a text, the more places there are where a harmless one sounds toxic. It is at most `MOST`,
    so that one insult in a book is still found.
    """
    return min(max(words / FEW, 1.0) ** 2, MOST)


def strangeness(words: Sequence[str], pieces: Sequence[int]) -> float:
    """By how much to divide the odds of a text that the encoder can hardly know: `STRANGE`, or 1.

    Such is a word or two without a sentence, a short text most letters of which stand in words that the
    encoder cannot read whole, and one in a language that it did not learn. A text with a listed rude word
    is no stranger.

    Args:
        words: of the normalised text.
        pieces: of each word, how many the encoder reads it as.
    """
    if foreign(words):
        return STRANGE
    written = [(word, count) for word, count in zip(words, pieces, strict=True) if word[0].isalnum()]
    if not written or len(written) > SHORT or _rude(words):
        return 1.0
    letters = sum(len(word) for word, _ in written)
    whole = sum(len(word) for word, count in written if count == 1 and len(word) > 1 and word.isalpha())
    return STRANGE if len(written) <= BARE or whole < letters / 2 else 1.0


def foreign(words: Sequence[str]) -> bool:
    """Whether a text, given as its words, is in a language that the encoder did not learn.

    One with a listed rude word is not, whatever the rest of it.
    """
    return language(" ".join(words)) not in LEARNT and not _rude(words)


def _rude(words: Sequence[str]) -> bool:
    return any(word.lower() in load().words for word in words)
