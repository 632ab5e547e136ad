"""What ``request`` does: rows in, checked answers out, in order, and an exit code."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, closing
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import Any, TypeVar

from unbarb.cli import job as jobs
from unbarb.cli.job import CLEAN, UNREADABLE, Job
from unbarb.cli.ledger import Ledger
from unbarb.cli.progress import Quietly
from unbarb.cli.request_view import Live, Printed, Tally
from unbarb.cli.rows import Row, Rows
from unbarb.deploy.request.answer import Failure
from unbarb.deploy.request.checked import Checked, Passed
from unbarb.deploy.request.client import Asked, Client
from unbarb.deploy.request.dialects import dialect
from unbarb.deploy.request.http import Http
from unbarb.deploy.request.ordered import in_order
from unbarb.errors import ConfigError, EndpointError, InputError
from unbarb.prompt import BUILT_IN, Template, built_in
from unbarb.wire.address import problems
from unbarb.wire.bodies import value

T = TypeVar("T")

GIVE_UP = 8
"""Texts in a row without an answer for the endpoint's sake, after which it counts as gone."""


@dataclass(frozen=True)
class Asking:
    """The options of a run that say whom to ask, and how; see `unbarb.cli.request`."""

    url: str
    model: str
    dialect: str
    task: str | None
    template: str
    max_tokens: int
    parameters: Mapping[str, str]
    stream: bool
    guard: bool
    key_from: str | None
    ca_file: Path | None
    concurrency: int
    timeout: float
    retries: int
    tensors: Mapping[str, str | None]

    def client(self) -> tuple[Client, Http]:
        """The client, and its connections, which are to be closed.

        Raises:
            ConfigError: options are not valid; all that is wrong with them is told.
        """
        wrong = problems(self.url, self.key_from, "http://localhost:8080")
        if {"?", "#"} & set(self.url):
            wrong.append("url: paths come after it; give it without ? and #")
        made = template = None
        try:
            template = _template(self.template)
            made = dialect(
                self.dialect,
                model=self.model,
                task=self.task,
                parameters={name: _value(given) for name, given in self.parameters.items()},
                max_tokens=self.max_tokens,
                stop=[mark for mark in template.marks if mark.strip()],
                **{name: given for name, given in self.tensors.items() if given is not None},
            )
            made.path(stream=self.stream)
        except ConfigError as error:
            wrong.append(str(error))
        if wrong or made is None:
            raise ConfigError("\n".join(wrong))
        key = os.environ[self.key_from] if self.key_from else None
        http = Http(self.url, key=key, ca=self.ca_file, connections=self.concurrency)
        client = Client(
            made, http, template=template, stream=self.stream, timeout=self.timeout, retries=self.retries
        )
        return client, http

    def digest(self, template: Template, policy: str | None) -> str:
        """What decides an answer, besides its text: a run that is gone on with must have the same."""
        decided = [
            self.dialect, self.task, self.model, template.to_dict(), self.max_tokens,
            dict(sorted(self.parameters.items())), dict(self.tensors), policy,
        ]  # fmt: skip
        return f"sha256:{sha256(json.dumps(decided).encode()).hexdigest()}"


def run(asking: Asking, job: Job) -> int:
    """Ask for every row, and give the exit code.

    Raises:
        UnbarbError: wrong use, or an endpoint that cannot be used.
    """
    if job.resume and not job.output:
        raise InputError("--resume goes on with an output file; give --output FILE too")
    with ExitStack() as stack:
        rows = stack.enter_context(job.rows())
        ledger = stack.enter_context(Ledger(job.output, resume=job.resume)) if job.output else None
        client, http = asking.client()
        stack.callback(http.close)
        guard = jobs.guard_for(job.policy, carry_out=True) if asking.guard else None
        digest = asking.digest(client.template, guard.policy.digest if guard else None)
        run_ = _Run(asking, job, rows, ledger, Checked(guard), digest)
        if not asking.tensors.get("input"):
            run_.told(client.prepare)
        progress = stack.enter_context(jobs.progress_of(job, rows))
        todo = jobs.readable(rows, run_.tally, progress)
        run_.skip_finished(todo)
        live = Live(client, guard, sys.stdout) if asking.stream and job.shows_rows else None
        run_.told(lambda: run_.all(todo, client, live, progress))
        if ledger is not None:
            ledger.finish()
        if not job.quiet:
            print("\n".join(run_.tally.lines()), file=sys.stderr)
        return UNREADABLE if run_.tally.unreadable or run_.tally.failed else CLEAN


class _Run:
    """One run: where its lines go, and what is held back until it is known that the endpoint is there."""

    def __init__(
        self, asking: Asking, job: Job, rows: Rows, ledger: Ledger | None, checked: Checked, digest: str
    ) -> None:
        self._asking, self._job, self._rows, self._ledger = asking, job, rows, ledger
        self._checked, self._digest = checked, digest
        self._held: list[tuple[Row, Failure]] = []
        self._printed = Printed(alone=len(job.texts or ()) == 1)
        self.tally = Tally()

    def told(self, work: Callable[[], T]) -> T:
        """`work`, whose failures may quote the endpoint: those words, too, are checked."""
        try:
            return work()
        except EndpointError as error:
            raise EndpointError(self._checked.message(str(error))) from None

    def skip_finished(self, todo: Iterator[Row]) -> None:
        """Go past the rows that the part file has, making sure that they are the same."""
        for number, line in enumerate(self._ledger.finished() if self._ledger else (), 1):
            assert self._ledger is not None
            row = next(todo, None)
            place = f"{self._ledger.part}:{number}"
            if row is None or row.text != line["original"] or row.id != line.get("id"):
                raise InputError(f"{place}: is of another input; delete it and begin anew")
            if line.get("request") != self._digest:
                raise InputError(f"{place}: was asked for with other options; delete it and begin anew")
            self.tally.finished(line)

    def all(self, todo: Iterator[Row], client: Client, live: Live | None, progress: Quietly) -> None:
        """Every row that is left.

        Raises:
            EndpointError: no text will be answered, or the endpoint is gone.
        """
        if live is not None:
            for row in todo:
                self._printed.head(row)
                self._done([(row, live(row, self.tally))])
            self._release()
            return

        def asked(row: Row) -> Asked | Failure:
            try:
                return client.ask(row.text)
            except Failure as failure:
                if failure.scope == "setup":
                    raise
                return failure

        with ExitStack() as stack:
            answered = stack.enter_context(closing(in_order(todo, asked, self._asking.concurrency)))
            stack.callback(client.stop)  # first, so that nothing that is under way is tried again
            for ready in answered:
                self._done(self._passed(ready))
                progress.moved(self._rows.share, self.tally.texts)
        self._release()

    def _passed(self, ready: list[tuple[Row, Asked | Failure]]) -> list[tuple[Row, Passed | Failure]]:
        """Answers as they may leave, among the failures."""
        answers = [one for _, one in ready if isinstance(one, Asked)]
        for one in answers:
            self.tally.asked(one)
        passed = iter(self._checked([one.answer for one in answers]))
        return [(row, next(passed) if isinstance(one, Asked) else one) for row, one in ready]

    def _done(self, ready: list[tuple[Row, Passed | Failure]]) -> None:
        for row, one in ready:
            if isinstance(one, Failure):
                self._held.append((row, one))
                self._give_up()
                if one.scope == "text":
                    self._release()
            else:
                self._release()
                self.tally.add(one)
                self._write(row, one.to_dict() | {"error": None})
                if self._job.shows_rows and not self._asking.stream:
                    self._printed.row(row, one)
        if self._ledger is not None:
            self._ledger.flush()

    def _give_up(self) -> None:
        """Failures in a row are the endpoint's: what they belong to stays to be asked for again."""
        in_a_row = [failure for _, failure in self._held if failure.scope == "endpoint"]
        if len(in_a_row) >= GIVE_UP:
            raise EndpointError(
                f"{len(in_a_row)} texts in a row got no answer, the last: {in_a_row[-1]}{self._job.kept}"
            )

    def _release(self) -> None:
        """What was held back was not the endpoint's end: write it down."""
        for row, failure in self._held:
            message = self._checked.message(str(failure))
            self.tally.failed += 1
            print(f"unbarb: {row.place}: {message}", file=sys.stderr)
            nothing = Passed(None, verified=False).to_dict()
            self._write(row, nothing | {"error": {"status": failure.status, "message": message}})
        self._held.clear()

    def _write(self, row: Row, told: Mapping[str, Any]) -> None:
        if not self._job.json and self._ledger is None:
            return
        line = {"schema": 1, "id": row.id, "original": row.text, "request": self._digest, **told}
        written = json.dumps(line, ensure_ascii=False)
        if self._ledger is not None:
            self._ledger.write(written)
        if self._job.json:
            sys.stdout.buffer.write(written.encode() + b"\n")
            sys.stdout.buffer.flush()


def _template(name: str) -> Template:
    return built_in(name) if name in BUILT_IN or not Path(name).is_dir() else Template.load(Path(name))


def _value(given: str) -> Any:
    """A parameter's value: JSON where it is such, else the words themselves."""
    try:
        return value(given, constants=False)
    except ValueError:
        return given
