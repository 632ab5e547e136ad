"""Words, neighbouring words and pieces of words of a text, as rows of a hashed table.

Training and runtime read texts by this file alone, so that a weight means the same to both. Changing
anything here makes every stored table of weights worthless; a test pins rows byte by byte.
"""

from __future__ import annotations

import re
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

BITS = 18
ROWS = 1 << BITS
"""Rows of the table."""

LONGEST = 5
"""Characters in a piece of a word, from two; the space before and after a word counts as one."""

RowArray = NDArray[np.int64]

_TOKEN = re.compile(r"\w+|[^\w\s]")
_BASE = 0x9E3779B97F4A7C15
_MIX = 0xD6E8FEB86659FD93
_NEXT = 0xA0761D6478BD642F
_ALL = (1 << 64) - 1
_SHIFT = 64 - BITS
_KEPT, _LONG = 1 << 13, 40
"""Words whose rows are kept, and the letters from which one is too odd to come again."""


def rows(text: str) -> RowArray:
    """The rows that `text` switches on, ascending, each once.

    `text` is the normalised view (``normalize(text).text``); case does not matter. Characters are the
    digits of a number to the base of `_BASE`, modulo 2^64; the top bits of a product are the row
    (multiply-shift hashing, Dietzfelbinger et al. 1997).
    """
    tokens = _TOKEN.findall(text.lower())
    if not tokens:
        return np.empty(0, np.int64)
    read = {token: _word(token) if len(token) < _LONG else _read(token) for token in dict.fromkeys(tokens)}
    hashes = np.array([read[token][0] for token in tokens], np.uint64)
    pairs = (hashes[:-1] * np.uint64(_NEXT) + hashes[1:]) * np.uint64(_MIX) >> np.uint64(_SHIFT)
    found = np.concatenate([pairs.astype(np.int64), *(own for _, own in read.values())])
    found.sort()
    first = np.empty(len(found), np.bool_)
    first[0] = True
    np.not_equal(found[1:], found[:-1], out=first[1:])
    return found[first]


def _read(token: str) -> tuple[int, RowArray]:
    """The hash of a word, of its characters and its length; and the rows of it and its pieces."""
    codes = [ord(character) for character in token]
    own = 0
    for code in reversed(codes):
        own = (own * _BASE + code) & _ALL
    own = (own + len(codes) * _MIX) & _ALL
    found = [own]
    spaced = [ord(" "), *codes, ord(" ")]
    for start, piece in enumerate(spaced[:-1], 1):
        for code in spaced[start : start + LONGEST - 1]:
            piece = (piece * _BASE + code) & _ALL
            found.append(piece)
    return own, np.array([(one * _MIX & _ALL) >> _SHIFT for one in found], np.int64)


_word = lru_cache(_KEPT)(_read)
