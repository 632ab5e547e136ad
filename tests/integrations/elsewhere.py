"""Runs tests in Python environments that hold packages which cannot be installed beside ours."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

from environments import program


def report_of(package: str, file: str, home: Path) -> str:
    """What pytest says of `file` in the environment of `package`, of ours with unbarb alone."""
    options = ["-q", "--tb=short", "-W", "ignore", "-p", "no:cacheprovider", "--noconftest"]
    options += ["-c", os.devnull, "--rootdir", str(home)]
    environment = {
        "HOME": str(home),  # no settings of the user's, and none are written
        "PATH": os.environ["PATH"],
        "OTEL_SDK_DISABLED": "true",
        "OMP_NUM_THREADS": "1",
        "LITELLM_LOCAL_MODEL_COST_MAP": "True",  # else it is fetched
    }
    done = subprocess.run(
        [program(package, "python"), "-m", "pytest", *options, str(Path(__file__).parent / file)],
        capture_output=True,
        text=True,
        env=environment,
        cwd=home,
        timeout=240,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout.strip().splitlines()[-1]
