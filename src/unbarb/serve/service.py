"""What all requests of one process share: policies, lanes, the record, keys, limits and figures."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path

from unbarb.audit import AuditLog, Event
from unbarb.errors import ConfigError
from unbarb.guard import Guard
from unbarb.serve.batching import Item, Lane, Work, give_up_unawaited
from unbarb.serve.errors import AuditFailed
from unbarb.serve.keys import Key, read
from unbarb.serve.limits import Limits
from unbarb.serve.metrics import Meters
from unbarb.serve.policies import Change, Policies
from unbarb.serve.recording import ClosableLog, Recorder
from unbarb.serve.settings import Settings
from unbarb.serve.telemetry import Tracing
from unbarb.stream import Piece, judge
from unbarb.text import Direction, Verdict

log = logging.getLogger("unbarb.serve")


def _checked(guard: Guard, items: Sequence[Item], direction: Direction) -> Sequence[Verdict]:
    texts, ids, context = zip(*items, strict=True)
    return guard.check_batch(texts, ids=ids, direction=direction, context=context)


def _rewritten(guard: Guard, items: Sequence[Item], direction: Direction) -> Sequence[Verdict]:
    texts, ids, context = zip(*items, strict=True)
    return guard.batch(texts, ids=ids, direction=direction, context=context)


def _streamed(guard: Guard, pieces: Sequence[Piece], direction: Direction) -> Sequence[Verdict]:
    return judge(guard, pieces, direction=direction)


LANES: Mapping[str, Work] = {"check": _checked, "rewrite": _rewritten, "stream": _streamed}
"""Kinds of work, each with a queue and a thread: a long rewriting keeps no check waiting."""


class Service:
    """Everything behind the routes.

    Args:
        settings: what it is told to be.
        audit: another record than the one that the settings name.

    Raises:
        ConfigError: the default policy or the keys are not valid.
        AuditError: the record cannot be opened.
    """

    def __init__(self, settings: Settings, audit: ClosableLog | None = None) -> None:
        self.settings = settings
        self.meters = Meters()
        self.tracing = Tracing.on() if settings.telemetry else Tracing()
        self.keys: dict[str, Key] | None = None if settings.keys is None else read(settings.keys)
        self.limits = Limits(settings.rate, share=settings.workers)
        self.policies = Policies(
            settings.policy, settings.policies, threads=settings.threads_each, timer=self._step
        )
        if audit is None and settings.audit is not None:
            audit = AuditLog.open(settings.audit, keys=settings.audit_keys)
        self.recorder = Recorder(audit, self.meters)
        shape = {"batch": settings.batch, "queue": settings.queue}
        self.lanes = {
            name: Lane(name, work, self.meters, window=settings.window, **shape)
            for name, work in LANES.items()
        }
        self.draining = False
        self._unrecorded: list[Event] = []
        self._keys_seen = _signature(settings.keys)
        self._watching: asyncio.Task[None] | None = None

    def _step(self, name: str, seconds: float) -> None:
        """A step of a guard is done: count it, and see whether the next one is still wanted."""
        self.meters.step(name, seconds)
        give_up_unawaited()

    @property
    def unready(self) -> list[str]:
        """Why the service should get no requests now; empty when it should."""
        reasons = ["draining"] if self.draining else []
        return reasons + (["the record cannot be written"] if self.recorder.failing else [])

    async def start(self) -> None:
        """Put the policies in force on record and begin to watch the files.

        A worker that starts while the record cannot be written puts them there later: where it failed,
        the whole service would stop with it.
        """
        with suppress(AuditFailed):  # the recorder has logged it
            await self._told(self.policies.started)
        self._watching = asyncio.create_task(self._watch())

    async def stop(self) -> None:
        """Finish what is queued, write what is to be recorded, close the record."""
        self.draining = True
        if self._watching is not None:
            self._watching.cancel()
            await asyncio.wait([self._watching])
        for lane in self.lanes.values():
            await lane.close()
        with suppress(AuditFailed):  # the last chance is gone, and the recorder has logged it
            await self._told([])
        await self.recorder.close()

    async def refresh(self) -> None:
        """Read keys and policies that changed on disk; a revoked key waits for no record."""
        await asyncio.to_thread(self._refresh_keys)
        await self._told(await asyncio.to_thread(self.policies.refresh))

    async def _watch(self) -> None:
        while True:
            await asyncio.sleep(self.settings.reload)
            try:
                await self.refresh()
            except Exception as error:  # the watch must not end while the service lives
                log.error("reading policies and keys again failed: %s", type(error).__name__)

    async def _told(self, changes: Sequence[Change]) -> None:
        """Log, count and record what happened to policies; what cannot be recorded now is so next time."""
        for change in changes:
            self.meters.reloads.labels("policy", change.outcome).inc()
            if change.outcome == "refused":
                log.error("policy %s stays as it was: %s", change.name, change.reason)
            else:
                log.info("policy %s %s (%s)", change.name, change.outcome, change.after or change.before)
            self._unrecorded.append(self._event(change))
        if events := list(self._unrecorded):
            await self.recorder.record(events)
            self._unrecorded = [event for event in self._unrecorded if event not in events]

    def _event(self, change: Change) -> Event:
        if change.outcome in ("loaded", "changed"):
            return Event.policy_change(self.policies.get(change.name).policy, before=change.before)
        return Event.admin(f"policy {change.outcome}", {"name": change.name, "digest": change.before})

    def _refresh_keys(self) -> None:
        path = self.settings.keys
        signature = _signature(path)
        if path is None or signature == self._keys_seen:
            return
        self._keys_seen = signature
        before = self.keys or {}
        try:
            self.keys = after = read(path)
        except ConfigError as error:
            self.meters.reloads.labels("keys", "refused").inc()
            log.error("keys stay as they were: %s", error)
            return
        self.meters.reloads.labels("keys", "changed").inc()
        log.info("keys read again: %d", len(after))
        differ = {
            "added": sorted(after.keys() - before.keys()),
            "changed": sorted(name for name in after.keys() & before.keys() if after[name] != before[name]),
            "gone": sorted(before.keys() - after.keys()),
        }
        if any(differ.values()):
            self._unrecorded.append(Event.admin("API keys changed", differ))


def _signature(path: Path | None) -> tuple[int, int, int] | None:
    try:
        stat = path.stat() if path is not None else None
    except OSError:
        return None
    return stat and (stat.st_mtime_ns, stat.st_size, stat.st_ino)
