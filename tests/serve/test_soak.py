"""The soak for half a minute: a database that restarts and a worker that is killed, under load."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

SOAK = Path(__file__).parent.parent.parent / "benchmarks" / "soak.py"


@pytest.mark.slow
def test_nothing_acknowledged_is_lost_or_doubled_under_faults(tmp_path: Path) -> None:
    out = tmp_path / "soak.json"
    command = [sys.executable, str(SOAK), "--quick", "--out", str(out)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=280, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    result = json.loads(out.read_text("utf-8"))
    assert {"database fast", "worker"} <= {fault["kind"] for fault in result["faults"]}
    assert result["record"]["acknowledged"] > 100
    assert len(result["turns"]["outcomes"]) > 4, "requests of many kinds went through"
