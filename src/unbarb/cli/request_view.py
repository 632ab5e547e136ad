"""What a person sees of ``request``: answers as they come or when they are whole, and what it all took."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import IO, Any

from unbarb.cli.marks import shown
from unbarb.cli.rows import Row
from unbarb.cli.totals import counted
from unbarb.deploy.request.answer import Failure
from unbarb.deploy.request.checked import Passed
from unbarb.deploy.request.client import Asked, Client
from unbarb.deploy.request.latency import Latency
from unbarb.guard import Guard
from unbarb.stream import StreamGuard
from unbarb.text import ACTIONS


@dataclass(slots=True)
class Tally:
    """Counts of a run so far, those of an earlier one that it goes on with included; times are its own."""

    actions: Counter[str] = field(default_factory=Counter)
    failed: int = 0
    unreadable: int = 0
    again: int = 0
    whole: Latency = field(default_factory=Latency)
    first: Latency = field(default_factory=Latency)

    @property
    def texts(self) -> int:
        return self.actions.total() + self.failed

    def asked(self, one: Asked) -> None:
        self.whole.add(one.seconds)
        self.again += one.tries - 1
        if one.first is not None:
            self.first.add(one.first)

    def add(self, passed: Passed) -> None:
        self.actions[_action(passed.to_dict())] += 1

    def finished(self, line: Mapping[str, Any]) -> None:
        """A line of an earlier run."""
        if line.get("error"):
            self.failed += 1
        else:
            self.actions[_action(line)] += 1

    def lines(self) -> list[str]:
        """The totals in words."""
        counts = [f"{self.actions[name]} {name}" for name in (*ACTIONS, *OTHER) if self.actions[name]]
        told = [f"{counted(self.texts, 'text')}: {', '.join(counts) or 'no answers'}"]
        for latency, what in ((self.whole, "an answer"), (self.first, "the first words")):
            if len(latency):
                told[0] += f"; {what} p50 {latency.quantile(0.5):.2f} s, p95 {latency.quantile(0.95):.2f} s"
        for number, noun, what in (
            (self.again, "request", "sent again"),
            (self.failed, "text", "without an answer"),
            (self.unreadable, "row", "could not be read"),
        ):
            if number:
                told.append(f"{counted(number, noun)} {what}")
        return told


OTHER = ("scored", "not verified")


def _action(told: Mapping[str, Any]) -> str:
    if told["guard"] is not None:
        return str(told["guard"]["action"])
    return "scored" if told["verified"] else "not verified"


class Printed:
    """Prints answers; of a single text nothing but the answer."""

    def __init__(self, *, alone: bool) -> None:
        self._alone = alone

    def head(self, row: Row) -> None:
        """What was asked."""
        if not self._alone:
            print(f"{f'[{shown(row.id)}] ' if row.id is not None else ''}{shown(row.text)}")

    def row(self, row: Row, passed: Passed) -> None:
        """What was asked, and what came of it."""
        self.head(row)
        mark = "" if self._alone else "  → "
        for line in _lines(passed):
            print(f"{mark}{line}", flush=True)


def _lines(passed: Passed) -> list[str]:
    told = [] if passed.text is None else [shown(line) for line in passed.text.split("\n")]
    if "text" in passed.withheld:
        message = passed.verdict.message if passed.verdict else None
        told.append(f"(withheld) {shown(message)}" if message else "(withheld)")
    if passed.scores and passed.text is None:
        told.append(", ".join(f"{shown(name)} {value:.4g}" for name, value in passed.scores.items()))
    if passed.finish not in (None, "stop"):
        told.append(f"({shown(str(passed.finish))})")
    return told


class _Enough(Exception):  # noqa: N818 - nothing went wrong
    """The stream is blocked: the rest would cost and could not leave."""


class Live:
    """Prints streamed answers as they come: with a guard, each part when it is checked.

    Args:
        client: streams.
        guard: None prints what comes.
        out: where it is printed.
    """

    def __init__(self, client: Client, guard: Guard | None, out: IO[str]) -> None:
        self._client, self._guard, self._out = client, guard, out

    def __call__(self, row: Row, tally: Tally) -> Passed | Failure:
        """The answer to one row, printed.

        Raises:
            Failure: no text will be answered.
        """
        guard = StreamGuard(self._guard, id=row.id) if self._guard else None
        left: list[str] = []

        def told(text: str) -> None:
            left.append(guard.feed(text) if guard else text)
            self._print(left[-1])
            if guard and guard.blocked:
                raise _Enough

        finish = None
        try:
            asked = self._client.ask(row.text, told)
            tally.asked(asked)
            finish = asked.answer.finish
            if guard:
                left.append(guard.close())
                self._print(left[-1])
        except _Enough:
            pass
        except Failure as failure:
            if failure.scope == "setup":
                raise
            return failure
        finally:
            self._print("\n")
        if guard is None:
            return Passed("".join(left), False, finish)
        if guard.blocked:
            self._print(f"(withheld) {guard.message or ''}\n")
        gravest = max(guard.verdicts, key=lambda verdict: ACTIONS.index(verdict.action), default=None)
        return Passed("".join(left), True, finish, verdict=gravest)

    def _print(self, text: str) -> None:
        # A model's line ends are its own; nothing else of it may steer a terminal.
        self._out.write("\n".join(map(shown, text.split("\n"))))
        self._out.flush()
