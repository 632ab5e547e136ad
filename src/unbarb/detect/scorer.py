"""What detectors share that score whole texts, one by one, and find no spans."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from unbarb.language import language
from unbarb.text import Analysis


class Scorer(Protocol):
    """A detector that can score a text by itself."""

    @property
    def name(self) -> str: ...

    @property
    def digest(self) -> str: ...

    def score(self, text: str) -> dict[str, float]: ...


def scored(scorer: Scorer, texts: Sequence[str]) -> list[Analysis]:
    """An analysis of each text: its scores, its language and what scored it."""
    return [
        Analysis(text, scorer.score(text), language=language(text), models={scorer.name: scorer.digest})
        for text in texts
    ]
