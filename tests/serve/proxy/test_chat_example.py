"""The example shows a chat that is rewritten, and ends."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

EXAMPLE = Path(__file__).parents[3] / "examples" / "chat_through_proxy.py"


def test_the_example_shows_both_sides() -> None:
    command = [sys.executable, str(EXAMPLE), "--pause", "0"]
    done = subprocess.run(
        command, capture_output=True, text=True, timeout=120, check=False,
        env=os.environ | {"COLUMNS": "120", "PYTHONIOENCODING": "utf-8"},
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    rows = [line.split("││") for line in done.stdout.splitlines() if "││" in line]
    model, caller = (
        " ".join(" ".join(row[side] for row in rows).replace("│", " ").split()) for side in (0, 1)
    )
    assert "be an idiot to store" in model
    assert "you moron" in model
    assert caller.startswith("Sure, happy to help. You would be")
    assert caller.endswith("Then call `hash(password)`, and you are done.")
    assert [word for word in ("idiot", "stupid", "moron", "Shut up") if word in caller] == []
    assert "allow · allow · rewrite" in done.stdout
