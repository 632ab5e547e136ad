"""Python environments that hold packages which cannot be installed beside ours."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

ROOT = Path(__file__).parents[2]


def python_with(package: str) -> Path:
    """The interpreter of the environment ``.venv-PACKAGE``, or of the folder that UNBARB_PACKAGE names."""
    variable = f"UNBARB_{package.upper()}"
    python = Path(os.environ.get(variable) or ROOT / f".venv-{package}") / "bin" / "python"
    assert python.exists(), f"{python} is not there: run `make {package}`, or name its folder in {variable}"
    return python


def report_of(python: Path, file: str, home: Path) -> str:
    """What pytest says of `file`, run by `python` with nothing of ours but the package itself."""
    options = ["-q", "--tb=short", "-W", "ignore", "-p", "no:cacheprovider", "--noconftest"]
    command = [str(python), "-m", "pytest", *options, "-c", os.devnull, "--rootdir", str(home)]
    environment = {
        "HOME": str(home),  # no settings of the user's, and none are written
        "PATH": os.environ["PATH"],
        "OTEL_SDK_DISABLED": "true",
        "OMP_NUM_THREADS": "1",
        "LITELLM_LOCAL_MODEL_COST_MAP": "True",  # else it is fetched
    }
    done = subprocess.run(
        [*command, str(Path(__file__).parent / file)],
        capture_output=True,
        text=True,
        env=environment,
        cwd=home,
        timeout=240,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout.strip().splitlines()[-1]
