"""A progress bar on standard error, and lines told above it."""

from __future__ import annotations

import sys
from typing import Self

LONG = 1 << 16
"""Bytes of input from which there is a bar."""


class Quietly:
    """No bar; lines still go to standard error."""

    def moved(self, share: float | None, texts: int) -> None:
        """Nothing to move."""

    def tell(self, line: str) -> None:
        print(line, file=sys.stderr, flush=True)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        """Nothing to close."""


class Bar(Quietly):
    """A bar where the share read is known, a count where it is not; gone when it is done."""

    def __init__(self) -> None:
        from rich.console import Console
        from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn

        self._progress = Progress(
            TextColumn("{task.description}"), BarColumn(), TimeRemainingColumn(),
            console=Console(stderr=True), transient=True,
        )  # fmt: skip
        self._task = self._progress.add_task("0 texts", total=None)

    def moved(self, share: float | None, texts: int) -> None:
        total = None if share is None else 1.0
        counted = f"{texts:,} texts"
        self._progress.update(self._task, description=counted, total=total, completed=share or 0.0)

    def tell(self, line: str) -> None:
        self._progress.console.print(line, markup=False, highlight=False, soft_wrap=True)

    def __enter__(self) -> Self:
        self._progress.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._progress.stop()


class Steps:
    """Rows counted step by step on standard error, where a person watches; gone when it is done."""

    EVERY = 256

    def __init__(self) -> None:
        from rich.console import Console

        self._status = Console(stderr=True).status("") if sys.stderr.isatty() else None

    def moved(self, step: str, rows: int) -> None:
        if self._status is not None and rows % self.EVERY == 0:
            self._status.update(f"{step}: {rows:,} rows")

    def __enter__(self) -> Self:
        if self._status is not None:
            self._status.start()
        return self

    def __exit__(self, *_: object) -> None:
        if self._status is not None:
            self._status.stop()
