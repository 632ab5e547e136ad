"""Python environments that hold packages which cannot be installed beside ours."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]


def python_with(package: str) -> Path:
    """The interpreter of the environment ``.venv-PACKAGE``, or the one that UNBARB_PACKAGE_PYTHON names.

    `make test` makes them. Elsewhere a test that needs one is skipped.
    """
    named = os.environ.get(f"UNBARB_{package.upper()}_PYTHON")
    python = Path(named) if named else ROOT / f".venv-{package}" / "bin" / "python"
    if not python.exists():
        pytest.skip(f"there is no environment with {package}: make .venv-{package}/.installed")
    return python


def report_of(python: Path, file: str, home: Path) -> str:
    """What pytest says of `file`, run by `python` with nothing of ours but the package itself."""
    command = [
        python,
        "-m",
        "pytest",
        "-q",
        "--tb=short",
        "-c",
        os.devnull,
        "--rootdir",
        home,
        "--noconftest",
    ]
    environment = {
        "HOME": str(home),  # no settings of the user's, and none are written
        "PATH": os.environ["PATH"],
        "OTEL_SDK_DISABLED": "true",
        "OMP_NUM_THREADS": "1",
        "LITELLM_LOCAL_MODEL_COST_MAP": "True",  # else it is fetched
    }
    done = subprocess.run(
        [*command, "-W", "ignore", "-p", "no:cacheprovider", Path(__file__).parent / file],
        capture_output=True,
        text=True,
        env=environment,
        cwd=home,
        timeout=240,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout.strip().splitlines()[-1]
