"""Listed words written with spaces in them: ``i d i o t``, ``f u ck``, ``id iot``."""

from __future__ import annotations

import re
from collections.abc import Sequence
from functools import cache, lru_cache

from unbarb.detect.cleared import Cleared
from unbarb.detect.disguise import reveal, trie
from unbarb.detect.wordlist import load

_MARKS = "\"'()[]{}.,;:?!*_~`“”‘’«»…-–—"
_ALONE = "aiouxrn&-"
"""Characters that stand alone in ordinary text, so that a run of letters may begin or end beside them."""

_FIRST = "@$!"
_LAST = "$+|"
_LONGEST_GAP = 3
_MOST_PIECES = 24

Spelt = tuple[int, int, int, str]
"""The chunk to go on with, the start and end of what was spelt out, and the word."""


@cache
def _heads() -> frozenset[str]:
    """Every beginning of a plain word of four letters or more."""
    return (
        frozenset(
            form[:size]
            for form, entry in load().words.items()
            if entry.disguised and form.isalpha() and len(form) >= 4
            for size in range(2, len(form))
        )
        - load().words.keys()
    )


@lru_cache(maxsize=8192)
def is_head(chunk: str) -> bool:
    """Whether a word written with spaces in it may begin with, or go on with, `chunk`.

    A letter that is a word by itself says nothing, for in "i d i o t" another follows.
    """
    bare = chunk.strip(_MARKS).lower()
    if len(bare) == 1:
        return bare.isalpha() and bare not in "aiou"
    return len(bare) < 10 and bare.isascii() and bare.isalpha() and bare in _heads()


def may_spell(chunks: Sequence[str]) -> bool:
    """Whether any neighbours may be one spaced word: what :func:`spelt_out` needs, at little cost."""
    return not _NO_START(chunks) and any(_may_spell(chunks, at) for at in range(len(chunks) - 1))


def _may_spell(chunks: Sequence[str], at: int) -> bool:
    if not starts(chunks[at]) or not _follows(chunks[at], chunks[at + 1]):
        return False
    alone = chunks[at].lstrip(_MARKS) or chunks[at]
    if len(alone) == 1 == len(chunks[at + 1]):
        return True
    node = trie()
    for piece in (alone, *chunks[at + 1 : at + _MOST_PIECES]):
        for letter in piece.rstrip(_MARKS).lower():
            below = node.get(letter)
            if not isinstance(below, dict):
                return False
            node = below
        if "" in node and piece is not alone:
            return True
    return False


@lru_cache(maxsize=8192)
def starts(chunk: str) -> bool:
    """Whether a spaced word may start in `chunk`: with its one character, or with a whole piece."""
    alone = chunk.lstrip(_MARKS) or chunk
    return len(alone) == 1 or (alone == alone.rstrip(_MARKS) and is_head(chunk))


_NO_START = Cleared(lambda chunk: not starts(chunk))


@lru_cache(maxsize=32768)
def _follows(one: str, other: str) -> bool:
    """Whether the word that starts in `one` may go on in `other`."""
    alone = one.lstrip(_MARKS) or one
    if len(alone) == 1 == len(other):
        return True
    node = trie()
    for letter in (alone + other.rstrip(_MARKS)).lower():
        below = node.get(letter)
        if not isinstance(below, dict):
            return False
        node = below
    return True


def spelt_out(text: str, chunks: Sequence[re.Match[str]], first: int) -> Spelt | None:
    """The listed word that the chunks from `first` on spell together, if they do."""
    one = chunks[first].group()
    if not starts(one) or first + 1 == len(chunks) or not _follows(one, chunks[first + 1].group()):
        return None
    if first and _goes_on(chunks[first - 1]):
        return None
    return _letters(text, chunks, first) or _halves(text, chunks, first)


def _goes_on(beside: re.Match[str]) -> bool:
    """Whether what stands beside a run of letters must be part of it, as the first S of "s h o e s"."""
    return len(beside.group()) == 1 and beside.group().lower() not in _ALONE


def _joins(text: str, left: re.Match[str], right: re.Match[str]) -> bool:
    gap = text[left.end() : right.start()]
    return len(gap) <= _LONGEST_GAP and "\n" not in gap


def _letters(text: str, chunks: Sequence[re.Match[str]], first: int) -> Spelt | None:
    """A run of single characters; three letters count only if they are the whole run."""
    letters = [chunks[first].group().lstrip(_MARKS) or chunks[first].group()]
    last = first + 1
    while len(letters[-1]) == 1 and last < len(chunks) and last - first < _MOST_PIECES:
        if not _joins(text, chunks[last - 1], chunks[last]):
            break
        letters.append(chunks[last].group())
        last += 1
    letters[-1] = letters[-1].rstrip(_MARKS) or letters[-1]
    if len(letters[-1]) > 1:
        letters.pop()
    alone = first == 0 or len(chunks[first - 1].group()) > 1
    start = chunks[first].end() - 1
    for size in range(len(letters), 2, -1):
        joined = "".join(letters[:size]).lower()
        if size == 3 and not (alone and size == len(letters)):
            continue
        if size < len(letters) and letters[size].lower() not in _ALONE:
            continue
        if joined[0] not in _FIRST and not joined[0].isalnum():
            continue
        if joined[-1] not in _LAST and not joined[-1].isalnum():
            continue
        word = _listed(joined) or (reveal(joined) if size > 3 else None)
        if word and sum(c.isalpha() for c in joined) > 1:
            end = chunks[first + size - 1]
            return first + size, start, end.start() + end.group().index(letters[size - 1]) + 1, word
    return None


def _halves(text: str, chunks: Sequence[re.Match[str]], first: int) -> Spelt | None:
    """Pieces of a plain word, not all of them ordinary words themselves."""
    node = trie()
    ordinary = load().pieces
    start = chunks[first].end() - len(chunks[first].group().lstrip(_MARKS))
    disguised, single = False, 0
    for index in range(first, min(first + _MOST_PIECES, len(chunks))):
        if index > first and not _joins(text, chunks[index - 1], chunks[index]):
            return None
        written = text[max(start, chunks[index].start()) : chunks[index].end()]
        piece = written.rstrip(_MARKS)
        for letter in piece.lower():
            below = node.get(letter)
            if not isinstance(below, dict):
                return None
            node = below
        single += len(piece) == 1
        disguised = disguised or single > 1 or (len(piece) > 1 and piece.lower() not in ordinary)
        word = node.get("")
        ends = index + 1 == len(chunks) or len(piece) > 1 or not _goes_on(chunks[index + 1])
        if isinstance(word, str) and index > first and len(word) >= 4 and disguised and ends:
            return index + 1, start, chunks[index].end() - len(written) + len(piece), word
        if not piece or piece != written:
            return None
    return None


def _listed(word: str) -> str | None:
    entry = load().words.get(word)
    return word if entry is not None and entry.disguised else None
