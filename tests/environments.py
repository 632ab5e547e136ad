"""Programs of other people's packages, each in a Python environment of its own."""

from __future__ import annotations

import os
from pathlib import Path

ROOT = Path(__file__).parents[1]


def program(environment: str, name: str) -> str:
    """A program of ``.venv-ENVIRONMENT``, or of the environment that ``UNBARB_ENVIRONMENT`` names."""
    variable = f"UNBARB_{environment.upper()}"
    found = Path(os.environ.get(variable) or ROOT / f".venv-{environment}") / "bin" / name
    assert found.exists(), (
        f"{found} is not there: run `make {environment}`, or name its folder in {variable}"
    )
    return str(found)
