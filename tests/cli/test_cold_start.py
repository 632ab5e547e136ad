"""``unbarb check "text"``, cold, the whole process: at most 300 MB. Its seconds are in the benchmarks."""

from __future__ import annotations

import json
import os
import subprocess
import sys

import pytest

BYTES = 300_000_000

# A child begins with the memory of its parent, so a small process measures, not this large one.
MEASURE = """
import json, os, sys
command = [sys.executable, "-c", "from unbarb.cli import main; main()", *sys.argv[1:]]
quiet = [(os.POSIX_SPAWN_OPEN, 1, os.devnull, os.O_WRONLY, 0)]
child = os.posix_spawn(sys.executable, command, os.environ, file_actions=quiet)
_, status, used = os.wait4(child, 0)
unit = 1 if sys.platform == "darwin" else 1024
print(json.dumps([os.waitstatus_to_exitcode(status), used.ru_maxrss * unit]))
"""

pytestmark = pytest.mark.skipif(not hasattr(os, "wait4"), reason="needs the usage of one child process")


def usage(*arguments: str) -> tuple[int, int]:
    """Exit code, and the most memory held, in bytes."""
    command = [sys.executable, "-c", MEASURE, *arguments]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    code, size = json.loads(done.stdout)
    return code, size


def test_check_starts_cold_in_300_mb() -> None:
    code, size = usage("check", "you are an idiot")
    assert code == 1
    assert size <= BYTES


def test_help_starts_without_a_model() -> None:
    code, size = usage("--help")
    assert code == 0
    assert size <= BYTES / 4
    look = (
        "import sys; from unbarb.cli import app; app(); print({'onnxruntime', 'torch'} & set(sys.modules))"
    )
    done = subprocess.run([sys.executable, "-c", look], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "set()"
