"""docs/audit.md says what there is, and its recipe works without unbarb."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from pathlib import Path
from typing import get_args

from audit_events import mixed

from unbarb.audit.event import Kind as EventKind
from unbarb.audit.log import AuditLog
from unbarb.audit.models import Record
from unbarb.audit.read import records
from unbarb.audit.tampering import Kind

PAGE = (Path(__file__).parent.parent.parent / "docs" / "audit.md").read_text("utf-8")
BLOCKS = re.findall(r"```python\n(.*?)```", PAGE, re.DOTALL)


def test_every_column_and_kind_is_told() -> None:
    columns = [column.name for column in Record.__table__.columns]
    told = set(re.findall(r"`([^`\n]+)`", re.sub(r"```.*?```", "", PAGE, flags=re.DOTALL)))
    assert len(columns) > 35
    assert set(columns) - told == set()
    assert set(get_args(Kind)) - told == set()
    assert set(get_args(EventKind)) - told == set()


def followed(lines: str) -> int:
    """The exit code of the page's recipe."""
    recipe = next(block for block in BLOCKS if "sys.stdin" in block)
    done = subprocess.run([sys.executable, "-I", "-c", recipe], input=lines, text=True, capture_output=True)
    return done.returncode


def test_the_chain_is_followed_as_the_page_says(tmp_path: Path) -> None:
    with AuditLog.open(str(tmp_path / "audit.db")) as log:
        log.append(mixed(10))
        lines = [json.dumps(record) + "\n" for record in records(log, raw=True)]
    assert followed("".join(lines)) == 0
    assert followed("".join(lines[:4] + lines[5:])) == 1
    assert followed("".join(lines).replace("DetectorFailed", "DetectorFaiIed")) == 1


def test_the_example_runs(tmp_path: Path, tiny_guard: object) -> None:
    example = next(block for block in BLOCKS if "guard = Guard()" in block)
    example = example.replace("guard = Guard()", "").replace("audit.db", str(tmp_path / "audit.db"))
    exec(compile(example, "docs/audit.md", "exec"), {"guard": tiny_guard})
    with AuditLog.open(str(tmp_path / "audit.db"), create=False) as log:
        (record,) = records(log)
    assert (record["surface"], record["request"], record["policy"]) == ("library", "1", "default")
