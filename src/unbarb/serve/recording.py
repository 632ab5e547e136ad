"""Puts events on record: those of many requests in one transaction, in a thread of its own.

While one group is written the next one gathers, so a slow disk costs each request one wait and not a place
in a queue. A request goes on only when its events are durable.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from time import monotonic, perf_counter
from typing import Protocol

from unbarb.audit import Event
from unbarb.serve.errors import AuditFailed
from unbarb.serve.metrics import Meters

log = logging.getLogger("unbarb.serve")

LARGEST = 1000
"""Events of one transaction at most."""
UNREADY = 5.0
"""Seconds after a failed write for which the service says that it is not ready."""


class Log(Protocol):
    """What a record must do: `unbarb.audit.AuditLog` does it."""

    def append(self, events: Sequence[Event]) -> list[int]:
        """Write the events in one transaction; durable when it returns."""
        ...

    def close(self) -> None: ...


@dataclass(slots=True, eq=False)
class Entry:
    """Events of one request, and who waits for them."""

    events: Sequence[Event]
    written: asyncio.Future[None]


class Recorder:
    """The one door to the record; without a log, nothing is recorded."""

    def __init__(self, audit: Log | None, meters: Meters) -> None:
        self._log = audit
        self._meters = meters
        self._entries: list[Entry] = []
        self._pump: asyncio.Task[None] | None = None
        self._failed_at: float | None = None
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="unbarb-audit")

    @property
    def failing(self) -> bool:
        """Whether the last write failed, a moment ago."""
        return self._failed_at is not None and monotonic() - self._failed_at < UNREADY

    async def record(self, events: Sequence[Event]) -> None:
        """Write `events`; they are written also when the caller is cancelled meanwhile.

        Raises:
            AuditFailed: they could not be written, and their policy does not say to spill them.
        """
        if self._log is None or not events:
            return
        loop = asyncio.get_running_loop()
        entry = Entry(events, loop.create_future())
        self._entries.append(entry)
        if self._pump is None:
            self._pump = loop.create_task(self._run(self._log))
        await entry.written

    async def close(self) -> None:
        """Write what waits, and close the log."""
        if self._pump is not None:
            await asyncio.wait([self._pump])
        if self._log is not None:
            await asyncio.get_running_loop().run_in_executor(self._thread, self._log.close)
        self._thread.shutdown(wait=False)

    async def _run(self, audit: Log) -> None:
        loop = asyncio.get_running_loop()
        while self._entries:
            entries, events = self._group()
            began = perf_counter()
            try:
                await loop.run_in_executor(self._thread, audit.append, events)
            except Exception as error:  # whatever went wrong, nothing unrecorded leaves
                await self._one_by_one(audit, entries, error)
            else:
                self._failed_at = None
                for entry in entries:
                    _settle(entry, None)
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
        """After a failed group: each entry alone, for one request's trouble is not another's.

        An event has an id of its own, so one that was written after all is not written twice.
        """
        if len(entries) == 1:
            self._failed(entries[0], error)
            return
        loop = asyncio.get_running_loop()
        for entry in entries:
            try:
                await loop.run_in_executor(self._thread, audit.append, entry.events)
            except Exception as again:  # as above
                self._failed(entry, again)
            else:
                _settle(entry, None)

    def _failed(self, entry: Entry, error: Exception) -> None:
        self._failed_at = monotonic()
        self._meters.audit_failures.inc()
        # The class alone: a database's message may quote what was to be written.
        log.error("the record could not be written: %s", type(error).__name__)
        failure = AuditFailed(
            "the decision could not be recorded, so it is not given out; try again", retry_after=1
        )
        failure.__cause__ = error
        _settle(entry, failure)


def _settle(entry: Entry, error: Exception | None) -> None:
    if entry.written.done():
        return
    if error is None:
        entry.written.set_result(None)
    else:
        entry.written.set_exception(error)
