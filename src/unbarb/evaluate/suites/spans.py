"""Which characters make a text toxic? Suite ``spans``: character F1 as in SemEval-2021 task 5."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from unbarb.evaluate.results import Progress, Row, Table, digest_of, silent
from unbarb.evaluate.subjects import Subject
from unbarb.metrics import bootstrap
from unbarb.metrics.measured import measure
from unbarb.metrics.span_f1 import METRIC, per_text

NOTE = "Mean over texts of the F1 of two sets of characters, 1 when both are empty; findings of any label."


@dataclass(frozen=True, slots=True)
class Marked:
    """A text and its toxic characters, half-open ``(start, end)`` code points."""

    text: str
    spans: tuple[tuple[int, int], ...]


def spans(
    name: str, data: Sequence[Marked], subjects: Sequence[Subject], progress: Progress = silent
) -> Table:
    """The table of one set of marked texts."""
    truth = [{at for start, end in item.spans for at in range(start, end)} for item in data]
    rows = []
    for subject in subjects:
        found = [outcome.characters() for outcome in subject.outcomes([i.text for i in data], progress)]
        f1 = per_text(found, truth)
        marked = [value for value, true in zip(f1, truth, strict=True) if true]
        figures = {
            "span_f1": measure(METRIC, bootstrap.mean, f1),
            "on marked texts": measure(METRIC, bootstrap.mean, marked),
        }
        rows.append(Row(subject.name, figures, subject.digest))
    return Table("spans", name, NOTE, digest_of(data), tuple(rows))
