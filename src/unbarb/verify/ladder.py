"""The ladder: edit → delete span → mask → block. The first rung whose result passes is taken."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from time import perf_counter

from unbarb.detect.protocol import Detector
from unbarb.rewrite.mask import MASK
from unbarb.rewrite.protocol import Rewriter
from unbarb.segment import sentences
from unbarb.text import Analysis, Edit, Span, Step, apply
from unbarb.verify.verifier import Acceptance, Verifier

RUNGS: tuple[Step, ...] = ("edit", "delete", "mask")
ORDER: tuple[Step, ...] = ("none", *RUNGS, "block")
SHORT = 24
"""A text of no more words is first edited as a whole, for its sentences lean on each other."""

Timer = Callable[[str, float], None]
"""Is told a step ("detect", "rewrite" or "verify") and the seconds it took; several threads may call it."""


@contextmanager
def timed(timer: Timer | None, step: str) -> Iterator[None]:
    """Tell `timer` how long the block took, also when it fails."""
    began = perf_counter()
    try:
        yield
    finally:
        if timer is not None:
            timer(step, perf_counter() - began)


@dataclass(frozen=True, slots=True)
class Outcome:
    """Where a text came to rest: its edits, the lowest rung used, and what the checks said.

    `step` is "block" when nothing passed. `scores` are those of the result; `refused` says why
    candidates fell, in the order they were looked at, `failures` which rewriters failed and how, and
    `models` maps the names of the rewriters whose candidates were taken to their digests.
    """

    edits: tuple[Edit, ...]
    step: Step
    meaning: float | None
    scores: Mapping[str, float] | None
    refused: tuple[str, ...]
    failures: tuple[str, ...] = ()
    models: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class _Told:
    """What one way down has to tell: see `Outcome`."""

    refused: list[str] = field(default_factory=list)
    failures: dict[str, None] = field(default_factory=dict)
    models: dict[str, str] = field(default_factory=dict)

    def outcome(
        self,
        step: Step,
        edits: Sequence[Edit] = (),
        meaning: float | None = None,
        scores: Mapping[str, float] | None = None,
    ) -> Outcome:
        return Outcome(
            tuple(edits), step, meaning, scores, tuple(self.refused), tuple(self.failures), self.models
        )


class Ladder:
    """Rewriters in order of preference, the detector that judges, and the verifier all must pass.

    `timer` is told of every asking of a rewriter and of every check of a candidate.
    """

    def __init__(
        self,
        rewriters: Sequence[Rewriter],
        detector: Detector,
        verifier: Verifier,
        *,
        timer: Timer | None = None,
    ) -> None:
        self._rewriters = tuple(rewriters)
        self._detector = detector
        self._verifier = verifier
        self._timer = timer

    def descend(
        self,
        text: str,
        ceilings: Mapping[str, float],
        first: Step = "edit",
        last: Step = "mask",
        *,
        known: Analysis | None = None,
    ) -> Outcome:
        """Bring `text` under its ceilings, beginning at the rung `first` and going no lower than `last`.

        `known` is the analysis of the text, where somebody has it; one that a gate settled does not count.

        A short text is edited as a whole. In a longer one, or where that fails, each sentence that is
        over a ceiling goes down on its own, until it is masked whole; then the text is scored again, and
        if it is still over, every such sentence is taken down to the mask.
        """
        told = _Told()
        source = self._detector.detect([text])[0] if known is None or known.settled else known
        for places, rungs in _ways(text, first, last):
            told.models.clear()  # what was taken before did not hold
            outcome = self._all_stretches(source, places, ceilings, rungs, told)
            if outcome.step == "block":
                continue
            scores = outcome.scores
            if scores is None:
                scores = self._detector.detect([apply(outcome.edits, text)])[0].scores
            if not over(scores, ceilings):
                return replace(outcome, scores=scores)
            still = ", ".join(over(scores, ceilings))
            told.refused.append(f"{outcome.step}: the whole text is still over {still}")
        told.models.clear()
        return told.outcome("block")

    def _all_stretches(
        self,
        source: Analysis,
        places: Sequence[Span],
        ceilings: Mapping[str, float],
        rungs: Sequence[Step],
        told: _Told,
    ) -> Outcome:
        text = source.text
        edits: list[Edit] = []
        meanings: list[float] = []
        lowest: Step = "none"
        scores: Mapping[str, float] | None = None
        for place, analysis in self._stretches(source, places, ceilings):
            taken = self._first_accepted(analysis, ceilings, rungs, told)
            if taken is None and (place == Span(0, len(text)) or "mask" not in rungs):
                return told.outcome("block")
            if taken is None:  # the rest need not be withheld for one sentence
                edits.append(Edit(place.start, place.start + len(place.of(text).rstrip()), MASK))
                meanings.append(0.0)
                lowest = max(lowest, "mask", key=ORDER.index)
                continue
            edits += [
                Edit(edit.start + place.start, edit.end + place.start, edit.replacement)
                for edit in taken.candidate.edits
            ]
            meanings.append(taken.meaning)
            lowest = max(lowest, taken.candidate.step, key=ORDER.index)
            if place == Span(0, len(text)) and self._verifier.detector is self._detector:
                scores = taken.scores  # the candidate is the whole result, and was scored already
        if not any(map(str.isalnum, apply(edits, text))):
            return told.outcome("block")
        return told.outcome(lowest, edits, min(meanings, default=None), scores)

    def _stretches(
        self, source: Analysis, places: Sequence[Span], ceilings: Mapping[str, float]
    ) -> list[tuple[Span, Analysis]]:
        """Those of several `places` that are over a ceiling by themselves; the whole text when none is."""
        if len(places) > 1:
            analyses = self._detector.detect([place.of(source.text) for place in places])
            found = [
                (place, analysis)
                for place, analysis in zip(places, analyses, strict=True)
                if over(analysis.scores, ceilings)
            ]
            if found:
                return found
        return [(Span(0, len(source.text)), source)]

    def _first_accepted(
        self,
        source: Analysis,
        ceilings: Mapping[str, float],
        rungs: Sequence[Step],
        told: _Told,
    ) -> Acceptance | None:
        for rewriter in self._rewriters:
            try:
                with timed(self._timer, "rewrite"):
                    (candidates,) = rewriter.propose([source])
            except Exception as error:  # a plug-in may raise anything; the next rewriter takes over
                failure = f"rewriter failed: {rewriter.name}: {type(error).__name__}: {error}"
                told.failures[failure] = None
                continue
            for step in rungs:
                for candidate in candidates:
                    if candidate.step != step:
                        continue
                    # One by one: the best mostly passes, and every look costs the detector a reading.
                    with timed(self._timer, "verify"):
                        (acceptance,) = self._verifier.check(source, [candidate], ceilings)
                    if acceptance.accepted:
                        told.models[rewriter.name] = rewriter.digest
                        return acceptance
                    told.refused.append(f"{step}: {'; '.join(acceptance.reasons)}")
        return None


def _ways(text: str, first: Step, last: Step) -> Iterator[tuple[Sequence[Span], Sequence[Step]]]:
    """The ways down, the best first: which places of `text` go down apart, and by which rungs."""
    apart = [place for place in sentences(text) if place.of(text).strip()]
    if first == "edit" and len(apart) > 1 and len(text.split()) <= SHORT:
        yield [Span(0, len(text))], ("edit",)
    for start in dict.fromkeys((first, last)):
        yield apart, RUNGS[RUNGS.index(start) : RUNGS.index(last) + 1]


def over(scores: Mapping[str, float], ceilings: Mapping[str, float]) -> list[str]:
    """The labels whose score is not below its ceiling."""
    return [label for label, ceiling in ceilings.items() if scores.get(label, 0.0) >= ceiling]
