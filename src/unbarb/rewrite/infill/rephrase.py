"""From stretches to hide to candidates: filled, mended, read and put in order."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace

from unbarb.detect.normalize import normalize
from unbarb.rewrite.assemble import Assembler
from unbarb.rewrite.difference import edits_between
from unbarb.rewrite.infill.decode import Filling, Search, fill
from unbarb.rewrite.infill.experts import Experts, Weights
from unbarb.rewrite.infill.pieces import cut
from unbarb.rewrite.infill.rank import Reader, Taste
from unbarb.rewrite.protocol import Candidate
from unbarb.rewrite.tags import DELETE, KEEP, REPLACE
from unbarb.text import Edit, Span, apply


@dataclass(frozen=True, slots=True)
class Filled:
    """A text with its gaps filled, before anybody read it; `empty` says that every gap stayed empty."""

    text: str
    edits: tuple[Edit, ...]
    likelihood: float
    empty: bool


@dataclass(frozen=True, slots=True)
class Phrasing:
    """How gaps are filled and fillings chosen.

    With `deletions` a candidate whose gaps all stay empty is one too; the text itself never is.
    """

    weights: Weights = field(default_factory=Weights)
    search: Search = field(default_factory=Search)
    taste: Taste = field(default_factory=Taste)
    deletions: bool = True


def filled(text: str, hidden: Sequence[Span], experts: Experts, phrasing: Phrasing) -> list[Filled]:
    """Every way that was found to fill the stretches `hidden` of `text`, the likeliest first.

    Stretches are of whole words; a word that is touched is hidden.
    """
    view = normalize(text)
    found = cut(view.text, experts.tokenizer)
    places = [view.span(word.start, word.end) for word in found.words]
    gaps = _gaps(places, hidden)
    if not gaps:
        return []
    assembler = Assembler(text, places)
    made: dict[str, Filled] = {}
    for filling in fill(found, gaps, experts, phrasing.weights, phrasing.search):
        edits = assembler.edits(_tags(len(places), gaps, filling, experts))
        new = apply(edits, text)
        empty = not any(filling.pieces)
        if edits and new.strip() and new != text and (phrasing.deletions or not empty):
            made.setdefault(new, Filled(new, edits, filling.score, empty))
    return list(made.values())


def rephrase(
    text: str, hidden: Sequence[Span], experts: Experts, reader: Reader, phrasing: Phrasing
) -> list[Candidate]:
    """Candidates that fill `hidden`, best first; those that lost the meaning are left out."""
    ways = filled(text, hidden, experts, phrasing)
    readings = reader.read(text, [way.text for way in ways]) if ways else []
    found = [
        Candidate(
            way.text, way.edits, "delete" if way.empty else "edit",
            phrasing.taste.score(reading, way.likelihood),
        )
        for way, reading in zip(ways, readings, strict=True)
        if reading.meaning >= phrasing.taste.least
    ]  # fmt: skip
    return sorted(found, key=lambda one: (-one.score, one.text))


def rebased(original: str, candidate: Candidate) -> Candidate | None:
    """A candidate for a text that was itself a candidate for `original`, as one for that; None where it is
    the original again.
    """
    if candidate.text == original:
        return None
    return replace(candidate, edits=edits_between(original, candidate.text))


def _gaps(places: Sequence[Span], hidden: Sequence[Span]) -> list[tuple[int, int]]:
    """Stretches of words, half-open, neighbours joined."""
    gaps: list[tuple[int, int]] = []
    for at, place in enumerate(places):
        if any(place.overlaps(span) for span in hidden):
            if gaps and gaps[-1][1] == at:
                gaps[-1] = (gaps[-1][0], at + 1)
            else:
                gaps.append((at, at + 1))
    return gaps


def _tags(words: int, gaps: Sequence[tuple[int, int]], filling: Filling, experts: Experts) -> list[str]:
    """As the assembler reads them: a place before the first word, then one for every word."""
    tags = [KEEP] * (words + 1)
    for (first, last), pieces in zip(gaps, filling.pieces, strict=True):
        tags[first + 1 : last + 1] = [DELETE] * (last - first)
        if pieces:
            tags[first + 1] = REPLACE + " ".join(experts.tokenizer.decode(list(pieces)).split())
    return tags
