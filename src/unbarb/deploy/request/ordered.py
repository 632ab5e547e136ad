"""Many at a time, in order: bounded in requests under way and in answers that wait."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Generator, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from typing import TypeVar

T = TypeVar("T")
R = TypeVar("R")

AHEAD = 4
"""Texts read ahead for each worker: a slow answer holds nobody up until so many wait behind it."""
TOGETHER = 64


def in_order(items: Iterator[T], work: Callable[[T], R], workers: int) -> Generator[list[tuple[T, R]]]:
    """What `work` makes of the items, in their order, as many at once as are ready (at most `TOGETHER`).

    Closing the iterator early starts nothing more and waits for what is under way.

    Raises:
        Exception: what `work` raised for an item, when all before it have been given out.
    """
    under_way: deque[tuple[T, Future[R]]] = deque()
    pool = ThreadPoolExecutor(workers, thread_name_prefix="request")

    def fill() -> None:
        while len(under_way) < workers * AHEAD:
            try:
                item = next(items)
            except StopIteration:
                return
            under_way.append((item, pool.submit(work, item)))

    try:
        fill()
        while under_way:
            ready: list[tuple[T, R]] = []
            while under_way and len(ready) < TOGETHER and (not ready or under_way[0][1].done()):
                item, future = under_way[0]
                if ready and future.exception() is not None:
                    break  # first what came before it
                ready.append((item, future.result()))
                under_way.popleft()
            yield ready
            fill()
    finally:
        pool.shutdown(cancel_futures=True)
