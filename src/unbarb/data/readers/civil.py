"""Civil Comments with the typed toxic spans of every annotator."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from unbarb.data.examples import Labelled
from unbarb.data.split import group_key
from unbarb.data.table import number, rows
from unbarb.text import Span

# By their beginning, because a few rows hold a type cut short. "Other Toxicity" is toxicity only.
TYPES = {"Ins": "insult", "Iden": "identity_attack", "Prof": "obscene", "Thre": "threat"}


@dataclass(frozen=True, slots=True)
class _Opinion:
    """One annotator on one comment: whether toxic, the labels used, and the spans."""

    toxic: bool
    labels: frozenset[str]
    spans: tuple[Span, ...]


def civil(comments: Path, annotations: Path, spans: Path) -> list[Labelled]:
    """Join the three files: comments, who annotated them, and what each annotator marked.

    ``toxicity`` is the share of annotators who marked a span, or ticked *all toxic* without also ticking
    *not toxic*; ``insult``, ``identity_attack``, ``obscene`` and ``threat`` are the shares who used that
    type. Spans are the characters marked by at least half of the annotators who marked any, types merged,
    as the spans of SemEval-2021 task 5 were made from the same marks. All comments had been found toxic
    by half of the raters of Civil Comments before, so a low share here says "no stretch that one could
    point at" rather than "friendly".

    Source: Pavlopoulos et al. 2022, "From the Detection of Toxic Spans in Online Discussions to the
    Analysis of Toxic-to-Civil Transfer", https://github.com/ipavlopoulos/toxic_spans; CC0 1.0.
    """
    marked: dict[str, list[tuple[str, Span]]] = defaultdict(list)
    for row in rows(spans, ("annotation", "type", "start", "end")):
        span = Span(int(number(row, "start", spans)), int(number(row, "end", spans)))
        marked[row["annotation"]].append((row["type"], span))
    opinions: dict[str, list[_Opinion]] = defaultdict(list)
    for row in rows(annotations, ("annotation", "comment_id", "all_toxic", "not_toxic")):
        whole = row["all_toxic"] == "True" and row["not_toxic"] != "True"
        opinions[row["comment_id"]].append(_opinion(marked.get(row["annotation"], []), whole))
    return [
        _labelled(row["text"], opinions[row["comment_id"]])
        for row in rows(comments, ("comment_id", "text"))
        if row["comment_id"] in opinions
    ]


def _opinion(marks: Sequence[tuple[str, Span]], whole: bool) -> _Opinion:
    kept = [(kind, span) for kind, span in marks if span.end > span.start]
    labels = {label for kind, _ in kept for start, label in TYPES.items() if kind.startswith(start)}
    return _Opinion(bool(kept) or whole, frozenset(labels), tuple(span for _, span in kept))


def _labelled(text: str, opinions: Sequence[_Opinion]) -> Labelled:
    votes = Counter(label for opinion in opinions for label in opinion.labels)
    labels = {label: votes[label] / len(opinions) for label in TYPES.values()}
    labels["toxicity"] = sum(opinion.toxic for opinion in opinions) / len(opinions)
    return Labelled(text, labels, agreed(len(text), opinions), "civil", group_key(text))


def agreed(length: int, opinions: Sequence[_Opinion]) -> tuple[Span, ...]:
    """Stretches of a text of `length` marked by at least half of the annotators who marked anything."""
    markers = [opinion for opinion in opinions if opinion.spans]
    votes = [0] * length
    for opinion in markers:
        characters = {at for span in opinion.spans for at in range(span.start, min(span.end, length))}
        for at in characters:
            votes[at] += 1
    return stretches([at for at, count in enumerate(votes) if count and 2 * count >= len(markers)])


def stretches(characters: Sequence[int]) -> tuple[Span, ...]:
    """Sorted character indices as maximal spans."""
    found: list[Span] = []
    for at in characters:
        if found and found[-1].end == at:
            found[-1] = Span(found[-1].start, at + 1)
        else:
            found.append(Span(at, at + 1))
    return tuple(found)
