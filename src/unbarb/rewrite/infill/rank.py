"""Which filling is best: without the trait, with the same meaning, fluent, and likely."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import log
from pathlib import Path
from typing import Protocol

from unbarb.detect.embedded import HOME
from unbarb.rewrite.editor import shared_editor
from unbarb.rewrite.infill.score import Classify

FLOOR = 1e-4


@dataclass(frozen=True, slots=True)
class Reading:
    """What is thought of a candidate: `trait` 0…1, cosine to the source, probability of being intact."""

    trait: float
    meaning: float
    fluency: float


class Reader(Protocol):
    """Reads a source and its candidates; a candidate's reading does not depend on the others."""

    def read(self, source: str, candidates: Sequence[str]) -> list[Reading]: ...


@dataclass(frozen=True, slots=True)
class Taste:
    """Weights of the logarithms of 1 − trait, meaning, fluency and likelihood.

    A candidate whose meaning is below `least` is dropped, however clean and fluent.
    """

    trait: float = 1.2
    meaning: float = 2.0
    fluency: float = 2.0
    likelihood: float = 0.2
    least: float = 0.4

    def score(self, reading: Reading, likelihood: float) -> float:
        """Higher is better; `likelihood` is the mean log-probability of a filling's pieces."""
        return (
            self.trait * log(max(1 - reading.trait, FLOOR))
            + self.meaning * log(max(reading.meaning, FLOOR))
            + self.fluency * log(max(reading.fluency, FLOOR))
            + self.likelihood * likelihood
        )


class Heads:
    """Reads by the sentence heads of the embedded model, and by a classifier of the trait.

    For toxicity the heads have a say too: the higher of the two counts.
    """

    def __init__(self, classify: Classify, trait: str, folder: Path = HOME) -> None:
        self._editor = shared_editor(folder)
        self._classify = classify
        self._both = trait == "toxicity"

    def read(self, source: str, candidates: Sequence[str]) -> list[Reading]:
        """See `Reader`."""
        whole = self._editor.read(source)
        found = []
        for candidate, scored in zip(candidates, self._classify(candidates), strict=True):
            one = self._editor.read(candidate)
            trait = max(scored, one.toxicity) if self._both else scored
            found.append(Reading(trait, float(whole.meaning @ one.meaning), one.fluency))
        return found
