"""Puts events on record: those of many requests in one transaction, in a thread of its own.

While one group is written the next one gathers, so a slow disk costs each request one wait and not a place
in a queue. A request goes on only when its events are durable.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from time import monotonic, perf_counter
from typing import Protocol

from unbarb.audit import Event
from unbarb.audit.protocol import Log
from unbarb.errors import AuditError
from unbarb.serve.errors import AuditFailed
from unbarb.serve.metrics import Meters

log = logging.getLogger("unbarb.serve")

LARGEST = 1000
"""Events of one transaction at most."""
LINGER = 0.05
"""Seconds that events wait at most for others to be written with."""
UNREADY = 5.0
"""Seconds after a failed write for which the service says that it is not ready, and seconds that a write
may take before it says so."""
SLOW = 2.0
"""Seconds that a write may take before what may be spilled is: a database that is locked or does not
answer says so only when the request's own time has run out."""
WAITING = 10_000
"""Requests whose events may wait for a database that does not answer; more fail at once."""


class ClosableLog(Log, Protocol):
    """A record that is closed when the service stops."""

    def close(self) -> None: ...


@dataclass(slots=True, eq=False)
class Entry:
    """Events of one request, and who waits for them."""

    events: Sequence[Event]
    written: asyncio.Future[None]
    spilled: bool = False

    @property
    def may_be_spilled(self) -> bool:
        """Whether the policy allows it, and it was not done yet."""
        return not self.spilled and all(event.rules.on_failure == "spill" for event in self.events)


class Recorder:
    """The one door to the record; without a log, nothing is recorded."""

    def __init__(self, audit: ClosableLog | None, meters: Meters) -> None:
        self._log = audit
        self._meters = meters
        self._entries: list[Entry] = []
        self._pump: asyncio.Task[None] | None = None
        self._failed_at: float | None = None
        self._began: float | None = None
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="unbarb-audit")

    @property
    def failing(self) -> bool:
        """Whether the last write failed a moment ago, or one does not come to an end."""
        now = monotonic()
        failed = self._failed_at is not None and now - self._failed_at < UNREADY
        return failed or (self._began is not None and now - self._began > UNREADY)

    async def record(self, events: Sequence[Event]) -> None:
        """Write `events`; they are written also when the caller is cancelled meanwhile.

        Raises:
            AuditFailed: they could not be written, and their policy does not say to spill them.
        """
        if self._log is None or not events:
            return
        entry = Entry(events, asyncio.get_running_loop().create_future())
        self._add(entry)
        self.start()
        await entry.written

    def later(self, events: Sequence[Event]) -> asyncio.Future[None]:
        """Write `events` along with those that come next, or after `LINGER` seconds.

        Whoever gives anything out awaits the future first; it fails as :meth:`record` does.
        """
        loop = asyncio.get_running_loop()
        written = loop.create_future()
        if self._log is None or not events:
            written.set_result(None)
        else:
            self._add(Entry(events, written))
            loop.call_later(LINGER, self.start)
            # A request may end before it asks; what went wrong is in the log then.
            written.add_done_callback(lambda done: done.cancelled() or done.exception())
        return written

    def _add(self, entry: Entry) -> None:
        if len(self._entries) < WAITING:
            self._entries.append(entry)
        else:
            _settle(entry, _failure())

    def start(self) -> None:
        """Write what waits now."""
        if self._log is not None and self._entries and self._pump is None:
            self._pump = asyncio.get_running_loop().create_task(self._run(self._log))

    async def close(self) -> None:
        """Write what waits, and close the log."""
        self.start()
        if self._pump is not None:
            await asyncio.wait([self._pump])
        if self._log is not None:
            await asyncio.get_running_loop().run_in_executor(self._thread, self._log.close)
        self._thread.shutdown(wait=False)

    async def _run(self, audit: Log) -> None:
        while self._entries:
            entries, events = self._group()
            began, self._began = perf_counter(), monotonic()
            writing = asyncio.ensure_future(self._in_thread(audit.append, events))
            while not (await asyncio.wait([writing], timeout=SLOW))[0]:
                await self._spill_meanwhile(audit, entries)
            try:
                writing.result()
            except AuditError as error:
                self._failed_at = monotonic()
                for entry in entries:
                    await self._not_written(audit, entry, error)
            except Exception as error:  # whatever went wrong, nothing unrecorded leaves
                await self._one_by_one(audit, entries, error)
            else:
                self._failed_at = None
                for entry in entries:
                    _settle(entry, None)
            self._began = None
            self._meters.audit_seconds.observe(perf_counter() - began)
        self._pump = None

    def _group(self) -> tuple[list[Entry], list[Event]]:
        taken: list[Entry] = []
        events: list[Event] = []
        for entry in self._entries:
            if taken and len(events) + len(entry.events) > LARGEST:
                break
            taken.append(entry)
            events.extend(entry.events)
        del self._entries[: len(taken)]
        return taken, events

    async def _one_by_one(self, audit: Log, entries: Sequence[Entry], error: Exception) -> None:
        """An event among them cannot be recorded: the others need not fail with it."""
        if len(entries) == 1:
            await self._not_written(audit, entries[0], error)
            return
        for entry in entries:
            try:
                await self._in_thread(audit.append, entry.events)
            except Exception as again:  # as above
                await self._not_written(audit, entry, again)
            else:
                _settle(entry, None)

    async def _not_written(self, audit: Log, entry: Entry, error: Exception) -> None:
        """Spill the entry where its policy says so; else the request fails."""
        self._meters.audit_failures.inc()
        # The class alone: a database's message may quote what was to be written.
        log.error("the record could not be written: %s", type(error).__name__)
        if entry.may_be_spilled:
            await self._spill(audit, [entry])
        if entry.spilled:
            return
        failure = _failure()
        failure.__cause__ = error
        _settle(entry, failure)

    async def _spill_meanwhile(self, audit: Log, at_work: Sequence[Entry]) -> None:
        """Spill what may be, of what is being written and of what waits behind it.

        An event that is written after all is recorded once: events carry ids.
        """
        found = [entry for entry in (*at_work, *self._entries) if entry.may_be_spilled]
        if found:
            await self._spill(audit, found)
            self._entries = [entry for entry in self._entries if not entry.spilled]

    async def _spill(self, audit: Log, entries: Sequence[Entry]) -> None:
        """Spill entries together; those that could not be are not marked."""
        events = [event for entry in entries for event in entry.events]
        try:
            # Not in the recorder's own thread, which may be waiting for the database.
            await asyncio.to_thread(audit.spill, events)
        except Exception as error:  # the disk failed too
            log.error("nor could it be spilled: %s", type(error).__name__)
            return
        self._meters.spilled.inc(len(events))
        for entry in entries:
            entry.spilled = True
            _settle(entry, None)

    async def _in_thread(self, work: Callable[[Sequence[Event]], object], events: Sequence[Event]) -> None:
        await asyncio.get_running_loop().run_in_executor(self._thread, work, events)


def _failure() -> AuditFailed:
    return AuditFailed(
        "the decision could not be recorded, so it is not given out; try again", retry_after=1
    )


def _settle(entry: Entry, error: Exception | None) -> None:
    if entry.written.done():
        return
    if error is None:
        entry.written.set_result(None)
    else:
        entry.written.set_exception(error)
