"""What is not asked for is not loaded, and what is missing says what to install."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

LOADED = """
import sys
from unbarb.corpus import clean
clean(sys.argv[1], sys.argv[2], workers=1, filter=True)
print(sorted({"pyarrow", "ray", "boto3", "pandas", "torch", "pydantic"} & set(sys.modules)))
"""
WITHOUT = """
import sys
sys.modules["pyarrow"] = None
from unbarb.corpus import clean
try:
    clean(sys.argv[1], sys.argv[2], workers=1)
except Exception as error:
    print(type(error).__name__, error)
"""


def output(script: str, source: str | Path, out: Path) -> str:
    command = [sys.executable, "-c", script, source, out]
    return subprocess.run(command, capture_output=True, text=True, check=True, timeout=120).stdout.strip()


def test_lines_need_no_further_package(tmp_path: Path) -> None:
    (tmp_path / "a.jsonl").write_text('{"text": "Good morning."}\n', encoding="utf-8")
    assert output(LOADED, tmp_path / "a.jsonl", tmp_path / "out") == "[]"


@pytest.mark.parametrize(
    ("name", "feature"),
    [("a.parquet", "Parquet"), ("a.jsonl.zst", "a file ending in .zst"), (None, "a corpus at s3://")],
)
def test_what_is_missing_says_what_to_install(tmp_path: Path, name: str | None, feature: str) -> None:
    source: str | Path = "s3://bucket/key"
    if name is not None:
        source = tmp_path / name
        source.write_bytes(b"PAR1")
    told = output(WITHOUT, source, tmp_path / "out")
    assert told == f"MissingExtra {feature} needs the package 'pyarrow': pip install 'unbarb[corpus]'"
