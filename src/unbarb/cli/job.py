"""What ``check`` and ``rewrite`` do: rows in, verdicts out, in batches, and an exit code."""

from __future__ import annotations

import json as json_format
import os
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from time import perf_counter
from typing import TYPE_CHECKING, Protocol

from unbarb.cli.ledger import Ledger
from unbarb.cli.progress import LONG, Bar, Quietly
from unbarb.cli.rows import BadRow, Columns, Row, Rows, from_arguments, from_file, from_stdin
from unbarb.cli.totals import Totals
from unbarb.cli.view import Lines, Printer, Silent, TotalsOnly
from unbarb.errors import InputError
from unbarb.text import Direction, Verdict

if TYPE_CHECKING:
    from unbarb.guard import Guard

CLEAN, FOUND, UNREADABLE, INTERRUPTED, PIPE_CLOSED = 0, 1, 3, 130, 141
"""Exit codes; wrong use, 2, is raised as an error."""

BATCH = 256
CHARACTERS = 1_000_000
"""A batch ends at so many characters, however few its texts: memory stays flat."""


class Counted(Protocol):
    """What counts the rows that cannot be read."""

    unreadable: int


@dataclass(frozen=True, slots=True)
class Job:
    """The options of a run; see `unbarb.cli.options`."""

    texts: Sequence[str] | None = None
    input: Path | None = None
    format: str | None = None
    column: str = "text"
    id_column: str | None = None
    policy: str = "default"
    direction: Direction = "none"
    json: bool = False
    output: Path | None = None
    resume: bool = False
    view: str = "auto"
    batch: int | None = None
    quiet: bool = False
    no_color: bool = False

    def rows(self) -> Rows:
        """Open the input.

        Raises:
            InputError: there is none, there are two, or it cannot be opened.
        """
        columns = Columns(self.column, self.id_column)
        if self.texts and self.input:
            raise InputError("texts and --input are given; give one of them")
        if self.input and str(self.input) != "-":
            return from_file(self.input, self.format, columns)
        if self.texts and list(self.texts) != ["-"]:
            return from_arguments(self.texts)
        if not self.texts and not self.input and sys.stdin.isatty():
            raise InputError("nothing to read; give texts, --input FILE, or pipe them to standard input")
        return from_stdin(self.format, columns)

    @property
    def kept(self) -> str:
        """Where a run that stops early leaves what is finished."""
        return f"; finished rows are in {self.output}.part, go on with --resume" if self.output else ""

    @property
    def shows_table(self) -> bool:
        return self.view == "table" or (self.view == "auto" and sys.stdout.isatty())

    @property
    def shows_rows(self) -> bool:
        return not (self.quiet or self.json or self.output)

    @property
    def texts_at_a_time(self) -> int:
        return self.batch or (1 if self.shows_table and self.shows_rows else BATCH)


def guard_for(policy: str, *, carry_out: bool) -> Guard:
    """A guard that loads what it needs: only deciding needs no rewriter."""
    from unbarb.guard import Guard

    return Guard(policy=policy) if carry_out else Guard(policy=policy, rewriter=None)


def run(job: Job, *, carry_out: bool) -> int:
    """Do the job and give the exit code.

    Raises:
        UnbarbError: wrong use: an option, the input as a whole, or the policy.
    """
    return ended(job, lambda: _run(job, carry_out))


def ended(job: Job, work: Callable[[], int]) -> int:
    """The exit code of `work`, also where it is stopped by a person or by a reader that has gone."""
    try:
        return work()
    except KeyboardInterrupt:
        print(f"unbarb: stopped{job.kept}", file=sys.stderr)
        return INTERRUPTED
    except BrokenPipeError:
        # Whoever read our output has gone; Python must not try to flush to them at exit.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return PIPE_CLOSED


def _run(job: Job, carry_out: bool) -> int:
    if job.resume and not job.output:
        raise InputError("--resume goes on with an output file; give --output FILE too")
    with ExitStack() as stack:
        rows = stack.enter_context(job.rows())
        ledger = stack.enter_context(Ledger(job.output, resume=job.resume)) if job.output else None
        guard = guard_for(job.policy, carry_out=carry_out)
        totals = Totals()
        printer = _printer(job, carry_out)
        progress = stack.enter_context(progress_of(job, rows))
        todo = readable(rows, totals, progress)
        if ledger is not None:
            _skip_finished(ledger, todo, job, guard, totals)
        decide = guard.batch if carry_out else guard.check_batch
        for batch in _batches(todo, job.texts_at_a_time):
            began = perf_counter()
            verdicts = decide(
                [row.text for row in batch], ids=[row.id for row in batch], direction=job.direction
            )
            totals.add(verdicts, perf_counter() - began)
            _write(verdicts, job, ledger)
            printer.rows(verdicts, perf_counter() - began)
            progress.moved(rows.share, totals.texts)
        if ledger is not None:
            ledger.finish()
        printer.totals(totals)
    if totals.unreadable:
        return UNREADABLE
    return FOUND if totals.found and not carry_out else CLEAN


def _printer(job: Job, carry_out: bool) -> Printer:
    if job.quiet:
        return Silent()
    if not job.shows_rows:
        return TotalsOnly()
    if not job.shows_table:
        return Lines(carry_out)
    from unbarb.cli.table import TableView

    return TableView(carry_out=carry_out, no_color=job.no_color)


def progress_of(job: Job, rows: Rows) -> Quietly:
    """A bar where a person watches and nothing else is printed to them."""
    # A view that is printed to the terminal is its own progress, and a bar would run through it.
    watched = sys.stderr.isatty() and not job.quiet
    busy = job.shows_rows and sys.stdout.isatty()
    return Bar() if watched and not busy and rows.size >= LONG else Quietly()


def _write(verdicts: Sequence[Verdict], job: Job, ledger: Ledger | None) -> None:
    if not job.json and ledger is None:
        return
    lines = [json_format.dumps(verdict.to_dict(), ensure_ascii=False) for verdict in verdicts]
    if ledger is not None:
        for line in lines:
            ledger.write(line)
        ledger.flush()
    if job.json:
        # Bytes, so that JSON is UTF-8 whatever the terminal's encoding.
        sys.stdout.buffer.write("".join(line + "\n" for line in lines).encode())
        sys.stdout.buffer.flush()


def readable(rows: Rows, totals: Counted, progress: Quietly) -> Iterator[Row]:
    """The rows that can be read; the others are told on standard error at once."""
    for row in rows:
        if isinstance(row, BadRow):
            totals.unreadable += 1
            progress.tell(f"unbarb: {row.place}: {row.reason}")
        else:
            yield row


def _skip_finished(ledger: Ledger, todo: Iterator[Row], job: Job, guard: Guard, totals: Totals) -> None:
    """Go past the rows that the part file has, making sure that they are the same."""
    for number, verdict in enumerate(ledger.finished(), 1):
        row = next(todo, None)
        same = row is not None and row.text == verdict["original"] and row.id == verdict.get("id")
        if not same:
            raise InputError(f"{ledger.part}:{number}: is of another input; delete it and begin anew")
        if verdict.get("policy", {}).get("digest") != guard.policy.digest:
            raise InputError(f"{ledger.part}:{number}: is of another policy; delete it and begin anew")
        if verdict.get("direction") != job.direction:
            raise InputError(f"{ledger.part}:{number}: is of another --direction; delete it and begin anew")
        totals.count(verdict["action"])


def _batches(rows: Iterator[Row], size: int) -> Iterator[list[Row]]:
    batch: list[Row] = []
    characters = 0
    for row in rows:
        batch.append(row)
        characters += len(row.text)
        if len(batch) == size or characters >= CHARACTERS:
            yield batch
            batch, characters = [], 0
    if batch:
        yield batch
