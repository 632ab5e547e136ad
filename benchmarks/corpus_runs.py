"""One `unbarb clean` as a user starts it: seconds, memory, and what kill -9 leaves of it. Linux only."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path

EVERY = 0.2
"""Seconds between two looks at the memory."""
KILOBYTES = 1024


@dataclass(frozen=True, slots=True)
class Ran:
    """Wall seconds of a run, and the peak of what all its processes held together, in MB.

    `pss_mb` counts once what processes share, `rss_mb` once for each of them.
    """

    seconds: float
    pss_mb: float
    rss_mb: float


def command(source: Path, out: Path, *options: str) -> list[str]:
    return [sys.executable, "-m", "unbarb", "clean", str(source), str(out), *options]


def started(words: Sequence[str], log: Path) -> subprocess.Popen[bytes]:
    """The run in a process group of its own, which can be killed whole."""
    with log.open("ab") as told:
        return subprocess.Popen(words, stdout=told, stderr=told, start_new_session=True)


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
    if code:
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


def family(pid: int) -> list[int]:
    """The process, its children and theirs, as many as are alive."""
    found = [pid]
    for one in found:
        with suppress(OSError):
            for task in os.listdir(f"/proc/{one}/task"):
                with suppress(OSError):
                    found += map(int, Path(f"/proc/{one}/task/{task}/children").read_text().split())
    return found


def _held(pid: int) -> tuple[float, float]:
    """Megabytes of a process: its share (PSS), and all that is resident; nothing of one that has ended."""
    try:
        lines = Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()
    except OSError:
        return 0.0, 0.0
    figures = {line.split(":")[0]: line.split() for line in lines[1:]}
    return tuple(int(figures[name][1]) / KILOBYTES for name in ("Pss", "Rss"))  # type: ignore[return-value]


def kill(process: subprocess.Popen[bytes], *, alone: bool) -> list[int]:
    """SIGKILL to the run's first process `alone`, or to all of them; those that there were."""
    members = family(process.pid)
    with suppress(ProcessLookupError):
        if alone:
            process.kill()
        else:
            os.killpg(process.pid, signal.SIGKILL)
    process.wait()
    return members


def alive(pids: Sequence[int]) -> list[int]:
    """Those that run on; one that is dead and not yet waited for does not."""
    found = []
    for pid in pids:
        with suppress(OSError):
            state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
            found += [pid] if state != "Z" else []
    return found


def digests(out: Path) -> dict[str, str]:
    """SHA-256 of every file that a run left, by its name in the folder."""
    return {
        path.relative_to(out).as_posix(): sha256(path.read_bytes()).hexdigest()
        for path in sorted(out.rglob("*"))
        if path.is_file()
    }
