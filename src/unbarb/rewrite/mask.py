"""The rewriter that needs no model: leave the toxic words out, or put ``[...]`` in their place.

Both work on what the analysis found: its findings that score `FOUND` or more, and the words that are
toxic with `TOXIC` or more.
The mask has one length, so that it does not tell what it hides.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Sequence

from unbarb.rewrite.protocol import Candidate
from unbarb.text import Analysis, Edit, Span, apply

MASK = "[...]"
TOXIC = 0.5
"""From this probability on a word is left out or masked, finding or not."""
DOUBTFUL = 0.2
"""The second, wider try takes words from this probability on."""
FOUND = 0.3
"""A finding that scores less stays: detectors also report words that are seldom meant rudely, such as the
lexicon's plain mild ones (0.2), and taking those out would cost meaning and no toxicity."""

_PROTECTED = re.compile(r"https?:\S+|www\.\S+|[\w.+-]+@[\w-]+\.\w+|(?<!\w)@\w+|(?<!\w)\d[\d.,:%]*(?!\w)")
_WORD = re.compile(r"\w")
_ARTICLE = re.compile(r"(?<!\S)(an?|the)\s+$", re.IGNORECASE)
_CLOSING = ".,;:!?)]}…\"'”’"
_STOPS = ",;:"
_ENDS = ".!?\n"
_PAIRS = dict(zip("([\"'“‘*_", ")]\"'”’*_", strict=True))


class Mask:
    """Delete what is toxic, or that and the doubtful words; mask the one, or both.

    At most four candidates a text, none where nothing was found.
    """

    name = "mask"
    digest = "sha256:" + hashlib.sha256(f"mask 4 {MASK} {TOXIC} {FOUND} {DOUBTFUL}".encode()).hexdigest()

    def propose(self, analyses: Sequence[Analysis]) -> list[list[Candidate]]:
        """Candidates for every analysis: deletions where a word remains, then masks; the least first."""
        return [_candidates(analysis) for analysis in analyses]


def _candidates(analysis: Analysis) -> list[Candidate]:
    text = analysis.text
    found: list[Candidate] = []
    tries = dict.fromkeys((_toxic(analysis, TOXIC), _toxic(analysis, DOUBTFUL)))
    for spans in filter(None, tries):
        deletions = _deletions(text, spans)
        remains = apply(deletions, text)
        if _WORD.search(remains):
            found.append(Candidate(remains, deletions, "delete", len(remains) / len(text)))
        masks = tuple(Edit(span.start, span.end, MASK) for span in spans)
        found.append(Candidate(apply(masks, text), masks, "mask"))
    return sorted(found, key=lambda one: -one.score)


def _toxic(analysis: Analysis, least: float) -> tuple[Span, ...]:
    """What to take out: disjoint, in order; words with only white space between them are one."""
    text = analysis.text
    protected = [Span(*found.span()) for found in _PROTECTED.finditer(text)]
    spans = [
        finding.span
        for finding in analysis.findings
        if finding.score >= FOUND
        and all(_covers(finding.span, kept) for kept in protected if kept.overlaps(finding.span))
    ]
    spans += (
        Span(word.start, word.end)
        for word in analysis.words
        if word.toxicity >= least
        and not any(kept.overlaps(Span(word.start, word.end)) for kept in protected)
    )
    merged: list[Span] = []
    for span in sorted(span for span in spans if span.start < span.end):
        if merged and not text[merged[-1].end : span.start].strip():
            merged[-1] = Span(merged[-1].start, max(merged[-1].end, span.end))
        else:
            merged.append(span)
    return tuple(merged)


def _covers(outer: Span, inner: Span) -> bool:
    return outer.start <= inner.start and inner.end <= outer.end


def _deletions(text: str, spans: Sequence[Span]) -> tuple[Edit, ...]:
    """Edits that leave `spans` out and mend the spacing, brackets, stops and capital around them."""
    edits: list[Edit] = []
    floor = 0
    for span in spans:
        edit = _deletion(text, span, floor)
        if edits and edit.start < edits[-1].end:
            edit = Edit(edits[-1].end, max(edit.end, edits[-1].end), edit.replacement)
        edits.append(edit)
        floor = edit.end
    return tuple(edits)


def _deletion(text: str, span: Span, floor: int) -> Edit:
    """One span left out; nothing before `floor` is touched."""
    start, end = _unquoted(text, span, floor)
    after = _past_blank(text, end)
    first = start == floor == 0 or not text[:start].strip() or text[:start].rstrip()[-1] in _ENDS
    article = _ARTICLE.search(text, floor, start)
    if first:
        while after < len(text) and text[after] in _STOPS + _ENDS and text[after] != "\n":
            after += 1
        return _capital(text, span, start, _past_blank(text, after))
    if article and text[after : after + 1] in _STOPS:
        after = _past_blank(text, after + 1)
    if after < len(text) and text[after] not in _CLOSING and "\n" not in text[end:after]:
        return _article(text, article, Edit(start, after, "")) if article else Edit(start, after, "")
    if article:
        start = article.start()
    while start > floor and text[start - 1].isspace():
        start -= 1
    if start > floor and text[start - 1] in _STOPS:
        start -= 1
    return Edit(start, end, "")


def _past_blank(text: str, at: int) -> int:
    while at < len(text) and text[at].isspace():
        at += 1
    return at


def _article(text: str, article: re.Match[str], edit: Edit) -> Edit:
    """The edit, with "a" before it turned into "an", or back, as the word behind it needs."""
    written = article.group(1)
    if written.lower() not in ("a", "an"):
        return edit
    wanted = "an" if text[edit.end].lower() in "aeio" else "a"
    if written.lower() == wanted:
        return edit
    gap = text[article.end(1) : edit.start]
    return Edit(article.start(1), edit.end, written[0] + wanted[1:] + gap)


def _unquoted(text: str, span: Span, floor: int) -> tuple[int, int]:
    """`span` with the brackets or quotation marks that hold nothing else."""
    start, end = span.start, span.end
    while start > floor and end < len(text) and _PAIRS.get(text[start - 1]) == text[end]:
        start, end = start - 1, end + 1
    return start, end


def _capital(text: str, span: Span, start: int, end: int) -> Edit:
    """The edit at a sentence's beginning, with the next letter large if the first was."""
    large = text[span.start].isupper()
    if large and text[end : end + 1].islower():
        return Edit(start, end + 1, text[end].upper())
    return Edit(start, end, "")
