"""What a run came to."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field

from unbarb.text import ACTIONS, Verdict


@dataclass(slots=True)
class Totals:
    """Counts of a run so far; `seconds` is the time spent deciding, loading not counted."""

    actions: Counter[str] = field(default_factory=Counter)
    unreadable: int = 0
    timed: int = 0
    seconds: float = 0.0
    unscored: tuple[str, ...] = ()

    def add(self, verdicts: Sequence[Verdict], seconds: float) -> None:
        for verdict in verdicts:
            self.count(verdict.action)
            self.unscored = verdict.unscored
        self.timed += len(verdicts)
        self.seconds += seconds

    def count(self, action: str) -> None:
        self.actions[action] += 1

    @property
    def texts(self) -> int:
        return self.actions.total()

    @property
    def found(self) -> int:
        """Texts that were not simply allowed."""
        return self.texts - self.actions["allow"]

    def lines(self) -> list[str]:
        """The totals in words."""
        parts = [f"{self.actions[action]} {action}" for action in ACTIONS if self.actions[action]]
        first = f"{counted(self.texts, 'text')}{': ' if parts else ''}{', '.join(parts)}"
        if self.timed:
            first += f"; {1000 * self.seconds / self.timed:.1f} ms a text"
        told = [first]
        if self.unreadable:
            told.append(f"{counted(self.unreadable, 'row')} could not be read")
        if self.unscored:
            told.append(f"nothing loaded scores {', '.join(self.unscored)}")
        return told


def counted(number: int, noun: str) -> str:
    """``1 text``, ``2 texts``."""
    return f"{number:,} {noun}{'' if number == 1 else 's'}"
