"""The faults of the soak, when each happened, and what the service's processes hold meanwhile."""

from __future__ import annotations

import os
import signal
import statistics
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from random import Random
from typing import Self

from soak_turn import Turn

from postgres import Postgres

HERE = Path(__file__).parent
WORKERS = 2
GRACE = 2.0
"""Seconds after a fault for which it still explains what fails."""
MORE, FILES = 1.05, 10
"""By what memory and open files may differ between two thirds of a run and still count as flat."""
CALM = 8.0
"""Seconds at the end in which no fault begins."""
STARTED = "Application startup complete."
"""What a worker logs when it takes requests."""
KINDS = ("database fast", "worker", "database immediate", "upstream", "worker without database")


@dataclass
class Fault:
    """One fault: its kind, when it began and was over (monotonic seconds), and when the worker was back."""

    kind: str
    began: float
    ended: float
    back: float | None = None

    def during(self, began: float, ended: float) -> bool:
        """Whether a request of this time may have felt it."""
        return began <= self.ended + GRACE and ended >= self.began


class Stand:
    """The service, its upstream and its database, each a process that can be made to fail."""

    def __init__(self, command: Sequence[str], folder: str, upstream: int, postgres: Postgres) -> None:
        self.postgres = postgres
        self._port, self._upstream = upstream, _upstream(upstream)
        self._log = Path(folder, "server.log")
        with self._log.open("wb") as log:
            variables = {**os.environ, "OMP_NUM_THREADS": "1"}
            self.service = subprocess.Popen(command, cwd=folder, env=variables, stdout=log, stderr=log)
        until = time.monotonic() + 120
        while self._starts() < WORKERS:
            if self.service.poll() is not None or time.monotonic() > until:
                raise SystemExit(f"the service did not start: {self.log}")
            time.sleep(0.1)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._upstream.kill()
        self._upstream.wait()
        self.service.terminate()  # not killed: a supervisor takes its workers along
        self.service.wait(60)

    @property
    def log(self) -> str:
        """All that the service has logged."""
        return self._log.read_text("utf-8", "replace")

    @property
    def workers(self) -> list[int]:
        """The workers' process ids, the oldest first."""
        found = [one for one in tree(self.service.pid) if "spawn_main" in _read(one, "cmdline")]
        return sorted(found, key=lambda one: int(_read(one, "stat").rpartition(")")[2].split()[19] or 0))

    def fail(self, kind: str, random: Random) -> Fault:
        """Make it happen, and wait until it is over."""
        began, starts = time.monotonic(), self._starts()
        pause = random.uniform(0.3, 1.5)
        if "database" in kind:
            self.postgres.stop("fast" if kind == "database fast" else "immediate")
        if kind.startswith("worker"):
            # Always the youngest: the oldest lives through all of it, so that it shows what is left behind.
            os.kill(self.workers[-1], signal.SIGKILL)
            pause += 3.0 if "database" in kind else 0.0
        if kind == "upstream":
            self._upstream.kill()
            self._upstream.wait()
        time.sleep(pause)
        if kind == "upstream":
            self._upstream = _upstream(self._port)
        if "database" in kind:
            self.postgres.start()
        ended = time.monotonic()
        back = self._back(starts) if kind.startswith("worker") else None
        return Fault(kind, began, ended, back)

    def _back(self, starts: int) -> float | None:
        """When the new worker took requests; None where it did not within a minute."""
        until = time.monotonic() + 60
        while time.monotonic() < until and self.service.poll() is None:
            if self._starts() > starts:
                return time.monotonic()
            time.sleep(0.1)
        return None

    def _starts(self) -> int:
        return self.log.count(STARTED)


def _upstream(port: int) -> subprocess.Popen[bytes]:
    return subprocess.Popen([sys.executable, str(HERE / "soak_upstream.py"), str(port)])


def schedule(seconds: float, seed: int) -> Iterator[tuple[float, str, Random]]:
    """After how many calm seconds which fault comes: every kind in turn, then again in another order."""
    random, kinds = Random(seed), list(KINDS)
    calm = (3.0, 5.0) if seconds < 120 else (6.0, 14.0)
    while True:
        for kind in kinds:
            yield random.uniform(*calm), kind, Random(random.random())
        random.shuffle(kinds)


def inflict(stand: Stand, seconds: float, seed: int) -> list[Fault]:
    """Follow the schedule, with a calm end; give what happened. It ends early where the service does."""
    until, faults = time.monotonic() + seconds - CALM, []
    for pause, kind, random in schedule(seconds, seed):
        time.sleep(max(0.0, min(pause, until - time.monotonic())))
        if stand.service.poll() is not None or time.monotonic() >= until:
            break
        faults.append(stand.fail(kind, random))
        print(*asdict(faults[-1]).values(), flush=True)
    return faults


class Memory:
    """What the service holds, each second.

    Of all its processes together megabytes, where what they share counts once (PSS); of its oldest worker
    alone megabytes resident, and open files.
    """

    def __init__(self, stand: Stand) -> None:
        self._stand = stand
        self._oldest = stand.workers[0]
        self._over = threading.Event()
        self.samples: list[dict[str, float]] = []

    @contextmanager
    def watched(self) -> Iterator[None]:
        thread = threading.Thread(target=self._watch)
        thread.start()
        try:
            yield
        finally:
            self._over.set()
            thread.join()

    def _watch(self) -> None:
        while not self._over.wait(1.0):
            processes = tree(self._stand.service.pid)
            if len(self._stand.workers) < WORKERS or self._oldest not in processes:
                continue
            self.samples.append(
                {
                    "all_mb": sum(_megabytes(one, "smaps_rollup", "Pss:") for one in processes),
                    "oldest_mb": _megabytes(self._oldest, "status", "VmRSS:"),
                    "oldest_files": len(os.listdir(f"/proc/{self._oldest}/fd")),
                }
            )

    def thirds(self) -> dict[str, dict[str, float]]:
        """The second and the last third of the samples: of all together the peak, else the median.

        A median of all would tell mostly for how long a worker had been dead.
        """
        size = len(self.samples) // 3
        parts = {"middle": self.samples[size : 2 * size], "last": self.samples[2 * size :]}
        measures: dict[str, Callable[[Iterable[float]], float]] = {
            "all_mb": max,
            "oldest_mb": statistics.median,
            "oldest_files": statistics.median,
        }
        return {
            name: {which: round(of(one[name] for one in part), 1) for which, part in parts.items() if part}
            for name, of in measures.items()
        }

    @property
    def flat(self) -> bool:
        """Whether the last third is as the second, but for `MORE` of memory and `FILES` open files."""
        thirds = self.thirds()
        return all(thirds.values()) and all(
            one["last"] <= (one["middle"] + FILES if name == "oldest_files" else one["middle"] * MORE)
            for name, one in thirds.items()
        )


def tree(process: int) -> list[int]:
    """A process and all that descend from it."""
    children = _read(process, f"task/{process}/children").split()
    return [process, *(one for child in children for one in tree(int(child)))]


def _megabytes(process: int, file: str, name: str) -> float:
    line = next((one for one in _read(process, file).splitlines() if one.startswith(name)), f"{name} 0 kB")
    return int(line.split()[1]) / 1024


def _read(process: int, name: str) -> str:
    """A file of /proc; empty where the process is gone."""
    try:
        return Path(f"/proc/{process}/{name}").read_text("utf-8", "replace")
    except OSError:
        return ""


def causes(faults: Sequence[Fault], turn: Turn) -> Iterator[str]:
    """What explains that a request failed; nothing where it ought not to have.

    Each kind of fault explains only what it can cause: a database the failures of the record, a killed
    worker broken connections, an upstream the failures of chats.
    """
    error, status, chat = turn.error or "", turn.status, _chats(turn)
    recording = error in ("audit_failed", "deadline_exceeded") or (
        turn.kind == "perspective" and status in (503, 504)
    )
    for fault in faults:
        if not fault.during(turn.began, turn.ended):
            continue
        if "database" in fault.kind and recording:
            yield fault.kind
        if fault.kind.startswith("worker") and turn.failure:
            yield fault.kind
        if fault.kind == "upstream" and chat and error.startswith("upstream_"):
            yield fault.kind
    if chat and turn.way != "well" and (error.startswith("upstream_") or error == "fell_over"):
        yield f"upstream {turn.way}"
    if status in (429, 503) and error in ("overloaded", "rate_limited", "429") and turn.retry_after:
        yield "back-pressure"


def _chats(turn: Turn) -> bool:
    return turn.received is not None or turn.kind.startswith("chat")
