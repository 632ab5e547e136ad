"""Does a detector tell hate from what looks like it? Suite ``behaviours``: accuracy each, and macro-F1.

Functional tests in the manner of HateCheck (Röttger et al. 2021,
https://aclanthology.org/2021.acl-long.4/), on sentences written for this repository. Hate is an
``identity_attack`` that is found or scores .5 or more.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from unbarb.evaluate.results import Progress, Row, Table, digest_of, silent
from unbarb.evaluate.subjects import Subject
from unbarb.metrics.f1 import MACRO, macro_f1
from unbarb.metrics.measured import Measured, measure, share
from unbarb.metrics.scored import Floats

LABEL, THRESHOLD = "identity_attack", 0.5
NOTE = "Share of the sentences of each behaviour judged right; macro-F1 over hateful and not, all together."


@dataclass(frozen=True, slots=True)
class Case:
    """A sentence, what behaviour it tests and whether it is hateful."""

    text: str
    behaviour: str
    hateful: bool


def behaviours(
    name: str, cases: Sequence[Case], subjects: Sequence[Subject], progress: Progress = silent
) -> Table:
    """The table of one set of cases; behaviours in the order in which they first occur."""
    rows = []
    for subject in subjects:
        outcomes = subject.outcomes([case.text for case in cases], progress)
        said = [outcome.says(LABEL, THRESHOLD) for outcome in outcomes]
        figures: dict[str, Measured] = {
            "macro_f1": measure(MACRO, _macro, said, [case.hateful for case in cases], rounds=200)
        }
        for behaviour in dict.fromkeys(case.behaviour for case in cases):
            pairs = [(s, c.hateful) for s, c in zip(said, cases, strict=True) if c.behaviour == behaviour]
            figures[behaviour] = share(
                "accuracy/1", [None if s is None else float(s == h) for s, h in pairs]
            )
        rows.append(Row(subject.name, figures, subject.digest))
    return Table("behaviours", name, NOTE, digest_of(cases), tuple(rows))


def _macro(predicted: Floats, truth: Floats) -> float | None:
    return macro_f1(predicted.tolist(), truth.tolist())
