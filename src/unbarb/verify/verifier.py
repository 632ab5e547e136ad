"""The gate that every candidate passes: the cheap checks first, models only for what is left."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from math import nan
from typing import Protocol

from unbarb.detect.protocol import Detector
from unbarb.rewrite.protocol import Candidate
from unbarb.text import NO_SCORES, Analysis
from unbarb.verify.alignment import align
from unbarb.verify.content import lost_content
from unbarb.verify.facts import changed_facts
from unbarb.verify.grammar import new_defects
from unbarb.verify.negation import broken_negation
from unbarb.verify.roles import changed_roles
from unbarb.verify.toxicity import Opinion, checked_share, objections, over


@dataclass(frozen=True, slots=True)
class Assessment:
    """Cosine of source and candidate as sentences; probability that the candidate is intact."""

    meaning: float
    fluency: float


class Judge(Protocol):
    """Reads a source and its candidates; a candidate's assessment must not depend on the others."""

    def assess(self, source: str, candidates: Sequence[str]) -> list[Assessment]: ...


@dataclass(frozen=True, slots=True)
class Acceptance:
    """What was found about one candidate; accepted when there is no reason against it.

    `scores` are the detector's for the candidate, `meaning` and `fluency` the judge's. A model is not
    asked about what fell before; then `scores` is empty and the others are NaN.
    """

    candidate: Candidate
    accepted: bool
    reasons: tuple[str, ...]
    scores: Mapping[str, float] = field(default_factory=dict)
    meaning: float = nan
    fluency: float = nan


def cheap_reasons(source: Analysis, rewrite: str) -> list[str]:
    """Every objection that needs no model: facts, negation, roles, what is left, grammar."""
    alignment = align(source, rewrite)
    return [
        *changed_facts(alignment, source.text, rewrite),
        *broken_negation(alignment),
        *changed_roles(alignment),
        *lost_content(alignment),
        *new_defects(alignment),
    ]


class Verifier:
    """Says which candidates may leave.

    Args:
        detector: scores candidates against the ceilings; it must not use its gate here.
        opinions: detectors that err otherwise, each with the score it may not reach.
        judge: gives meaning and fluency.
        min_meaning: least cosine to the source; a ParaDetox reference has about .8.
        min_fluency: least probability of being intact.
        headroom: the share of each ceiling that must be left below it.

    Raises:
        ConfigError: a setting or a ceiling is outside 0…1.
    """

    def __init__(
        self,
        detector: Detector,
        opinions: Sequence[tuple[Detector, float]],
        judge: Judge,
        *,
        min_meaning: float = 0.5,
        min_fluency: float = 0.5,
        headroom: float = 0.1,
    ) -> None:
        self.detector = detector
        self._opinions = tuple(
            Opinion(other, checked_share(f"the ceiling of {other.name}", ceiling))
            for other, ceiling in opinions
        )
        self._judge = judge
        self._min_meaning = checked_share("min_meaning", min_meaning)
        self._min_fluency = checked_share("min_fluency", min_fluency)
        self._headroom = checked_share("headroom", headroom)

    def check(
        self, source: Analysis, candidates: Sequence[Candidate], ceilings: Mapping[str, float]
    ) -> list[Acceptance]:
        """Check every candidate for `source`, in order.

        A masked candidate need not read well nor keep its rude words; it is checked for toxicity only.
        """
        reasons = [
            [] if candidate.step == "mask" else cheap_reasons(source, candidate.text)
            for candidate in candidates
        ]
        self._ask_opinions(candidates, reasons)
        scores = self._ask_detector(candidates, reasons, ceilings)
        assessed = self._ask_judge(source, candidates, reasons)
        return [
            Acceptance(
                candidate,
                not reasons[index],
                tuple(reasons[index]),
                scores.get(index, NO_SCORES),
                assessed[index].meaning if index in assessed else nan,
                assessed[index].fluency if index in assessed else nan,
            )
            for index, candidate in enumerate(candidates)
        ]

    def _ask_opinions(self, candidates: Sequence[Candidate], reasons: list[list[str]]) -> None:
        open_ = _standing(reasons)
        found = objections(self._opinions, [candidates[index].text for index in open_])
        for index, more in zip(open_, found, strict=True):
            reasons[index] += more

    def _ask_detector(
        self, candidates: Sequence[Candidate], reasons: list[list[str]], ceilings: Mapping[str, float]
    ) -> dict[int, Mapping[str, float]]:
        open_ = _standing(reasons)
        if not open_:
            return {}
        analyses = self.detector.detect([candidates[index].text for index in open_])
        scores = {index: analysis.scores for index, analysis in zip(open_, analyses, strict=True)}
        for index in open_:
            reasons[index] += over(scores[index], ceilings, self._headroom)
        return scores

    def _ask_judge(
        self, source: Analysis, candidates: Sequence[Candidate], reasons: list[list[str]]
    ) -> dict[int, Assessment]:
        open_ = _standing(reasons)
        if not open_:
            return {}
        found = self._judge.assess(source.text, [candidates[index].text for index in open_])
        assessed = dict(zip(open_, found, strict=True))
        for index, assessment in assessed.items():
            if candidates[index].step == "mask":
                continue
            for what, value, least in (
                ("meaning", assessment.meaning, self._min_meaning),
                ("fluency", assessment.fluency, self._min_fluency),
            ):
                if not value >= least:
                    reasons[index].append(f"{what}: {value:.2f}, at least {least:.2f} is needed")
        return assessed


def _standing(reasons: Sequence[Sequence[str]]) -> list[int]:
    """Indices of the candidates that nothing speaks against so far."""
    return [index for index, against in enumerate(reasons) if not against]
