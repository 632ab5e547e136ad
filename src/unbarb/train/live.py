"""What a person sees while a model trains: a bar on a terminal, plain lines in a log file."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from time import monotonic

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn


class Quiet:
    """Shows nothing."""

    def tell(self, line: str) -> None:
        """Told what is good to know before it starts."""

    def begin(self, step: int, steps: int) -> None:
        """Told where the run starts and where it will end."""

    def moved(self, step: int) -> None:
        """Told after every step."""

    def log(self, line: Mapping[str, float]) -> None:
        """Told every line of ``metrics.jsonl``."""

    def close(self) -> None:
        """Told when it is over, or stopped."""


class Lines(Quiet):
    """A line per log on standard error, with the time left."""

    def __init__(self) -> None:
        self._first, self._steps, self._began = 0, 0, monotonic()

    def tell(self, line: str) -> None:
        print(line, file=sys.stderr, flush=True)

    def begin(self, step: int, steps: int) -> None:
        self._first, self._steps, self._began = step, steps, monotonic()

    def log(self, line: Mapping[str, float]) -> None:
        done = line["step"] - self._first
        parts = [f"step {line['step']:,.0f}/{self._steps:,}", shown(line)]
        if done > 0 and self._steps:
            left = (self._steps - line["step"]) * (monotonic() - self._began) / done
            parts.append(f"{clock(left)} left")
        print("  ".join(parts), file=sys.stderr, flush=True)


class Live(Quiet):
    """A bar with the last figures and the time left."""

    def __init__(self, console: Console) -> None:
        self._progress = Progress(
            TextColumn("training"), BarColumn(), MofNCompleteColumn(), TextColumn("{task.description}"),
            TimeRemainingColumn(), console=console,
        )  # fmt: skip
        self._task = self._progress.add_task("", total=None)
        self._last: dict[str, float] = {}

    def tell(self, line: str) -> None:
        self._progress.console.print(line, markup=False, highlight=False, soft_wrap=True)

    def begin(self, step: int, steps: int) -> None:
        self._progress.update(self._task, completed=step, total=steps)
        self._progress.start()

    def moved(self, step: int) -> None:
        self._progress.update(self._task, completed=step)

    def log(self, line: Mapping[str, float]) -> None:
        self._last.update(line)
        self._progress.update(self._task, description=shown(self._last))

    def close(self) -> None:
        self._progress.stop()


def live_for(*, quiet: bool) -> Quiet:
    """The display that fits: none, lines where nobody watches, a bar on a terminal."""
    if quiet:
        return Quiet()
    return Live(Console(stderr=True)) if sys.stderr.isatty() else Lines()


def shown(line: Mapping[str, float]) -> str:
    """The figures of a line that a person wants while waiting."""
    parts = [
        f"{name} {line[key]:.4f}"
        for key, name in (("loss", "loss"), ("eval_loss", "dev loss"))
        if key in line
    ]
    if "tokens_per_second" in line:
        parts.append(f"{line['tokens_per_second']:,.0f} tok/s")
    if "memory_mb" in line:
        parts.append(f"{line['memory_mb']:,.0f} MB")
    return "  ".join(parts)


def clock(seconds: float) -> str:
    """Hours, minutes and seconds, as ``1:02:03``."""
    minutes, rest = divmod(round(seconds), 60)
    return f"{minutes // 60}:{minutes % 60:02}:{rest:02}"
