"""The rewriter that needs no model: leave the toxic words out, or put ``***`` in their place.

Both work on what the analysis found: its findings, and the words that are toxic with `TOXIC` or more.
The mask has one length, so that it does not tell what it hides.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Sequence

from unbarb.rewrite.protocol import Candidate
from unbarb.text import Analysis, Edit, Span, apply

MASK = "***"
TOXIC = 0.5
"""From this probability on a word is left out or masked, finding or not."""

_PROTECTED = re.compile(r"https?:\S+|www\.\S+|[\w.+-]+@[\w-]+\.\w+|(?<!\w)@\w+|(?<!\w)\d[\d.,:%]*(?!\w)")
_WORD = re.compile(r"\w")
_BEFORE = re.compile(r"(?:(?:^|(?<=\s))(?:an?|the|such an?|you)\s+)?$", re.IGNORECASE)
_BLANK_BEFORE = re.compile(r"\s*$")
_BLANK_AFTER = re.compile(r"\s*")
_CLOSING = ".,;:!?)]}…\"'”’"
_STOPS = ",;:"
_ENDS = ".!?\n"
_PAIRS = {"(": ")", "[": "]", '"': '"', "'": "'", "“": "”", "‘": "’", "*": "*", "_": "_"}


class Mask:
    """Delete what is toxic, then mask it: at most two candidates a text, none where nothing was found."""

    name = "mask"
    digest = "sha256:" + hashlib.sha256(f"mask 1 {MASK} {TOXIC}".encode()).hexdigest()

    def propose(self, analyses: Sequence[Analysis]) -> list[list[Candidate]]:
        """Candidates for every analysis, the deletion first; it is left out where no word would remain."""
        return [_candidates(analysis) for analysis in analyses]


def _candidates(analysis: Analysis) -> list[Candidate]:
    text = analysis.text
    spans = _toxic(analysis)
    if not spans:
        return []
    found = []
    deletions = _deletions(text, spans)
    remains = apply(deletions, text)
    if _WORD.search(remains):
        found.append(Candidate(remains, deletions, "delete", len(remains) / len(text)))
    masks = tuple(Edit(span.start, span.end, MASK) for span in spans)
    found.append(Candidate(apply(masks, text), masks, "mask"))
    return found


def _toxic(analysis: Analysis) -> list[Span]:
    """What to take out: disjoint, in order; words with only white space between them are one."""
    text = analysis.text
    protected = [Span(*found.span()) for found in _PROTECTED.finditer(text)]
    spans = [
        finding.span
        for finding in analysis.findings
        if all(_covers(finding.span, kept) for kept in protected if kept.overlaps(finding.span))
    ]
    spans += (
        Span(word.start, word.end)
        for word in analysis.words
        if word.toxicity >= TOXIC
        and not any(kept.overlaps(Span(word.start, word.end)) for kept in protected)
    )
    merged: list[Span] = []
    for span in sorted(span for span in spans if span.start < span.end):
        if merged and not text[merged[-1].end : span.start].strip():
            merged[-1] = Span(merged[-1].start, max(merged[-1].end, span.end))
        else:
            merged.append(span)
    return merged


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
    blank = _BLANK_AFTER.match(text, end)
    after = blank.end() if blank else end
    at_end = after >= len(text) or text[after] in _CLOSING or "\n" in text[end:after]
    if at_end:
        found = _BEFORE.search(text[floor:start])
        start = floor + found.start() if found and after >= len(text) - 3 else start
        gap = _BLANK_BEFORE.search(text[floor:start])
        start = floor + gap.start() if gap else start
        if start > 0 and start > floor and text[start - 1] in _STOPS and text[after : after + 1] != "":
            start -= 1
        if start == 0 or text[start - 1] in _ENDS:
            while end < len(text) and (text[end] in _STOPS or text[end].isspace()):
                end += 1
        return _capital(text, span, start, end)
    return _capital(text, span, start, after)


def _unquoted(text: str, span: Span, floor: int) -> tuple[int, int]:
    """`span` with the brackets or quotation marks that hold nothing else."""
    start, end = span.start, span.end
    while start > floor and end < len(text) and _PAIRS.get(text[start - 1]) == text[end]:
        start, end = start - 1, end + 1
    return start, end


def _capital(text: str, span: Span, start: int, end: int) -> Edit:
    """The edit, with the next letter large if the sentence began with what is left out."""
    begins = not text[:start].strip() or text[:start].rstrip()[-1] in _ENDS
    if begins and text[span.start].isupper() and not span.of(text).isupper() and text[end : end + 1].islower():
        return Edit(start, end + 1, text[end].upper())
    return Edit(start, end, "")
