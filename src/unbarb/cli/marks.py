"""Texts as they can safely be shown, and which parts of them to mark."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from unbarb.text import Edit, Span, Verdict

_PICTURES = {code: 0x2400 + code for code in range(0x20)} | {0x7F: 0x2421}
_HIDDEN = (*range(0x80, 0xA0), *range(0x202A, 0x202F), *range(0x2066, 0x206A), 0x2028, 0x2029)
_SHOWN = _PICTURES | dict.fromkeys(_HIDDEN, 0xFFFD)


def shown(text: str) -> str:
    """The text with what would steer a terminal (escapes, line ends, direction marks) made visible.

    As long as the text, so that offsets stay true.
    """
    return text.translate(_SHOWN)


def found_spans(verdict: Verdict) -> list[Span]:
    """Where something was found in the original; spans that touch or overlap are joined."""
    return joined(finding.span for finding in verdict.findings)


def changed_spans(edits: Iterable[Edit]) -> list[Span]:
    """Where the replacements stand in the rewritten text."""
    spans, shift = [], 0
    for edit in sorted(edits):
        start = edit.start + shift
        if edit.replacement:
            spans.append(Span(start, start + len(edit.replacement)))
        shift += len(edit.replacement) - (edit.end - edit.start)
    return joined(spans)


def joined(spans: Iterable[Span]) -> list[Span]:
    """Disjoint spans in order that cover the same characters."""
    kept: list[Span] = []
    for span in sorted(spans):
        if kept and span.start <= kept[-1].end:
            kept[-1] = Span(kept[-1].start, max(span.end, kept[-1].end))
        elif span.start < span.end:
            kept.append(span)
    return kept


def marked(text: str, spans: Iterable[Span]) -> str:
    """The text as shown, with each span in «…»."""
    pieces: list[str] = []
    at = 0
    for span in spans:
        pieces += text[at : span.start], "«", text[span.start : span.end], "»"
        at = span.end
    return shown("".join([*pieces, text[at:]]))


def toxicity(verdict: Verdict) -> str:
    """Toxicity in two digits, and after a rewrite; the highest score where toxicity is not scored."""
    before = _toxicity(verdict.scores)
    return before if verdict.scores_after is None else f"{before} → {_toxicity(verdict.scores_after)}"


def _toxicity(scores: Mapping[str, float]) -> str:
    value = scores.get("toxicity", max(scores.values(), default=None))
    return "–" if value is None else f"{value:.2f}"
