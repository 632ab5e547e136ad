"""The local engine: shards side by side in processes of this machine that share nothing."""

from __future__ import annotations

import os
import signal
import threading
from collections.abc import Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager
from multiprocessing import active_children, connection, get_context, parent_process
from typing import Any

from unbarb.corpus.plan import Shard
from unbarb.corpus.settings import Settings
from unbarb.corpus.shard import Moved, ShardDone, clean_shard
from unbarb.corpus.stage import CleanRows
from unbarb.errors import InputError

DEATHS = 3
"""So often workers may die before the run gives up."""
POLL = 0.2
"""Seconds between two looks at how far the workers are."""
ONE_THREAD = dict.fromkeys(
    ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "VECLIB_MAXIMUM_THREADS"), "1"
)
"""Environment of a process whose libraries calculate with one thread."""


def run_local(
    shards: Sequence[Shard], settings: Settings, workers: int, cleaner: CleanRows, moved: Moved
) -> Iterator[ShardDone]:
    """Do the shards, in any order; what comes of each as it is done.

    One worker works in this process, more are processes of their own with one thread each.

    Raises:
        InputError: a shard cannot be read or written, or workers die again and again.
    """
    if workers == 1 or len(shards) < 2:
        for shard in shards:
            yield clean_shard(shard, settings, cleaner, moved)
        return
    todo = {shard.number: shard for shard in shards}
    deaths = 0
    while todo:
        try:
            for done in _pooled(list(todo.values()), settings, min(workers, len(todo)), moved):
                del todo[done.number]
                yield done
        except BrokenProcessPool as error:
            deaths += 1
            if deaths == DEATHS:
                raise InputError(
                    f"workers died {deaths} times before their shards were done; give them more memory or"
                    " take fewer (--workers). A script that calls clean() must do it under"
                    ' `if __name__ == "__main__":`'
                ) from error


def _pooled(shards: Sequence[Shard], settings: Settings, workers: int, moved: Moved) -> Iterator[ShardDone]:
    context = get_context("spawn")
    rows, size = context.Value("q", 0), context.Value("q", 0)
    others = active_children()
    with (
        _one_thread_each(),
        ProcessPoolExecutor(workers, context, initializer=_start, initargs=(settings, rows, size)) as pool,
    ):
        waiting: set[Future[ShardDone]] = {pool.submit(_do, shard) for shard in shards}
        seen = (0, 0)
        try:
            while waiting:
                done, waiting = wait(waiting, POLL, FIRST_COMPLETED)
                now = (rows.value, size.value)
                if now != seen:
                    moved(now[0] - seen[0], now[1] - seen[1])
                    seen = now
                for future in done:
                    yield future.result()
        except BaseException:
            # Nobody waits for what is half done: it is done again when the run goes on.
            for process in active_children():
                if process not in others:
                    process.terminate()
            pool.shutdown(cancel_futures=True)
            raise


@contextmanager
def _one_thread_each() -> Iterator[None]:
    """Let processes that are started meanwhile calculate with one thread each."""
    before = {name: os.environ.get(name) for name in ONE_THREAD}
    os.environ.update(ONE_THREAD)
    try:
        yield
    finally:
        for name, value in before.items():
            if value is None:
                del os.environ[name]
            else:
                os.environ[name] = value


_worker: dict[str, Any] = {}
"""What a worker process was started with."""


def _start(settings: Settings, rows: Any, size: Any) -> None:
    # Ctrl-C is the parent's to answer; a parent that was killed takes its workers along.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    threading.Thread(target=_end_with_parent, daemon=True).start()

    def moved(more_rows: int, more_size: int) -> None:
        for counter, more in ((rows, more_rows), (size, more_size)):
            with counter.get_lock():
                counter.value += more

    _worker.update(settings=settings, cleaner=CleanRows.of(settings), moved=moved)


def _end_with_parent() -> None:
    parent = parent_process()
    if parent is not None:
        connection.wait([parent.sentinel])
        os._exit(1)


def _do(shard: Shard) -> ShardDone:
    return clean_shard(shard, **_worker)
