"""Words, neighbouring words and pieces of words of a text, as rows of a hashed table.

Training and runtime read texts by this file alone, so that a weight means the same to both. Changing
anything here makes every stored table of weights worthless; a test pins rows byte by byte.
"""

from __future__ import annotations

import re

import numpy as np
from numpy.typing import NDArray

BITS = 18
ROWS = 1 << BITS
"""Rows of the table."""

SHORTEST, LONGEST = 2, 5
"""Characters in a piece of a word; the space before and after a word counts as one."""

RowArray = NDArray[np.int64]
_Hashes = NDArray[np.uint64]

_TOKEN = re.compile(r"\w+|[^\w\s]")
_BASE = 0x9E3779B97F4A7C15
_MIX = np.uint64(0xD6E8FEB86659FD93)
_NEXT = np.uint64(0xA0761D6478BD642F)
_SHIFT = np.uint64(64 - BITS)
_SPACE = np.uint64(32)
_BLOCK = 4096


def _powers(base: int, count: int) -> _Hashes:
    """``base ** 0 … count - 1``, modulo 2^64."""
    found = np.full(count, base, np.uint64)
    found[0] = 1
    return np.multiply.accumulate(found)


_UP = _powers(_BASE, _BLOCK)
_DOWN = _powers(pow(_BASE, -1, 1 << 64), _BLOCK)


def rows(text: str) -> RowArray:
    """The rows that `text` switches on, ascending, each once.

    `text` is the normalised view (``normalize(text).text``); case does not matter. Every character is
    a digit of a number to the base of `_BASE`, modulo 2^64, so that all n-grams come out of whole-array
    arithmetic; the top bits of a product are the row (multiply-shift hashing, Dietzfelbinger et al. 1997).
    """
    tokens = _TOKEN.findall(text.lower())
    if not tokens:
        return np.empty(0, np.int64)
    line = f" {' '.join(tokens)} "
    codes = np.frombuffer(line.encode("utf-32-le", "surrogatepass"), np.uint32).astype(np.uint64)
    gaps = np.flatnonzero(codes == _SPACE)
    words = _word_hashes(codes, gaps)
    found = np.concatenate((*_pieces(codes, gaps), words, words[:-1] * _NEXT + words[1:]))
    found *= _MIX
    found >>= _SHIFT
    found.sort()
    first = np.empty(len(found), np.bool_)
    first[0] = True
    np.not_equal(found[1:], found[:-1], out=first[1:])
    return found[first].astype(np.int64)


def _pieces(codes: _Hashes, gaps: NDArray[np.int64]) -> list[_Hashes]:
    """Hashes of the character n-grams that do not reach over a space, one array per length."""
    base = np.uint64(_BASE)
    # Characters until the next space, it included: how long an n-gram that starts here may be.
    places = np.arange(len(codes) - 1)
    room = gaps[np.searchsorted(gaps, places, side="right")] - places + 1
    hashed = codes
    found = []
    for size in range(2, LONGEST + 1):
        if len(hashed) < 2:
            break
        hashed = hashed[:-1] * base + codes[size - 1 :]
        if size >= SHORTEST:
            found.append(hashed[room[: len(hashed)] >= size])
    return found


def _word_hashes(codes: _Hashes, gaps: NDArray[np.int64]) -> _Hashes:
    """One hash per word, of its characters and its length."""
    size = len(codes)
    up = _UP if size <= _BLOCK else _powers(_BASE, size)
    down = _DOWN if size <= _BLOCK else _powers(pow(_BASE, -1, 1 << 64), size)
    total = np.zeros(size + 1, np.uint64)
    np.cumsum(codes * up[:size], dtype=np.uint64, out=total[1:])
    starts, ends = gaps[:-1] + 1, gaps[1:]
    # The sum over a word still holds the power of its place in the line; take that out.
    own: _Hashes = (total[ends] - total[starts]) * down[starts]
    return own + (ends - starts).astype(np.uint64) * _MIX
