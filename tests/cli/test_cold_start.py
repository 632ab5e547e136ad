"""``unbarb check "text"``, cold, the whole process: at most a second and 300 MB."""

from __future__ import annotations

import json
import os
import subprocess
import sys

import pytest

SECONDS, BYTES = 1.0, 300_000_000
RUNS = 3

# A child begins with the memory of its parent, so a small process measures, not this large one.
MEASURE = """
import json, os, sys
command = [sys.executable, "-c", "from unbarb.cli import main; main()", *sys.argv[1:]]
quiet = [(os.POSIX_SPAWN_OPEN, 1, os.devnull, os.O_WRONLY, 0)]
child = os.posix_spawn(sys.executable, command, os.environ, file_actions=quiet)
_, status, used = os.wait4(child, 0)
unit = 1 if sys.platform == "darwin" else 1024
print(json.dumps([os.waitstatus_to_exitcode(status), used.ru_utime + used.ru_stime, used.ru_maxrss * unit]))
"""

pytestmark = pytest.mark.skipif(not hasattr(os, "wait4"), reason="needs the usage of one child process")


def usage(*arguments: str) -> tuple[int, float, int]:
    """Exit code, processor seconds of all threads, and the most memory held, in bytes.

    Processor time, because a busy machine is no failure.
    """
    command = [sys.executable, "-c", MEASURE, *arguments]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    code, seconds, size = json.loads(done.stdout)
    return code, seconds, size


def test_check_starts_cold_in_a_second_and_300_mb() -> None:
    runs = [usage("check", "you are an idiot") for _ in range(RUNS)]
    assert {code for code, _, _ in runs} == {1}
    assert min(seconds for _, seconds, _ in runs) <= SECONDS
    assert max(size for _, _, size in runs) <= BYTES


def test_help_starts_without_a_model() -> None:
    runs = [usage("--help") for _ in range(RUNS)]
    assert {code for code, _, _ in runs} == {0}
    assert min(seconds for _, seconds, _ in runs) <= SECONDS / 2
    assert max(size for _, _, size in runs) <= BYTES / 4
