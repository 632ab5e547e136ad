"""A progress bar on standard error, and lines told above it."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Self

if TYPE_CHECKING:
    from rich.progress import TaskID

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
    """A bar for each step on standard error, where a person watches; gone when all is done."""

    EVERY = 256

    def __init__(self) -> None:
        from rich.console import Console
        from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

        self._bars = Progress(
            TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn(),
            console=Console(stderr=True), transient=True, disable=not sys.stderr.isatty(),
        )  # fmt: skip
        self._tasks: dict[str, TaskID] = {}

    def moved(self, step: str, rows: int, total: int | None = None) -> None:
        """So many `rows` are through a step; a `total` that is not known makes a bar without an end."""
        if step not in self._tasks:
            self._tasks[step] = self._bars.add_task(step, total=total)
        if rows % self.EVERY == 0 or rows == total:
            self._bars.update(self._tasks[step], completed=rows)

    def __enter__(self) -> Self:
        self._bars.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._bars.stop()


class Bytes:
    """A bar of bytes for each step, with rate and time left, where a person watches; gone when done."""

    def __init__(self) -> None:
        from rich.console import Console
        from rich.progress import (
            BarColumn,
            DownloadColumn,
            Progress,
            TextColumn,
            TimeRemainingColumn,
            TransferSpeedColumn,
        )

        self._bars = Progress(
            TextColumn("{task.description}"), BarColumn(), DownloadColumn(), TransferSpeedColumn(),
            TimeRemainingColumn(),
            console=Console(stderr=True), transient=True, disable=not sys.stderr.isatty(),
        )  # fmt: skip
        self._tasks: dict[str, TaskID] = {}

    def moved(self, step: str, done: int, total: int) -> None:
        """So many bytes of a step are done."""
        if step not in self._tasks:
            self._tasks[step] = self._bars.add_task(step, total=total)
        self._bars.update(self._tasks[step], completed=done)

    def __enter__(self) -> Self:
        self._bars.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._bars.stop()
