"""Texts of many requests, judged together in a thread of their own.

A batch holds texts of one guard and one direction, and no text's verdict depends on the others, so a
request's answer is the same alone or in company. While a batch is worked on the next one gathers; an idle
lane waits its window only when the last batch was shared, so that a lone request waits for nobody.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextvars import ContextVar
from dataclasses import dataclass, field
from math import ceil
from time import perf_counter
from typing import Any, NamedTuple, Protocol

from unbarb.errors import DetectionError
from unbarb.guard import Guard
from unbarb.serve.errors import Draining, Overloaded
from unbarb.text import Direction, Verdict

CHARACTERS = 200_000
"""A batch ends at so many characters, however few its texts."""
LONGEST_WAIT = 30
"""Seconds after which a refused caller is told to come again, at most: what waits now is done or given up
by then, and how long it takes is a guess from the texts before."""


class Meter(Protocol):
    """What a lane tells of itself."""

    def queued(self, lane: str, texts: int) -> None: ...

    def waited(self, lane: str, seconds: float) -> None: ...

    def batched(self, lane: str, texts: int, seconds: float) -> None: ...


class Judged(Protocol):
    """Anything with a text: an :class:`Item`, or a piece of a stream."""

    @property
    def text(self) -> str: ...


class Item(NamedTuple):
    """A text with its id and its context."""

    text: str
    id: str | None = None
    context: str | None = None


Work = Callable[[Guard, Sequence[Any], Direction], Sequence[Verdict]]
"""Judges items of one direction; verdicts in order, each independent of the other items."""


def cut(items: Sequence[Judged], most: int) -> list[Sequence[Judged]]:
    """The items in parts of at most `most`, and of about `CHARACTERS` characters."""
    parts, start, characters = [], 0, 0
    for at, item in enumerate(items):
        if at > start and (at - start == most or characters + len(item.text) > CHARACTERS):
            parts.append(items[start:at])
            start, characters = at, 0
        characters += len(item.text)
    return [*parts, items[start:]] if parts else [items]


@dataclass(slots=True, eq=False)
class Job:
    """Items that wait, and where their verdicts go."""

    guard: Guard
    items: Sequence[Judged]
    direction: Direction
    verdicts: asyncio.Future[list[Verdict]]
    since: float = field(default_factory=perf_counter)

    @property
    def characters(self) -> int:
        return sum(len(item.text) for item in self.items)

    def fits(self, other: Job) -> bool:
        """Whether the two may share a batch."""
        return self.guard is other.guard and self.direction == other.direction


class Abandoned(BaseException):
    """Nobody waits for the work any more; no handler of a plug-in's errors is to keep it going."""


_AT_WORK: ContextVar[Sequence[Job]] = ContextVar("jobs", default=())


def give_up_unawaited() -> None:
    """Called between the steps of the work in hand: stop it when nobody waits for any of it.

    One long text may take longer than its deadline, and would keep everybody else waiting.

    Raises:
        Abandoned: every job of the batch was cancelled.
    """
    jobs = _AT_WORK.get()
    if jobs and all(job.verdicts.done() for job in jobs):
        raise Abandoned


class Lane:
    """One kind of work: a bounded queue and one worker thread.

    Args:
        name: for the metrics.
        work: what is done with a batch, in the thread.
        window: seconds that a shared lane waits for company.
        batch: texts of one batch at most.
        queue: texts that may wait.
    """

    def __init__(
        self, name: str, work: Work, meter: Meter, *, window: float, batch: int, queue: int
    ) -> None:
        self.name = name
        self._work = work
        self._meter = meter
        self._window, self._batch, self._queue = window, batch, queue
        self._jobs: deque[Job] = deque()
        self._waiting = 0
        self._shared = False
        self._pace = 0.005
        self._pump: asyncio.Task[None] | None = None
        self._closed = False
        self._thread = ThreadPoolExecutor(1, thread_name_prefix=f"unbarb-{name}")

    async def submit(
        self, guard: Guard, items: Sequence[Judged], direction: Direction = "none"
    ) -> list[Verdict]:
        """The verdicts of `items`, in order. A cancelled call is dropped from the queue.

        Raises:
            Overloaded: the queue is full.
            Draining: the lane was closed.
        """
        if self._closed:
            raise Draining("the service is stopping; ask another replica")
        if self._waiting + len(items) > self._queue:
            wait = min(LONGEST_WAIT, max(1, ceil(self._waiting * self._pace)))
            raise Overloaded(
                f"{self._waiting} texts are waiting and no more than {self._queue} may;"
                f" try again in {wait} seconds",
                retry_after=wait,
            )
        if not items:
            return []
        loop = asyncio.get_running_loop()
        jobs = [Job(guard, part, direction, loop.create_future()) for part in cut(items, self._batch)]
        for job in jobs:
            self._jobs.append(job)
        self._changed(len(items))
        if self._pump is None:
            self._pump = loop.create_task(self._run())
        if len(jobs) == 1:
            return await jobs[0].verdicts
        return [
            verdict for part in await asyncio.gather(*(job.verdicts for job in jobs)) for verdict in part
        ]

    async def close(self) -> None:
        """Finish what is queued and stop the thread."""
        self._closed = True
        if self._pump is not None:
            await asyncio.wait([self._pump])
        self._thread.shutdown(wait=False)

    async def _run(self) -> None:
        loop = asyncio.get_running_loop()
        # A turn of the loop, so that requests that are already here come along.
        await asyncio.sleep(self._window if self._shared else 0)
        while jobs := self._next():
            began = perf_counter()
            for job in jobs:
                self._meter.waited(self.name, began - job.since)
            results = await loop.run_in_executor(self._thread, self._done, jobs)
            for job, result in zip(jobs, results, strict=True):
                if job.verdicts.done():
                    continue
                if isinstance(result, Exception):
                    job.verdicts.set_exception(result)
                else:
                    job.verdicts.set_result(result)
            texts = sum(len(job.items) for job in jobs)
            seconds = perf_counter() - began
            self._shared = len(jobs) > 1
            self._pace += 0.2 * (seconds / texts - self._pace)
            self._meter.batched(self.name, texts, seconds)
        self._pump = None

    def _next(self) -> list[Job]:
        """The oldest job and those that fit it, up to a full batch; jobs nobody waits for are dropped."""
        chosen: list[Job] = []
        left: deque[Job] = deque()
        taken = texts = characters = 0
        while self._jobs:
            job = self._jobs.popleft()
            if job.verdicts.done():
                taken += len(job.items)
            elif not chosen or (
                job.fits(chosen[0])
                and texts + len(job.items) <= self._batch
                and characters + job.characters <= CHARACTERS
            ):
                chosen.append(job)
                texts += len(job.items)
                characters += job.characters
            else:
                left.append(job)
            if texts == self._batch:
                break
        left.extend(self._jobs)
        self._jobs = left
        self._changed(-texts - taken)
        return chosen

    def _done(self, jobs: Sequence[Job]) -> list[list[Verdict] | Exception]:
        """In the thread: the verdicts of each job, or what went wrong with it."""
        items = [item for job in jobs for item in job.items]
        _AT_WORK.set(jobs)
        try:
            verdicts = list(self._work(jobs[0].guard, items, jobs[0].direction))
            if len(verdicts) != len(items):
                raise DetectionError(f"{len(verdicts)} verdicts for {len(items)} texts; each needs one")
        except Abandoned:
            return [DetectionError("nobody waits for it")] * len(jobs)
        except BaseException as error:  # a plug-in may raise anything, and the lane must go on
            if len(jobs) > 1:  # one request's trouble is not another's
                return [result for job in jobs for result in self._done([job])]
            if isinstance(error, Exception) and not isinstance(error, StopIteration):
                return [error]
            # What a future cannot hold, or would end the process.
            return [DetectionError(f"{type(error).__name__} was raised")]
        given = iter(verdicts)
        return [[next(given) for _ in job.items] for job in jobs]

    def _changed(self, by: int) -> None:
        self._waiting += by
        self._meter.queued(self.name, self._waiting)
