"""What a person sees of a run: plain lines for a pipe, a table for a terminal, totals below."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from typing import Protocol

from unbarb.cli.marks import changed_spans, found_spans, marked, shown, toxicity
from unbarb.cli.totals import Totals
from unbarb.text import Verdict


class Printer(Protocol):
    """Shows verdicts as they come, and the totals at the end."""

    def rows(self, verdicts: Sequence[Verdict], seconds: float) -> None: ...

    def totals(self, totals: Totals) -> None: ...


class Silent:
    """Shows nothing."""

    def rows(self, verdicts: Sequence[Verdict], seconds: float) -> None:
        """Nothing."""

    def totals(self, totals: Totals) -> None:
        """Nothing."""


class TotalsOnly:
    """Shows the totals, on standard error: standard output may hold JSON."""

    def rows(self, verdicts: Sequence[Verdict], seconds: float) -> None:
        """Nothing."""

    def totals(self, totals: Totals) -> None:
        print("\n".join(totals.lines()), file=sys.stderr)


class Lines:
    """A few plain lines for each text; empty texts are counted and not shown."""

    def __init__(self, carry_out: bool) -> None:
        self._carry_out = carry_out

    def rows(self, verdicts: Sequence[Verdict], seconds: float) -> None:
        for verdict in verdicts:
            if verdict.original:
                print("\n".join(lines_of(verdict, self._carry_out)))
        sys.stdout.flush()

    def totals(self, totals: Totals) -> None:
        print("\n".join(totals.lines()))


def lines_of(verdict: Verdict, carry_out: bool) -> list[str]:
    """One verdict in plain lines: action, scores and rule; the text, findings in «…»; what leaves."""
    head = [verdict.action, f"toxicity {toxicity(verdict)}"]
    if verdict.id is not None:
        head.insert(0, f"[{shown(verdict.id)}]")
    if verdict.meaning is not None:
        head.append(f"meaning {verdict.meaning:.2f}")
    if verdict.action != "allow":
        head.append(shown(verdict.rule))
    told = ["  ".join(head), f"  {marked(verdict.original, found_spans(verdict))}"]
    if carry_out:
        told += [f"  {line}" for line in outcome(verdict)]
    return told + [f"  ! {shown(warning)}" for warning in verdict.warnings]


def outcome(verdict: Verdict) -> list[str]:
    """What leaves where that is not the original."""
    if verdict.text is None:
        return ["→ (withheld)", *([f"→ {shown(verdict.message)}"] if verdict.message else [])]
    if verdict.text != verdict.original:
        return [f"→ {marked(verdict.text, changed_spans(verdict.edits))}"]
    return []
