"""What every corpus becomes: labelled texts, and pairs of a toxic text and its neutral rewrites."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from unbarb.text import LABELS, Span

NOTHING: Mapping[str, float] = dict.fromkeys(LABELS, 0.0)
"""The labels of a text that is known to be clean."""


@dataclass(frozen=True, slots=True)
class Labelled:
    """A text and what its corpus really knows about it.

    `labels` maps a label to a probability or a share of votes, 0…1; a label that the corpus says
    nothing about is absent, not 0. `spans` are the toxic stretches, code points of `text`,
    sorted and disjoint; ``None`` when nobody marked any. Texts of one `group` come from one
    source text and must never be divided between splits.
    """

    text: str
    labels: Mapping[str, float]
    spans: tuple[Span, ...] | None
    source: str
    group: str


@dataclass(frozen=True, slots=True)
class Pair:
    """A toxic text and what people wrote in its place, best known first; `group` as in Labelled."""

    toxic: str
    neutrals: tuple[str, ...]
    source: str
    group: str

    def labelled(self) -> tuple[Labelled, ...]:
        """Both ends as labelled texts: the toxic one 1, the neutral ones 0, nothing else known."""
        ends = ((self.toxic, 1.0), *((neutral, 0.0) for neutral in self.neutrals))
        return tuple(
            Labelled(text, {"toxicity": value}, None, self.source, self.group) for text, value in ends
        )
