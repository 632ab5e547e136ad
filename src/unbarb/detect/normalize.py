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

from unbarb.detect import disguise, lookalike
from unbarb.text import Span

_CHUNK = re.compile(r"\S+")
_SPACED = re.compile(r"(?<!\S)(?:\S[ \t]{1,3}){2,}\S(?!\S)")
_LINK = re.compile(r"https?://|www\.|\w@\w+\.\w")
_PART = re.compile(r"[^\W_]+")
_CORE = re.compile(r"^[^\w$@!|¡€£(<+]*(.*?)[^\w*$@#%&]*$", re.DOTALL)
_NARROW = re.compile(r"^[\W_]*(.*?)[\W_]*$", re.DOTALL)
_PASSES = 4

_Piece = tuple[int, int, str]


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
    """Read `text` as a person would. Text without obfuscation comes back equal, with itself as map."""
    size = len(text)
    view = Normalized(text, range(size), range(1, size + 1))
    cosmetic = lookalike.pieces(text)
    if cosmetic:
        view = _rewrite(view, cosmetic)
    for _ in range(_PASSES):
        pieces = _pieces(view.text)
        if not pieces:
            break
        view = _rewrite(view, pieces)
    return view


def _pieces(text: str) -> list[_Piece]:
    """What to replace in `text`, in order and disjoint."""
    found = [] if len(text) < 5 else _spaced(text)
    taken = found[-1][1] if found else 0
    for chunk in _CHUNK.finditer(text):
        start = chunk.start()
        if start < taken and any(start < piece[1] and piece[0] < chunk.end() for piece in found):
            continue
        for a, b, word in _chunk(chunk.group()):
            found.append((start + a, start + b, word))
    found.sort()
    return found


def _spaced(text: str) -> list[_Piece]:
    """Letters with spaces between them that spell a listed word."""
    found = []
    for run in _SPACED.finditer(text):
        places = [place for place in range(run.start(), run.end()) if not text[place].isspace()]
        first = 0
        while first < len(places) - 2:
            for last in range(min(len(places), first + 24), first + 2, -1):
                size = last - first
                joined = "".join(text[place] for place in places[first:last]).lower()
                word = _spelt(joined) if size > 3 or size == len(places) else None
                if word:
                    found.append((places[first], places[last - 1] + 1, word))
                    first = last - 1
                    break
            first += 1
    return found


def _spelt(joined: str) -> str | None:
    listed = disguise.load()
    if joined in listed.words and listed.words[joined].plain:
        return joined
    return disguise.reveal(joined)


@lru_cache(maxsize=32768)
def _chunk(chunk: str) -> tuple[_Piece, ...]:
    """What to replace in a stretch without white space."""
    if len(chunk) < 3 or len(chunk) > 200 or _LINK.search(chunk):
        return ()
    folded = lookalike.fold(chunk)
    if not any("a" <= c <= "z" for c in folded):
        return ()
    narrow = _NARROW.match(folded)
    core = _CORE.match(folded)
    assert narrow is not None and core is not None  # noqa: S101 - both patterns match any text
    listed = disguise.load().words
    if narrow.group(1) in listed and narrow.group(1) == chunk[narrow.start(1) : narrow.end(1)].lower():
        return ()
    marked = bool(folded[: narrow.start(1)]) and folded[0] in "*_~" and folded[-1] in "*_~"
    for found in (narrow,) if marked else (core, narrow):
        word = _known(found.group(1), chunk[found.start(1) : found.end(1)])
        if word:
            return ((found.start(1), found.end(1), word),)
    pieces = []
    for part in _PART.finditer(folded):
        if part.group() == folded:
            continue
        word = _known(part.group(), chunk[part.start() : part.end()])
        if word:
            pieces.append((part.start(), part.end(), word))
    return tuple(pieces)


def _known(folded: str, written: str) -> str | None:
    word = disguise.reveal(folded)
    if word is None and folded != written.lower() and folded in disguise.load().words:
        word = folded
    if word is None:
        return None
    return word.upper() if written.isupper() else word


def _rewrite(view: Normalized, pieces: Sequence[_Piece]) -> Normalized:
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
        size, width = len(word), origin.end - origin.start
        text.append(word)
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
