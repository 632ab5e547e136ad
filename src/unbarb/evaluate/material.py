"""From the corpora in a folder to what the suites measure on: one held-out side of the split."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from random import Random
from typing import TypeVar

from unbarb.data.corpora import Corpora
from unbarb.data.examples import Labelled, Pair
from unbarb.data.rewrites import written_pairs
from unbarb.data.split import Grouped, split
from unbarb.errors import ConfigError
from unbarb.evaluate.delete_words import DeleteWords
from unbarb.evaluate.suites.detection import Texts
from unbarb.evaluate.suites.rewriting import Sentences
from unbarb.evaluate.suites.spans import Marked
from unbarb.text import LABELS

SPLIT_SEED = 13
SIDES = ("dev", "test")
DETECTION = {"jigsaw": 0.5, "wiki_natural": 0.5, "davidson": 0.5, "identity_templates": 0.5}
"""Corpora with clean and toxic texts, and the share of votes from which a text is toxic."""

PER_KIND = 25
"""Written pairs of each kind."""

G = TypeVar("G", bound=Grouped)


@dataclass(frozen=True, slots=True)
class Material:
    """The held-out `side` of the `corpora`, at most `limit` texts of each, chosen by the seed."""

    corpora: Corpora
    side: str = "test"
    seed: int = SPLIT_SEED
    limit: int | None = None

    def __post_init__(self) -> None:
        if self.side not in SIDES:
            raise ConfigError(f"split side {self.side!r}; held out are {', '.join(SIDES)}")

    def detection(self) -> list[Texts]:
        """Texts that are toxic or not, a set a corpus; those with even votes are left unlabelled."""
        present = set(self.corpora.available())
        return [
            _texts(name, self._held(self.corpora.labelled(name)), ("toxicity",), _by_votes(threshold))
            for name, threshold in DETECTION.items()
            if name in present
        ]

    def labels(self) -> Texts:
        """Texts with all six labels."""
        held = self._held(self.corpora.labelled("jigsaw"))
        return _texts("jigsaw", held, LABELS, _by_votes(0.5))

    def spans(self) -> list[Marked]:
        """Texts with their toxic characters."""
        held = self._held(self.corpora.labelled("toxic_spans"))
        return [
            Marked(item.text, tuple((span.start, span.end) for span in item.spans))
            for item in held
            if item.spans is not None
        ]

    def sentences(self) -> Sentences:
        """Toxic sentences, each with its first human rewrite."""
        held = self.pairs()
        return Sentences(
            "paradetox", tuple(pair.toxic for pair in held), tuple(pair.neutrals[0] for pair in held)
        )

    def written(self) -> Sentences:
        """Rude sentences of every day, of templates that no model learnt from, each with a neutral one."""
        held = written_pairs("test", PER_KIND, self.seed)
        return Sentences(
            "written", tuple(pair.toxic for pair in held), tuple(pair.neutrals[0] for pair in held)
        )

    def pairs(self) -> list[Pair]:
        """The held-out pairs."""
        return self._held(self.corpora.pairs())

    def delete_words(self) -> DeleteWords:
        """The baseline that deletes the words of both lists."""
        return DeleteWords(term.text for term in self.corpora.lexicon_files())

    def _held(self, examples: Sequence[G]) -> list[G]:
        held = split(examples, self.seed)[self.side]
        if self.limit is None or len(held) <= self.limit:
            return held
        chosen = sorted(Random(self.seed).sample(range(len(held)), self.limit))
        return [held[i] for i in chosen]


def _texts(
    name: str, held: Sequence[Labelled], labels: Sequence[str], decide: Callable[[float], float | None]
) -> Texts:
    columns = {
        label: tuple(decide(item.labels[label]) if label in item.labels else None for item in held)
        for label in labels
    }
    return Texts(name, tuple(item.text for item in held), columns)


def _by_votes(threshold: float) -> Callable[[float], float | None]:
    """1 above the share of votes, 0 below, unknown at exactly that share."""
    return lambda share: None if share == threshold else float(share > threshold)
