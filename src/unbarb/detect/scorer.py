"""A detector that scores whole texts, one by one, and finds no spans."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence

from unbarb.segment import language
from unbarb.text import Analysis


class Scorer(ABC):
    """What such detectors share; each sets `name`, `labels` and `digest` (see `protocol.Detector`)."""

    name: str
    labels: frozenset[str]
    digest: str

    @abstractmethod
    def score(self, text: str) -> dict[str, float]:
        """The score of each label, of all of `text`."""

    def detect(
        self, texts: Sequence[str], *, context: Sequence[str | None] | None = None
    ) -> list[Analysis]:
        """Score every text, all of it, as a whole: there are no findings; `context` is not read."""
        return [
            Analysis(text, self.score(text), language=language(text), models={self.name: self.digest})
            for text in texts
        ]
