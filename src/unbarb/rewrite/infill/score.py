"""Three numbers for every word: how much more the anti-expert expects it, how far the experts differ, and
how much a classifier's score falls without it.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import numpy as np

from unbarb.rewrite.infill.experts import Experts, Gap, divergence
from unbarb.rewrite.infill.pieces import Cut, cut
from unbarb.rewrite.infill.settings import Gate
from unbarb.text import Span

Classify = Callable[[Sequence[str]], Sequence[float]]
"""Texts in, how much of the trait each has out, 0…1."""

_KEPT = re.compile(
    r"https?:\S+|www\.\S+|[\w.+-]+@[\w-]+\.\w+|(?<!\w)[@#]\w+|(?<!\w)\d[\w.,:%]*"
    r"|\b(?:no|not|never|none|nor|neither|nobody|nothing|nowhere|without|cannot|\w+n['’]t)\b|['’]t\b"
    r"|\b(?:zero|one|two|three|four|five|six|seven|eight|nine|ten|eleven|twelve|hundred|thousand|million"
    r"|billion|once|twice|dozen|half)\b",
    re.IGNORECASE,
)
"""Links, addresses, mentions, tags, numbers, negations."""
_BEGINS = re.compile(r"(?:^|[.!?:;\n*|…])[\s\"'“‘(]*$")
_HALF_SAID = frozenset(
    ["don", "can", "won", "isn", "aren", "didn", "doesn", "ain", "wasn", "couldn", "shouldn", "wouldn"]
)


@dataclass(frozen=True, slots=True)
class WordScore:
    """A word of a text, ``[start, end)``, and what is known of it.

    `signed` is log p⁻(w) − log p⁺(w) in nats, positive where the anti-expert expects the word more;
    `distance` the Jensen–Shannon distance of the two, 0…0.83; `normalised` the same over the mean of its
    text, as it was published, for reading only; `drop` by how much the classifier's score falls without
    the word, NaN where none was asked. A `kept` word is never hidden unless forced.
    """

    start: int
    end: int
    word: str
    signed: float
    distance: float
    normalised: float
    drop: float
    kept: bool

    @property
    def span(self) -> Span:
        return Span(self.start, self.end)

    def passes(self, gate: Gate) -> bool:
        """Whether `gate` lets the word be hidden."""
        if self.kept or not self.signed > 0:
            return False
        return (self.signed >= gate.signed and self.distance >= gate.distance) or self.drop >= gate.drop


def kept_words(text: str, words: Sequence[Span]) -> list[bool]:
    """Which words must stand: numbers, names, links, negations, and marks, which are no words."""
    held = [Span(*found.span()) for found in _KEPT.finditer(text)]
    letters = [word for word in words if word.of(text)[0].isalpha()]
    small = sum(word.of(text)[0].islower() for word in letters)
    tells = len(letters) >= 4 and small >= 0.6 * len(letters)
    return [
        not any(map(str.isalpha, said := word.of(text)))
        or any(span.overlaps(word) for span in held)
        or (said.casefold() in _HALF_SAID and text[word.end : word.end + 1] in ("'", "’"))
        or (tells and _is_name(said, text[: word.start]))
        for word in words
    ]


def _is_name(word: str, before: str) -> bool:
    """Whether `word` is written large, and not for standing first or for being shouted."""
    return len(word) > 2 and word[0].isupper() and not word.isupper() and not _BEGINS.search(before)


def score(text: str, experts: Experts, classify: Classify | None = None) -> list[WordScore]:
    """The words of `text` in order, each with its numbers.

    A word's probability is that of its pieces one after the other, each with the rest of the word hidden;
    the distance is the root of the mean divergence over them.
    """
    found = cut(text, experts.tokenizer)
    kept = kept_words(text, found.words)
    signed, distances = _by_experts(found, experts)
    drops = _drops(text, found.words, kept, classify)
    mean = float(np.mean(distances)) if len(distances) else 0.0
    return [
        WordScore(
            word.start, word.end, word.of(text), float(signed[at]), float(distances[at]),
            float(distances[at] / mean) if mean > 0 else 1.0, drops[at], kept[at],
        )
        for at, word in enumerate(found.words)
    ]  # fmt: skip


def _by_experts(found: Cut, experts: Experts) -> tuple[np.ndarray, np.ndarray]:
    """Signed log-ratios and distances, (words,) each; a word without pieces has 0."""
    gaps, asked, owner = [], [], []
    for at, (start, end) in enumerate(found.bounds):
        for piece in range(start, end):
            gaps.append(Gap(found.ids[:piece], end - piece, found.ids[end:]))
            asked.append(found.ids[piece])
            owner.append(at)
    signed, diverging = np.zeros(len(found.words)), np.zeros(len(found.words))
    if not gaps:
        return signed, diverging
    views = experts.views(gaps)
    rows = np.arange(len(gaps))
    np.add.at(signed, owner, (views.anti - views.expert)[rows, asked])
    np.add.at(diverging, owner, divergence(views.expert, views.anti))
    pieces = np.maximum(np.bincount(owner, minlength=len(found.words)), 1)
    return signed, np.sqrt(diverging / pieces)


def _drops(
    text: str, words: Sequence[Span], kept: Sequence[bool], classify: Classify | None
) -> list[float]:
    drops = [float("nan")] * len(words)
    if classify is None:
        return drops
    asked = [at for at, held in enumerate(kept) if not held]
    without = [f"{text[: words[at].start]}{text[words[at].end :]}" for at in asked]
    whole, *rest = classify([text, *without])
    for at, left in zip(asked, rest, strict=True):
        drops[at] = whole - left
    return drops


def mask(scores: Sequence[WordScore], gate: Gate, *, limit: float = 0.5) -> list[Span]:
    """The stretches to hide: words that pass the gate, neighbours as one; no more than the share `limit` of
    the words that may be hidden at all, the surest first.
    """
    sure = sorted((word for word in scores if word.passes(gate)), key=lambda word: -word.signed)
    most = max(1, int(limit * sum(not word.kept for word in scores)))
    return merged(scores, {word.start for word in sure[:most]})


def merged(scores: Sequence[WordScore], starts: set[int]) -> list[Span]:
    """The words that begin at `starts`; neighbours are one stretch."""
    spans: list[Span] = []
    last = -2
    for at, word in enumerate(scores):
        if word.start in starts:
            if at == last + 1:
                spans[-1] = replace(spans[-1], end=word.end)
            else:
                spans.append(word.span)
            last = at
    return spans


def calibrate(experts: Experts, texts: Sequence[str], false_alarms: float) -> tuple[Gate, int]:
    """The gate that the share `false_alarms` of the words of `texts`, which lack the trait, would pass by
    the signed ratio; and how many words that was measured on.

    The distance must be that of the words above it, but for the nearest tenth.
    """
    words = [word for text in texts for word in score(text, experts) if not word.kept]
    if not words:
        return Gate(), 0
    signed = np.array([word.signed for word in words])
    distance = np.array([word.distance for word in words])
    least = float(max(0.0, np.quantile(signed, 1 - false_alarms)))
    beyond = distance[signed >= least]
    return Gate(least, float(np.quantile(beyond, 0.1)) if len(beyond) else 0.0), len(words)
