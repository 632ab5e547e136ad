"""From words and tags to edits in the original: spacing, articles, casing and loose marks repaired.

What is kept keeps its characters and, between two kept neighbours, its spacing: edits stay small.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise

from unbarb.rewrite.tags import APPEND, DELETE, REPLACE
from unbarb.text import Edit, Span

_NO_SPACE_BEFORE = re.compile(r"^(?:[.,;:!?%)\]}…]|['’](?:t|s|m|d|re|ve|ll)\b)", re.IGNORECASE)
_NO_SPACE_AFTER = frozenset("([{#@$")
_LOOSE = frozenset(",;:-–—/&")
_END = frozenset(".!?…")
_BRACKETS = frozenset(("()", "[]", "{}", "“”", "‘’", "«»"))
_STRAIGHT = frozenset("\"'")
_VOWEL_SOUND = re.compile(
    r"[ai]|e(?!u)|o(?!ne\b|nce\b)|u(?!ni(?!n|m|d)|s[eu]|ti|te)|hono|hones|hour|heir", re.IGNORECASE
)
_I = re.compile(r"\bI\b")
_ARTICLES = {"a": "an", "an": "a"}


@dataclass(frozen=True, slots=True)
class _Token:
    """A word of the result; `place` is its span in the original when it was kept as it stood."""

    text: str
    place: Span | None


class Assembler:
    """Carries tags out over the `words` of one `text`; what all its rewrites share is looked up once."""

    def __init__(self, text: str, words: Sequence[Span]) -> None:
        self.text, self._words = text, words
        self._kept = [_Token(place.of(text), place) for place in words]
        self._follows = {before.end: after.start for before, after in pairwise(words)}
        letters = [c for c in text if c.isalpha()]
        self._shouting = len(letters) > 8 and sum(map(str.isupper, letters)) > 0.8 * len(letters)
        self._speaks_i = _I.search(text) is not None
        self._capital = bool(words) and words[0].of(text)[:1].isupper()

    def edits(self, tags: Sequence[str]) -> tuple[Edit, ...]:
        """The edits that carry out `tags`, repaired.

        ``tags[0]`` stands before the first word, ``tags[i + 1]`` at ``words[i]``. Nothing outside the
        words' stretch is touched.
        """
        tokens: list[_Token] = []
        for word, tag, after in zip([None, *self._kept], tags, [*tags[1:], DELETE], strict=True):
            if tag.startswith(REPLACE):
                tokens += [_Token(added, None) for added in tag[len(REPLACE) :].split()]
                continue
            if word is not None and (tag != DELETE or self._holds(word, after != DELETE)):
                tokens.append(word)
            if tag.startswith(APPEND):
                tokens += [_Token(added, None) for added in tag[len(APPEND) :].split()]
        if not self._words:
            return ()
        tokens = _mend_marks(tokens, self._words, self._follows)
        _mend_articles(tokens)
        self._mend_case(tokens)
        stretch = Span(self._words[0].start, self._words[-1].end)
        return _edits(self.text, stretch, tokens, self._follows)

    def _holds(self, mark: _Token, goes_on: bool) -> bool:
        """Whether `mark` stays whatever its tag: it ends the text, or a sentence and the text `goes_on`."""
        ends = mark.text in _END and mark.place == self._words[-1]
        return ends or (goes_on and self._divides(mark))

    def _divides(self, mark: _Token) -> bool:
        """Whether `mark` ends a sentence before a word with a capital: the two must not run together."""
        if mark.text not in _END or mark.place is None:
            return False
        at = self._follows.get(mark.place.end)
        return at is not None and self.text[at].isupper()

    def _mend_case(self, tokens: list[_Token]) -> None:
        """Give each sentence's first word the capital that the original's had, and I its own."""
        for at, token in enumerate(tokens):
            if token.place is None and self._shouting:
                tokens[at] = _Token(token.text.upper(), None)
            elif token.place is None and token.text == "i" and self._speaks_i:
                tokens[at] = _Token("I", None)
        begins = self._capital
        for at, token in enumerate(tokens):
            if token.text in _END:
                begins = self._divides(token)
            elif token.text[:1].isalpha():
                if begins and token.text[:1].islower():
                    tokens[at] = _Token(token.text[:1].upper() + token.text[1:], None)
                begins = False


def _mend_marks(tokens: list[_Token], words: Sequence[Span], follows: Mapping[int, int]) -> list[_Token]:
    """Drop marks that an edit left loose: at the start, doubled, empty, or before the end mark.

    `follows` tells where the word begins that came after the one that ends here.
    """
    mended: list[_Token] = []
    for token in tokens:
        last = mended[-1] if mended else None
        touching = (
            last is not None and last.place is not None and token.place is not None
            and follows.get(last.place.end) == token.place.start
        )  # fmt: skip
        if not touching and last is not None:
            if _emptied(mended, token):
                mended.pop()
                continue
            if last.text in _LOOSE and (token.text in _LOOSE or token.text in _END):
                mended.pop()
                last = mended[-1] if mended else None
            elif last.text in _END and (token.text in _LOOSE or token.text in _END):
                continue
        if last is None and (token.text in _LOOSE or token.text in _END) and token.place != words[0]:
            continue
        mended.append(token)
    while mended and mended[-1].text in _LOOSE and mended[-1].place != words[-1]:
        mended.pop()
    return mended


def _emptied(before: Sequence[_Token], token: _Token) -> bool:
    """Whether `token` closes a bracket or quote that now holds nothing."""
    last = before[-1].text
    if last == token.text:  # a straight quote opens when it is the first, third, …
        return last in _STRAIGHT and sum(one.text == last for one in before) % 2 == 1
    return last + token.text in _BRACKETS


def _mend_articles(tokens: list[_Token]) -> None:
    """Make a or an agree with the word after it, where an edit changed that word."""
    for at, (token, after) in enumerate(pairwise(tokens)):
        other = _ARTICLES.get(token.text.lower())
        if other is None or not after.text[:1].isalpha():
            continue
        beside = (
            token.place is not None and after.place is not None and after.place.start - token.place.end < 3
        )
        if not beside and (token.text.lower() == "an") != bool(_VOWEL_SOUND.match(after.text)):
            tokens[at] = _Token(other.capitalize() if token.text[0].isupper() else other, None)


def _edits(
    text: str, stretch: Span, tokens: Sequence[_Token], follows: Mapping[int, int]
) -> tuple[Edit, ...]:
    edits: list[Edit] = []
    at, pending = stretch.start, ""
    for index, token in enumerate(tokens):
        gap = "" if index == 0 else _gap(text, tokens[index - 1], token, follows)
        if token.place is None:
            pending += gap + token.text
        else:
            _add(edits, text, at, token.place.start, pending + gap)
            at, pending = token.place.end, ""
    _add(edits, text, at, stretch.end, pending)
    return tuple(edits)


def _gap(text: str, before: _Token, after: _Token, follows: Mapping[int, int]) -> str:
    """What stands between two neighbours: as in the original where it can be, else by rule."""
    if before.place is not None and after.place is not None:
        original = text[before.place.end : after.place.start]
        # Between old neighbours may stand what nobody sees, such as zero-width spaces: it stays.
        if not original.strip() or follows.get(before.place.end) == after.place.start:
            return original
    if after.place is not None and _NO_SPACE_BEFORE.match(after.text):
        return " " if text[max(0, after.place.start - 1) : after.place.start] == " " else ""
    if _NO_SPACE_BEFORE.match(after.text) or before.text in _NO_SPACE_AFTER:
        return ""
    return " "


def _add(edits: list[Edit], text: str, start: int, end: int, replacement: str) -> None:
    """Add an edit unless it changes nothing; spaces that stay the same are left out of it."""
    while start < end and replacement[:1].isspace() and text[start] == replacement[0]:
        start, replacement = start + 1, replacement[1:]
    while start < end and replacement[-1:].isspace() and text[end - 1] == replacement[-1]:
        end, replacement = end - 1, replacement[:-1]
    if text[start:end] != replacement:
        edits.append(Edit(start, end, replacement))
