"""How far a long run is, with its rate and the time left: a bar where a person watches, lines elsewhere."""

from __future__ import annotations

import sys
from collections.abc import Callable
from time import monotonic
from typing import TYPE_CHECKING, Self

if TYPE_CHECKING:
    from rich.progress import Progress

EVERY = 30.0
"""Seconds between two lines."""


class Rates:
    """Says on standard error how many rows are done, how many a second, and how long it will take."""

    def __init__(self, watched: bool, clock: Callable[[], float] = monotonic) -> None:
        self._clock = clock
        self._began: float | None = None
        self._first_share = self._told = 0.0
        self._bar = _bar() if watched else None
        self._task = self._bar.add_task("0 rows", total=1.0) if self._bar else None

    def moved(self, rows: int, share: float) -> None:
        """So many `rows` are done by this run, and this `share` of all, 0…1."""
        now = self._clock()
        if self._began is None:
            # What an earlier run did is no work of this one's.
            self._began, self._first_share, self._told = now, share, now
        line = described(rows, share, now - self._began, self._first_share)
        if self._bar is not None and self._task is not None:
            self._bar.update(self._task, description=line, completed=share)
        elif now - self._told >= EVERY:
            self._told = now
            print(f"unbarb: {line}", file=sys.stderr, flush=True)

    def __enter__(self) -> Self:
        if self._bar is not None:
            self._bar.start()
        return self

    def __exit__(self, *_: object) -> None:
        if self._bar is not None:
            self._bar.stop()


def described(rows: int, share: float, seconds: float, first_share: float = 0.0) -> str:
    """``41 %, 12,000 rows, 950 rows/s, 0:04:10 left``; what cannot be told yet is left out."""
    parts = [f"{100 * share:.0f} %", f"{rows:,} rows"]
    if rows and seconds > 0:
        parts.append(f"{rows / seconds:,.0f} rows/s")
    if share > first_share:
        left = round(seconds * (1 - share) / (share - first_share))
        parts.append(f"{left // 3600}:{left // 60 % 60:02d}:{left % 60:02d} left")
    return ", ".join(parts)


def _bar() -> Progress:
    from rich.console import Console
    from rich.progress import BarColumn, Progress, TextColumn

    return Progress(
        BarColumn(), TextColumn("{task.description}"), console=Console(stderr=True), transient=True
    )
