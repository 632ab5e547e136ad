"""Undo obfuscation and keep the offsets: ``1d!0t`` is read as ``idiot``, and is still found at 1d!0t.

Two kinds of undoing. The cosmetic one always applies: characters nobody sees, piles of marks, letters
of other alphabets that look Latin (Unicode TR 39 calls them confusables) in words that are Latin. The
ambiguous one (leet, spacing, stars, repeats, sounds) applies to a word only if a plain entry of
the word list comes out; so clean text comes back equal.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import pairwise

from unbarb.detect import lookalike, slips
from unbarb.detect.cleared import Cleared
from unbarb.detect.disguise import reveal
from unbarb.detect.spaced import may_spell, spelt_out
from unbarb.detect.wordlist import load
from unbarb.text import Span

_CHUNK = re.compile(r"\S+")
_LINK = re.compile(r"https?:|www\.|\w@\w+\.\w")
_PART = re.compile(r"[^\W_]+")
_OUTSIDE = "\"'()[]{}<>.,;:?!*_~`“”‘’«»…/\\|-–—=#&+^%"
_LEADING = "".join(c for c in _OUTSIDE if c not in "!+|")
_TRAILING = "".join(c for c in _OUTSIDE if c not in "*#%+|")
_PASSES = 4
RECENT, SHORT = 32, 2000
"""Texts whose views are remembered, and the characters of the longest."""

Piece = tuple[int, int, str]


@dataclass(frozen=True, slots=True)
class Normalized:
    """A text as it reads: character i of `text` came from the original's ``[starts[i], ends[i])``.

    `changed` are the stretches of the original that read otherwise than they are written.
    """

    text: str
    starts: Sequence[int]
    ends: Sequence[int]
    changed: tuple[Span, ...] = ()

    def span(self, start: int, end: int) -> Span:
        """Where in the original ``text[start:end]`` came from."""
        if start >= end:
            at = self.starts[start] if start < len(self.starts) else (self.ends[-1] if self.ends else 0)
            return Span(at, at)
        return Span(self.starts[start], max(self.ends[end - 1], self.starts[start]))


def normalize(text: str) -> Normalized:
    """Read `text` as a person would. Text without obfuscation comes back equal, with itself as map.

    The last few short ones are remembered: every detector and rewriter reads a text in this view.
    """
    return _remembered(text) if len(text) <= SHORT else _normalized(text)


def _normalized(text: str) -> Normalized:
    size = len(text)
    view = Normalized(text, range(size), range(1, size + 1))
    for _ in range(_PASSES):
        cosmetic = lookalike.pieces(view.text)
        if not cosmetic:
            break
        view = _rewrite(view, cosmetic)
    for _ in range(_PASSES):
        if not _suspicious(view.text):
            break
        pieces = _pieces(view.text)
        if not pieces:
            break
        view = _rewrite(view, pieces)
    return view


_remembered = lru_cache(RECENT)(_normalized)


def _suspicious(text: str) -> bool:
    """Whether any stretch between white space, or two side by side, may be other than it is written."""
    chunks = text.split()
    return not _AS_WRITTEN(chunks) or may_spell(chunks)


def _pieces(text: str) -> list[Piece]:
    """What to replace in `text`, in order and disjoint."""
    found: list[Piece] = []
    chunks = list(_CHUNK.finditer(text))
    index = 0
    while index < len(chunks):
        chunk = chunks[index]
        spelt = spelt_out(text, chunks, index)
        if spelt:
            index, start, end, word = spelt
            found.append((start, end, word))
            continue
        found += ((chunk.start() + a, chunk.start() + b, word) for a, b, word in undo(chunk.group()))
        index += 1
    return found


@lru_cache(maxsize=32768)
def undo(chunk: str) -> tuple[Piece, ...]:
    """What to replace in `chunk`, a stretch without white space."""
    if chunk.isascii() and chunk.isalpha():
        return _word(chunk.lower(), 0, chunk)
    if not 3 <= len(chunk) <= 200 or _LINK.search(chunk):
        return ()
    folded = lookalike.fold(chunk)
    if not re.search("[a-z]", folded):
        return ()
    bare = folded.strip(_OUTSIDE)
    at = folded.find(bare)
    written = chunk[at : at + len(bare)]
    if bare.isalpha() and bare.isascii() and bare == written.lower():
        marked_up = chunk[:at] == chunk[at + len(bare) :][::-1] != ""
        if bare in load().words or marked_up:
            return _word(bare, at, written)
    for core in dict.fromkeys((folded.lstrip(_LEADING).rstrip(_TRAILING), bare)):
        at = folded.find(core)
        word = _read(core, chunk[at : at + len(core)])
        if word and core:
            return ((at, at + len(core), word),)
    pieces: list[Piece] = []
    for part in _PART.finditer(folded):
        if part.group() != folded:
            pieces += _word(part.group(), part.start(), chunk[part.start() : part.end()])
    return tuple(pieces)


_AS_WRITTEN = Cleared(lambda chunk: not undo(chunk))


def _read(folded: str, written: str) -> str | None:
    """The listed word that `written` stands for, in its case; None if it is one already, or none."""
    word = reveal(folded)
    if word is None and folded != written.lower() and folded in load().words:
        word = folded
    if word is None:
        return None
    return word.upper() if written.isupper() and len(written) > 1 else word


def _word(folded: str, at: int, written: str) -> tuple[Piece, ...]:
    """What to replace in one word at `at`: all of it, or the places where others are glued to it."""
    word = _read(folded, written)
    if word is None and folded.isascii() and folded.isalpha():
        word = slips.near(folded)
        cuts = () if word else slips.glued(folded)
        if cuts:
            edges = (0, *cuts, len(folded))
            return tuple((at + a, at + b, (" " if a else "") + written[a:b]) for a, b in pairwise(edges))
    return ((at, at + len(folded), word),) if word else ()


def _rewrite(view: Normalized, pieces: Sequence[Piece]) -> Normalized:
    """Make all `pieces` at once and carry the map along."""
    text: list[str] = []
    starts: list[int] = []
    ends: list[int] = []
    changed = list(view.changed)
    at = 0
    for start, end, word in pieces:
        text.append(view.text[at:start])
        starts += view.starts[at:start]
        ends += view.ends[at:start]
        origin = view.span(start, end)
        changed.append(origin)
        text.append(word)
        if word[:1] == " ":
            starts.append(origin.start)
            ends.append(origin.start)
            word = word[1:]
        size, width = len(word), origin.end - origin.start
        starts += (origin.start + i * width // size for i in range(size))
        ends += (origin.start + (i + 1) * width // size for i in range(size))
        at = end
    text.append(view.text[at:])
    starts += view.starts[at:]
    ends += view.ends[at:]
    return Normalized("".join(text), starts, ends, _merged(changed))


def _merged(spans: list[Span]) -> tuple[Span, ...]:
    merged: list[Span] = []
    for span in sorted(spans):
        if merged and span.start < merged[-1].end:
            merged[-1] = Span(merged[-1].start, max(span.end, merged[-1].end))
        else:
            merged.append(span)
    return tuple(merged)
