"""Sentences with offsets.

Nothing is lost: the sentences of a text are contiguous and cover it, white space included.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from unicodedata import category

from unbarb.text import Span

MAX_WORDS = 60
"""No sentence is longer, in words; a longer one is cut at a clause or, failing that, a space."""

MAX_CHARACTERS = 400
"""No sentence is longer, in characters."""

LOOKBACK = 32
"""Whether a full stop ends a sentence is seen from no more characters before it."""

_END = re.compile(r"""(?<![.!?…])[.!?…]+["'”’»)\]*_]{0,4}\s+|[。！？]+["”』」)]{0,4}\s*|\n\s*""")
_CLAUSE = re.compile(r"[,;:)–—]\s|\s(?=(?:and|but|or|because|so|while|which|who|that)\s)")
_SPACE = re.compile(r"\s(?!\s)")
_JOINT = re.compile(r"[,;:/?&=|)\]}>]")
_LAST_TOKEN = re.compile(r"[^\s(\"'“‘\[]*$")
_INITIAL = re.compile(r"(?:[^\W\d_]\.)*[^\W\d_]")
_WORD = re.compile(r"\S+")
_SAID = re.compile(r"\w")
_ABBREVIATIONS = """
mr mrs ms dr prof rev hon gen col sgt capt lt st jr sr vs etc inc ltd co corp no vol pp p ed eds fig al cf
ca approx dept est govt jan feb mar apr jun jul aug sep sept oct nov dec mt ave blvd e.g i.e eg ie viz resp
u.s u.k
"""
_NO_END = frozenset(_ABBREVIATIONS.split())


def sentences(text: str) -> list[Span]:
    """Cut `text` into sentences of at most `MAX_WORDS` words and `MAX_CHARACTERS` characters.

    Returns:
        Contiguous spans that cover the text, in order; white space belongs to the sentence before
        it (at the start of the text, to the first). Empty for an empty text.
    """
    spans: list[Span] = []
    start = 0
    for end in _ends(text, 0, len(text)):
        if end - start < MAX_CHARACTERS and not _SAID.search(text, start, end):
            continue
        spans += _pieces(text, start, end)
        start = end
    if start < len(text):
        quiet = not _SAID.search(text, start)
        if spans and quiet and len(text) - spans[-1].start <= MAX_CHARACTERS:
            spans[-1] = Span(spans[-1].start, len(text))
        else:
            spans += _pieces(text, start, len(text))
    return spans


def sentence_end(text: str, start: int, *, last: bool, most: int = MAX_CHARACTERS) -> int | None:
    """Where the sentence that begins at `start` ends, or None while text to come could still move that.

    From one end to the next this gives the sentences of :func:`sentences`, one by one and each as soon as
    it is certain; only text without a word, as a smile, counts to what follows, or is a sentence of its
    own at the very end.

    Args:
        text: the text so far; what stands in the `LOOKBACK` characters before `start` counts too.
        last: whether no more text will come.
        most: characters of the longest sentence.
    """
    size = len(text)
    horizon = min(size, start + most + 1)  # an end beyond it is of no use: the sentence is cut before
    end = None
    for found in _ends(text, start, horizon):
        if found == horizon:
            break  # what comes next may belong to it
        if found - start >= most or _SAID.search(text, start, found):
            end = found
            break
    if end is None and last:
        end = size
    reach = size if end is None else end
    limit = _limit(text, start, reach, most)
    if limit < reach:
        return _cut(text, start, limit)
    return end


def _ends(text: str, start: int, size: int) -> Iterator[int]:
    """Where sentences in ``text[start:size]`` end, the white space after them included."""
    for found in _END.finditer(text, start, size):
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
    if token.lower() in _NO_END or (token not in ("I", "i") and _INITIAL.fullmatch(token)):
        return False
    before = found.start() - len(token)
    return not (token.isdigit() and (before == 0 or text[before - 1] == "\n"))


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


def _limit(text: str, start: int, end: int, most: int = MAX_CHARACTERS) -> int:
    """How far a piece that starts at `start` may reach."""
    end = min(end, start + most)
    if end - start <= 2 * MAX_WORDS:
        return end
    for number, word in enumerate(_WORD.finditer(text, start, end)):
        if number == MAX_WORDS:
            return word.start()
    return end


def _cut(text: str, start: int, limit: int) -> int:
    """The best place to cut at or before `limit`.

    It is the last clause in the second half, else a space, else a place inside the one long word, as a
    link or a line of data: after a mark if it has any, and never between a letter and its accent.
    """
    half = start + (limit - start) // 2
    for mark, first in ((_CLAUSE, half), (_SPACE, half), (_SPACE, start), (_JOINT, half)):
        places = [found.end() for found in mark.finditer(text, first, limit)]
        if places:
            return places[-1]
    cut = limit
    while cut > half and _belongs(text[cut - 1], text[cut]):
        cut -= 1
    return cut


def _belongs(before: str, after: str) -> bool:
    """Whether two characters may be one to the reader: an accent, a variant, a part of an emoji."""
    joined = "\u200d" in (before, after) or "\U0001f3fb" <= after <= "\U0001f3ff"
    return joined or category(after).startswith("M")
