"""Sentences with offsets, windows of sentences, and which language a text is in.

Nothing is lost: the sentences of a text are contiguous and cover it, white space included.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from functools import cache
from pathlib import Path

from unbarb.text import Span

MAX_WORDS = 60
"""No sentence is longer, in words; a longer one is cut at a clause or, failing that, a space."""

MAX_CHARACTERS = 400
"""No sentence is longer, in characters."""

_END = re.compile(r"""[.!?…]+["'”’»)\]*_]*\s+|[。！？]+["”』」)]*\s*|\s*\n\s*""")
_CLAUSE = re.compile(r"[,;:)–—]\s+|\s+(?=(?:and|but|or|because|so|while|which|who|that)\s)")
_SPACE = re.compile(r"\s+")
_LAST_TOKEN = re.compile(r"[^\s(\"'“‘\[]*$")
_INITIAL = re.compile(r"(?:[^\W\d_]\.)*[^\W\d_]")
_WORD = re.compile(r"\S+")
_NO_END = frozenset(
    "mr mrs ms dr prof rev hon gen col sgt capt lt st jr sr vs etc inc ltd co corp no vol pp p ed eds"
    " fig al cf ca approx dept est govt jan feb mar apr jun jul aug sep sept oct nov dec mt ave blvd"
    " e.g i.e eg ie viz resp u.s u.k".split()
)


def sentences(text: str) -> list[Span]:
    """Cut `text` into sentences of at most `MAX_WORDS` words and `MAX_CHARACTERS` characters.

    Returns:
        Contiguous spans that cover the text, in order; white space belongs to the sentence before
        it (at the start of the text, to the first). Empty for an empty text.
    """
    spans: list[Span] = []
    start = 0
    for end in _ends(text):
        if text[start:end].isspace():
            continue
        spans += _pieces(text, start, end)
        start = end
    if start < len(text):
        if spans and text[start:].isspace() and len(text) - spans[-1].start <= MAX_CHARACTERS:
            spans[-1] = Span(spans[-1].start, len(text))
        else:
            spans += _pieces(text, start, len(text))
    return spans


def _ends(text: str) -> Iterator[int]:
    """Where sentences end, the white space after them included."""
    for found in _END.finditer(text):
        if text[found.start()] == "." and not _ends_here(text, found):
            continue
        yield found.end()


def _ends_here(text: str, found: re.Match[str]) -> bool:
    """Whether a full stop ends a sentence: not after an abbreviation, an initial or an item's number."""
    if found.group().startswith("..") or "\n" in found.group():
        return True
    if text[found.end() : found.end() + 1].islower():
        return False
    last = _LAST_TOKEN.search(text, max(0, found.start() - 20), found.start())
    token = last.group() if last else ""
    if token.lower() in _NO_END or _INITIAL.fullmatch(token) is not None and token not in ("I", "i"):
        return False
    line_start = text.rfind("\n", 0, found.start()) + 1
    return not (token.isdigit() and not text[line_start : found.start() - len(token)].strip())


def _pieces(text: str, start: int, end: int) -> Iterator[Span]:
    """`[start, end)`, cut so that no piece is too long."""
    while True:
        limit = _limit(text, start, end)
        if limit == end:
            yield Span(start, end)
            return
        cut = _cut(text, start, limit)
        yield Span(start, cut)
        start = cut


def _limit(text: str, start: int, end: int) -> int:
    """How far a piece that starts at `start` may reach."""
    end = min(end, start + MAX_CHARACTERS)
    if end - start <= 2 * MAX_WORDS:
        return end
    for number, word in enumerate(_WORD.finditer(text, start, end)):
        if number == MAX_WORDS:
            return word.start()
    return end


def _cut(text: str, start: int, limit: int) -> int:
    """The best place to cut at or before `limit`: the last clause in the second half, else a space."""
    half = start + (limit - start) // 2
    for mark in (_CLAUSE, _SPACE):
        places = [found.end() for found in mark.finditer(text, half, limit)]
        if places:
            return places[-1]
    return limit


def windows(spans: Sequence[Span], text: str, max_words: int = 90) -> list[Span]:
    """Group consecutive sentences to windows of at most `max_words` words.

    Neighbouring windows share one sentence, so that what stands on a border is read with what comes
    before it; they share none where that sentence and the next would not fit together. Twelve
    characters count as at least one word, for scripts that use no spaces.
    """
    found: list[Span] = []
    first, words, previous = 0, 0, 0
    for index, span in enumerate(spans):
        size = _words(text, span)
        if index > first and words + size > max_words:
            found.append(Span(spans[first].start, spans[index - 1].end))
            shares = index - 1 > first and previous + size <= max_words
            first, words = (index - 1, previous) if shares else (index, 0)
        words += size
        previous = size
    if spans:
        found.append(Span(spans[first].start, spans[-1].end))
    return found


def _words(text: str, span: Span) -> int:
    piece = span.of(text)
    return max(len(piece.split()), len(piece) // 12)
