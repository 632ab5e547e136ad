"""Are disguised insults found, and clean words that look like them spared? Suite ``obfuscation``."""

from __future__ import annotations

from collections.abc import Sequence

from unbarb.evaluate.results import Progress, Row, Table, digest_of, silent
from unbarb.evaluate.subjects import Subject
from unbarb.metrics.measured import share

NOTE = (
    "Shares of the disguised insults and of the clean look-alikes that are flagged (any action but allow)."
)


def obfuscation(
    name: str,
    insults: Sequence[str],
    lookalikes: Sequence[str],
    subjects: Sequence[Subject],
    progress: Progress = silent,
) -> Table:
    """The table of one list of disguised insults and one of clean look-alikes."""
    rows = []
    for subject in subjects:
        found = subject.outcomes([*insults, *lookalikes], progress)
        flags = [float(outcome.flagged) for outcome in found]
        figures = {
            "insults found": share("flagged_share/1", flags[: len(insults)]),
            "look-alikes flagged": share("flagged_share/1", flags[len(insults) :]),
        }
        rows.append(Row(subject.name, figures, subject.digest))
    return Table("obfuscation", name, NOTE, digest_of([list(insults), list(lookalikes)]), tuple(rows))
