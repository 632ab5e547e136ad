"""What is evaluated as a detector: a guard, a bare detector, or the one that calls everything clean."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

from unbarb.detect.protocol import Detector
from unbarb.evaluate.results import Progress, silent
from unbarb.text import LABELS, Finding, Verdict

CHUNK = 256


@dataclass(frozen=True, slots=True)
class Outcome:
    """What was said of one text: scores by label (an absent label is unscored), flagged or not, where."""

    scores: Mapping[str, float]
    flagged: bool
    findings: tuple[Finding, ...] = ()

    def characters(self) -> set[int]:
        """The offsets of all characters in any finding."""
        return {at for found in self.findings for at in range(found.start, found.end)}

    def says(self, label: str, threshold: float = 0.5) -> bool | None:
        """Whether `label` is found or scores `threshold` or more; `None` when neither is known."""
        if any(found.label == label for found in self.findings):
            return True
        score = self.scores.get(label)
        return None if score is None else score >= threshold


class Subject(Protocol):
    """Anything whose outcomes can be compared."""

    @property
    def name(self) -> str: ...

    @property
    def digest(self) -> str: ...

    def outcomes(self, texts: Sequence[str], progress: Progress = silent) -> list[Outcome]: ...


class Checks(Protocol):
    """The part of a Guard that evaluation of detection needs."""

    def check_batch(self, texts: Sequence[str]) -> list[Verdict]: ...


@dataclass(frozen=True, slots=True)
class AlwaysClean:
    """Stands in every comparison: what a figure is worth when nothing is found."""

    name: str = "always clean"
    digest: str = ""

    def outcomes(self, texts: Sequence[str], progress: Progress = silent) -> list[Outcome]:
        return [Outcome(dict.fromkeys(LABELS, 0.0), flagged=False) for _ in texts]


@dataclass(frozen=True, slots=True)
class Bare:
    """A detector without a policy: flagged from `threshold` of toxicity on."""

    detector: Detector
    threshold: float = 0.5

    @property
    def name(self) -> str:
        return self.detector.name

    @property
    def digest(self) -> str:
        return self.detector.digest

    def outcomes(self, texts: Sequence[str], progress: Progress = silent) -> list[Outcome]:
        found: list[Outcome] = []
        for chunk in chunks(texts):
            for analysis in self.detector.detect(chunk):
                flagged = analysis.scores.get("toxicity", 0.0) >= self.threshold
                found.append(Outcome(analysis.scores, flagged, analysis.findings))
            progress(f"{self.name}: {len(found):,} of {len(texts):,}")
        return found


@dataclass(frozen=True, slots=True)
class Guarded:
    """A whole guard: flagged is every action but ``allow``."""

    guard: Checks
    name: str = "unbarb"
    digest: str = ""

    def outcomes(self, texts: Sequence[str], progress: Progress = silent) -> list[Outcome]:
        found: list[Outcome] = []
        for chunk in chunks(texts):
            for verdict in self.guard.check_batch(chunk):
                found.append(Outcome(verdict.scores, verdict.action != "allow", verdict.findings))
            progress(f"{self.name}: {len(found):,} of {len(texts):,}")
        return found


def chunks(texts: Sequence[str], size: int = CHUNK) -> Iterable[Sequence[str]]:
    """`texts` in order, `size` at a time."""
    return (texts[start : start + size] for start in range(0, len(texts), size))
