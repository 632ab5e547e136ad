"""Sentences of Civil Comments in which annotators marked one type: more rows for rare labels."""

from __future__ import annotations

from collections import defaultdict
from pathlib import Path

from unbarb.data.examples import Labelled
from unbarb.data.readers.civil import TYPES
from unbarb.data.table import number, rows
from unbarb.errors import ConfigError
from unbarb.segment import sentences
from unbarb.text import Span


def typed_sentences(
    label: str, comments: Path, annotations: Path, spans: Path, least: float = 0.5
) -> list[Labelled]:
    """Every sentence in which at least a share `least` of its annotators marked a stretch of that type.

    `label` and ``toxicity`` are the shares of annotators who marked such a stretch, or any, in it; other
    labels are not known of it. A comment is mostly about something else than its one threat, so
    the sentence says what the label means more clearly than the comment does. `group` is the whole comment.

    Source and licence as in `unbarb.data.readers.civil.civil`.

    Raises:
        ConfigError: no type of span stands for `label`.
    """
    start = next((start for start, known in TYPES.items() if known == label), None)
    if start is None:
        raise ConfigError(f"no span is marked as {label!r}; there are {', '.join(TYPES.values())}")
    marked: dict[str, list[tuple[bool, Span]]] = defaultdict(list)
    for row in rows(spans, ("annotation", "type", "start", "end")):
        span = Span(int(number(row, "start", spans)), int(number(row, "end", spans)))
        if span.end > span.start:
            marked[row["annotation"]].append((row["type"].startswith(start), span))
    annotators: dict[str, list[str]] = defaultdict(list)
    for row in rows(annotations, ("annotation", "comment_id")):
        annotators[row["comment_id"]].append(row["annotation"])
    found = []
    for row in rows(comments, ("comment_id", "text")):
        opinions = [marked.get(annotation, []) for annotation in annotators[row["comment_id"]]]
        if not any(typed for marks in opinions for typed, _ in marks):
            continue
        for sentence in sentences(row["text"]):
            here = [[typed for typed, span in marks if _meet(span, sentence)] for marks in opinions]
            share = sum(any(marks) for marks in here) / len(here)
            if share >= least:
                labels = {"toxicity": sum(bool(marks) for marks in here) / len(here), label: share}
                text = sentence.of(row["text"]).strip()
                found.append(Labelled(text, labels, None, "civil", row["text"]))
    return found


def _meet(one: Span, other: Span) -> bool:
    return one.start < other.end and other.start < one.end
