"""Is hate told from what looks like it, and what harms nobody left alone? Suite ``behaviours``.

Functional tests in the manner of HateCheck (Röttger et al. 2021,
https://aclanthology.org/2021.acl-long.4/), on sentences written for this repository. Hate is an
``identity_attack`` that is found or scores .5 or more.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from unbarb.evaluate.results import Progress, Row, Table, digest_of, silent
from unbarb.evaluate.subjects import Outcome, Subject
from unbarb.metrics.f1 import MACRO, macro_f1
from unbarb.metrics.measured import Measured, measure, share
from unbarb.metrics.scored import Floats

LABEL, THRESHOLD = "identity_attack", 0.5
NOTE = "Share of the sentences of each behaviour judged right; macro-F1 over hateful and not, all together."
ALONE = "Of the behaviours that are not toxic either: share of the sentences that the policy leaves alone."


@dataclass(frozen=True, slots=True)
class Case:
    """A sentence, what behaviour it tests, whether it is hateful, and whether it is not even toxic."""

    text: str
    behaviour: str
    hateful: bool
    harmless: bool = False


def behaviours(
    name: str, cases: Sequence[Case], subjects: Sequence[Subject], progress: Progress = silent
) -> list[Table]:
    """Two tables of one set of cases: hate told apart, and the harmless left alone, if there are some.

    Behaviours stand in the order in which they first occur.
    """
    told, alone = [], []
    for subject in subjects:
        outcomes = subject.outcomes([case.text for case in cases], progress)
        told.append(Row(subject.name, _told_apart(cases, outcomes), subject.digest))
        alone.append(Row(subject.name, _left_alone(cases, outcomes), subject.digest))
    digest = digest_of(cases)
    tables = [Table("behaviours", name, NOTE, digest, tuple(told))]
    if any(case.harmless for case in cases):
        tables.append(Table("behaviours", f"{name}, harmless", ALONE, digest, tuple(alone)))
    return tables


def _told_apart(cases: Sequence[Case], outcomes: Sequence[Outcome]) -> dict[str, Measured]:
    said = [outcome.says(LABEL, THRESHOLD) for outcome in outcomes]
    right = [
        (case.behaviour, None if s is None else s == case.hateful)
        for case, s in zip(cases, said, strict=True)
    ]
    macro = measure(MACRO, _macro, said, [case.hateful for case in cases], rounds=200)
    return {"macro_f1": macro, **_shares("accuracy/1", right)}


def _left_alone(cases: Sequence[Case], outcomes: Sequence[Outcome]) -> dict[str, Measured]:
    alone = [
        (case.behaviour, not outcome.flagged)
        for case, outcome in zip(cases, outcomes, strict=True)
        if case.harmless
    ]
    return _shares("allowed_share/1", alone)


def _shares(metric: str, values: Sequence[tuple[str, bool | None]]) -> dict[str, Measured]:
    """Of each behaviour, the share of its values that are true."""
    of: dict[str, list[float | None]] = {}
    for behaviour, value in values:
        of.setdefault(behaviour, []).append(None if value is None else float(value))
    return {behaviour: share(metric, found) for behaviour, found in of.items()}


def _macro(predicted: Floats, truth: Floats) -> float | None:
    return macro_f1(predicted.tolist(), truth.tolist())
