"""`unbarb clean` as a process that can be killed at any moment, and what it leaves. Linux only."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterable, Sequence
from contextlib import suppress
from hashlib import sha256
from pathlib import Path
from random import Random
from select import select
from shutil import rmtree
from typing import NamedTuple

TEXTS = (
    "The museum opens again in spring, says note {}.",
    "I moved table {} to the end of the section.",
    "You are an idiot, see note {}.",
    "The second paragraph of page {} still needs a source.",
    "I checked book {} and it says something else.",
    "I will kill you {} times.",
    "The bridge was closed for repairs in 19{}.",
    "Somebody should check the names of the {} players.",
)
BROKEN = (b"{not JSON\n", b'{"text": 7}\n', b'{"other": "no text"}\n', b'{"text": "\xff"}\n')
KILLED = -signal.SIGKILL
PATIENCE = 120
"""Seconds in which a run must end, or processes must be gone."""


def write_corpus(folder: Path, rows: int) -> Path:
    """A JSONL file of so many rows, of which every 50th cannot be read, and a table a quarter as long."""
    folder.mkdir()
    with (folder / "comments.jsonl").open("wb") as file:
        for number in range(rows):
            row = {"id": number, "text": TEXTS[number % len(TEXTS)].format(number)}
            broken = number % 50 == 49
            file.write(BROKEN[number // 50 % len(BROKEN)] if broken else json.dumps(row).encode() + b"\n")
    lines = (f'"{TEXTS[number % len(TEXTS)].format(number)}"' for number in range(rows // 4))
    (folder / "more.csv").write_text("\n".join(["text", *lines, ""]), "utf-8")
    return folder


def command(source: Path, out: Path, *options: str) -> list[str]:
    return [sys.executable, "-m", "unbarb", "clean", str(source), str(out), *options]


def started(words: Sequence[str], log: Path) -> subprocess.Popen[bytes]:
    """The run in a process group of its own, which can be killed whole."""
    with log.open("ab") as told:
        return subprocess.Popen(words, stdout=told, stderr=told, start_new_session=True)


def family(pid: int) -> list[int]:
    """The process, its children and theirs, as many as are alive."""
    found = [pid]
    for one in found:
        with suppress(OSError):
            for task in os.listdir(f"/proc/{one}/task"):
                with suppress(OSError):
                    found += map(int, Path(f"/proc/{one}/task/{task}/children").read_text().split())
    return found


def kill(process: subprocess.Popen[bytes], *, alone: bool) -> list[int]:
    """SIGKILL to the run's first process `alone`, or to all of them; gives those that there were."""
    members = family(process.pid)
    with suppress(ProcessLookupError):
        if alone:
            process.kill()
        else:
            os.killpg(process.pid, signal.SIGKILL)
    process.wait()
    return members


def wait_until_gone(pids: Iterable[int]) -> None:
    """Wait for the end of processes that are not our children.

    Raises:
        TimeoutError: one runs on.
    """
    for pid in pids:
        with suppress(ProcessLookupError):
            watched = os.pidfd_open(pid)
            with os.fdopen(watched):
                if not select([watched], [], [], PATIENCE)[0]:
                    raise TimeoutError(f"process {pid} runs on though its run was killed")


class Finished(NamedTuple):
    """A run that came to its end: the kills before it did, its exit code, and the files it left."""

    kills: int
    code: int
    files: dict[str, str]


def kill_again_and_again(
    words: Sequence[str], out: Path, log: Path, kills: int, longest: float, random: Random
) -> list[Finished]:
    """Run `words`, which write to `out`, and kill them so many times, each after a random time.

    A killed run is started again, to go on; one that ends first is begun anew; when all kills are done the
    last one is left to end. Every second kill is of all its processes, the others of the first alone, whose
    workers must see to it that they end.

    Args:
        longest: seconds after which a run is killed at the latest.
    """
    ends = []
    done = before = 0
    while done < kills or before > 0 or not ends:
        process = started(words, log)
        with suppress(subprocess.TimeoutExpired):
            process.wait(random.uniform(0, longest) if done < kills else PATIENCE)
        wait_until_gone(kill(process, alone=done % 2 == 1)[1:])
        if process.returncode == KILLED:
            done, before = done + 1, before + 1
            continue
        ends.append(Finished(before, process.returncode, digests(out)))
        before = 0
        rmtree(out)
    return ends


def digests(out: Path) -> dict[str, str]:
    """SHA-256 of every file that a run left, hidden ones too, by its name in the folder."""
    return {
        path.relative_to(out).as_posix(): sha256(path.read_bytes()).hexdigest()
        for path in sorted(out.rglob("*"))
        if path.is_file()
    }
