"""`unbarb clean` as a user starts it: wall seconds, and the memory of all its processes. Linux only."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import threading
import time
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from random import Random

sys.path.insert(0, str(Path(__file__).parent.parent / "tests"))

from clean_runs import command, family, started

EVERY = 1.0
"""Seconds between two looks at the memory, which take some milliseconds a process."""
SOON = 0.2
WORKER = b"ray::MapWorker"
"""How Ray calls a process that cleans."""
UNREADABLE = 3


@dataclass(frozen=True, slots=True)
class Ran:
    """Wall seconds of a run, and the peak of what all its processes held together, in MB.

    `pss_mb` counts once what processes share, `rss_mb` once for each of them.
    """

    seconds: float
    pss_mb: int
    rss_mb: int


def run(source: Path, out: Path, *options: str) -> Ran:
    """A run from nothing to its end.

    Raises:
        SystemExit: it failed.
    """
    shutil.rmtree(out, ignore_errors=True)
    log = out.with_name(f"{out.name}.log")
    began = time.perf_counter()
    process = started(command(source, out, *options), log)
    peak = Peak(process.pid)
    code = process.wait()
    seconds = time.perf_counter() - began
    peak.stop()
    if code not in (0, UNREADABLE):
        raise SystemExit(f"unbarb clean ended with {code}:\n{log.read_text()[-2000:]}")
    return Ran(round(seconds, 2), round(peak.pss), round(peak.rss))


class Peak:
    """Watches a process and all that came of it, and keeps the largest sums, in MB."""

    def __init__(self, pid: int) -> None:
        self.pss = self.rss = 0.0
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._watch, args=(pid,), daemon=True)
        self._thread.start()

    def stop(self) -> None:
        self._over.set()
        self._thread.join()

    def _watch(self, pid: int) -> None:
        while not self._over.wait(EVERY):
            held = [_held(one) for one in family(pid)]
            self.pss = max(self.pss, sum(pss for pss, _ in held))
            self.rss = max(self.rss, sum(rss for _, rss in held))


def _held(pid: int) -> tuple[float, float]:
    """Megabytes of a process: its share (PSS), and all that is resident; nothing of one that has ended."""
    try:
        lines = Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()
    except OSError:
        return 0.0, 0.0
    kilobytes = {name: int(line.split()[1]) for line in lines[1:] for name in [line.split(":")[0]]}
    return kilobytes["Pss"] / 1024, kilobytes["Rss"] / 1024


def run_killing_workers(
    source: Path, out: Path, kills: int, longest: float, random: Random, *options: str
) -> tuple[int, int]:
    """A run on Ray of which workers are killed at random moments: how many were, and its exit code.

    Args:
        longest: seconds within which all the moments lie, from the first worker on.
    """
    shutil.rmtree(out, ignore_errors=True)
    process = started(command(source, out, "--engine", "ray", *options), out.with_name(f"{out.name}.log"))
    _workers(process)
    began, done = time.perf_counter(), 0
    for moment in sorted(random.uniform(0, longest) for _ in range(kills)):
        _pause(process, max(0.0, moment - (time.perf_counter() - began)))
        if workers := _workers(process):
            with suppress(ProcessLookupError):
                os.kill(random.choice(workers), signal.SIGKILL)
                done += 1
    return done, process.wait()


def _workers(process: subprocess.Popen[bytes]) -> list[int]:
    """The run's workers, waited for while there are none; empty when it has ended."""
    while process.poll() is None:
        if found := _cleaning(process.pid):
            return found
        _pause(process, SOON)
    return []


def _cleaning(pid: int) -> list[int]:
    """The processes of Ray that clean, of the run `pid`."""
    found = []
    for one in family(pid):
        with suppress(OSError):
            if Path(f"/proc/{one}/cmdline").read_bytes().startswith(WORKER):
                found.append(one)
    return found


def _pause(process: subprocess.Popen[bytes], seconds: float) -> None:
    with suppress(subprocess.TimeoutExpired):
        process.wait(seconds)
