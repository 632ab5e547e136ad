"""kill -9 at any moment loses no row and doubles none: the next run goes on to the same bytes."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from pathlib import Path
from random import Random
from typing import NamedTuple

import pytest

from clean_runs import PATIENCE, command, digests, kill_again_and_again, write_corpus

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="processes are looked up in /proc")

OPTIONS = ("--workers", "2", "--shard-size", "4K", "--quiet")
UNREAD_ROWS = 3


class Unbroken(NamedTuple):
    source: Path
    files: dict[str, str]
    seconds: float


@pytest.fixture(scope="module")
def unbroken(tmp_path_factory: pytest.TempPathFactory) -> Unbroken:
    folder = tmp_path_factory.mktemp("unbroken")
    source, out = write_corpus(folder / "in", 800), folder / "out"
    began = time.monotonic()
    done = subprocess.run(command(source, out, *OPTIONS), capture_output=True, text=True, timeout=PATIENCE)
    seconds = time.monotonic() - began
    assert (done.returncode, done.stdout, done.stderr) == (UNREAD_ROWS, "", "")
    return Unbroken(source, digests(out), seconds)


def test_every_row_is_kept_dropped_or_kept_aside(unbroken: Unbroken) -> None:
    out = unbroken.source.parent / "out"
    counts = json.loads((out / "manifest.json").read_bytes())["counts"]

    assert (counts["rows"], counts["unread"]) == (1000, 16)
    assert counts["kept"] + counts["dropped"] + counts["unread"] == 1000
    files = sorted((out / "unread").iterdir())
    unread = [json.loads(line) for file in files for line in file.read_bytes().splitlines()]
    assert [row["row"] for row in unread] == list(range(50, 801, 50))
    assert all(row["reason"] for row in unread)


@pytest.mark.parametrize("kills", [2, pytest.param(20, marks=pytest.mark.slow)])
def test_runs_that_are_killed_at_random_moments_end_with_the_same_files(
    kills: int, unbroken: Unbroken, tmp_path: Path
) -> None:
    out, log = tmp_path / "out", tmp_path / "log"

    ends = kill_again_and_again(
        command(unbroken.source, out, *OPTIONS), out, log, kills, unbroken.seconds, Random(kills)
    )

    assert sum(end.kills for end in ends) == kills
    assert [end.code for end in ends] == [UNREAD_ROWS] * len(ends), log.read_text()
    assert all(end.files == unbroken.files for end in ends)
