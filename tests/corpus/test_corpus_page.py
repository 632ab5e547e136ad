"""docs/corpus.md shows what really comes out."""

from __future__ import annotations

import os
import re
import shlex
import subprocess
import sys
from pathlib import Path

import pytest

PAGE = (Path(__file__).parents[2] / "docs" / "corpus.md").read_text("utf-8")
SESSIONS = re.findall(r"```console\n(.*?)```", PAGE, re.DOTALL)
SHIM = f'#!/bin/sh\nexec {shlex.quote(sys.executable)} "$@"\n'


def commands(session: str) -> list[tuple[str, str]]:
    """Each command of a session with what it printed."""
    parts = re.split(r"^\$ ", session, flags=re.MULTILINE)[1:]
    return [(command, printed) for command, _, printed in (part.partition("\n") for part in parts)]


def test_every_session_is_as_shown(tmp_path: Path) -> None:
    (tmp_path / "bin").mkdir()
    for name, line in (("unbarb", SHIM.replace('"$@"', '-m unbarb "$@"')), ("python", SHIM)):
        (tmp_path / "bin" / name).write_text(line)
        (tmp_path / "bin" / name).chmod(0o755)
    path = {**os.environ, "PATH": f"{tmp_path / 'bin'}:{os.environ['PATH']}"}
    seen = 0
    for session in SESSIONS:
        for command, printed in commands(session):
            words = shlex.split(command)
            if words[0] == "cat" and not (tmp_path / words[1]).exists():
                (tmp_path / words[1]).write_text(printed, encoding="utf-8")
                continue
            ran = subprocess.run(
                command, shell=True, cwd=tmp_path, env=path, capture_output=True, text=True, check=False,
                timeout=120,
            )  # fmt: skip
            assert plain(ran.stdout + ran.stderr, tmp_path) == plain(printed, tmp_path), command
            seen += 1
    assert seen == 8


def plain(printed: str, folder: Path) -> str:
    """Without what differs from run to run: times, digests of policies, and where the folder is."""
    printed = re.sub(r"in [\d.]+ s:", "in S s:", printed.replace(f"{folder.resolve()}/", ""))
    return re.sub(r"sha256:[0-9a-f…]+", "sha256:…", printed)


def test_the_python_example_prints_what_it_says(capsys: pytest.CaptureFixture[str]) -> None:
    (code,) = re.findall(r"```python\n(.*?)```", PAGE, re.DOTALL)
    (printed,) = re.findall(r"```text\n(.*?)```", PAGE, re.DOTALL)
    exec(compile(code, "corpus.md", "exec"), {})
    assert capsys.readouterr().out == printed
