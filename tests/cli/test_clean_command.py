"""``unbarb clean``: options in, exit codes, totals and the manifest out."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from unbarb.cli.clean import _bytes
from unbarb.cli.rates import Rates, described
from unbarb.errors import InputError

ROWS = '{"text": "Good morning to all."}\n{"text": "You are an idiot."}\n'


@pytest.fixture
def source(tmp_path: Path) -> Path:
    path = tmp_path / "a.jsonl"
    path.write_text(ROWS, encoding="utf-8")
    return path


def test_totals_are_told_and_files_are_there(run, source: Path, tmp_path: Path) -> None:
    ran = run("clean", str(source), str(tmp_path / "out"), "--workers", "1")
    assert ran.code == 0, ran.err
    assert "2 rows in " in ran.out
    assert "2 kept (1 changed, 0 flagged), 0 dropped" in ran.out
    assert {path.name for path in (tmp_path / "out").iterdir()} == {
        "data", "changes", "manifest.json", "report.html",
    }  # fmt: skip


def test_json_is_the_manifest(run, source: Path, tmp_path: Path) -> None:
    ran = run("clean", str(source), str(tmp_path / "out"), "--filter", "--json", "--workers", "1")
    assert json.loads(ran.out) == json.loads((tmp_path / "out" / "manifest.json").read_bytes())
    assert json.loads(ran.out)["counts"]["dropped"] == 1


def test_rows_that_could_not_be_read_are_an_exit_code(run, source: Path, tmp_path: Path) -> None:
    source.write_text(ROWS + "nothing\n", encoding="utf-8")
    ran = run("clean", str(source), str(tmp_path / "out"), "--filter", "--workers", "1")
    assert ran.code == 3
    assert "1 could not be read" in ran.out


def test_wrong_use_is_told_in_one_line(run, source: Path, tmp_path: Path) -> None:
    out = str(tmp_path / "out")
    for arguments, words in (
        ((out,), "give IN and OUT"),
        ((str(source), out, "--column", "body"), "no column 'body'; there are 'text'"),
        ((str(source), out, "--policy", "defualt"), "no such policy file"),
        ((str(source), out, "--shard-size", "many"), "--shard-size 'many' is no size; write it as 16M"),
    ):
        ran = run("clean", *arguments)
        assert ran.code == 2
        assert words in ran.err
        assert "Traceback" not in ran.err


@pytest.mark.parametrize(
    ("given", "bytes"), [("100", 100), ("4k", 4096), ("16M", 16 << 20), ("1GB", 1 << 30)]
)
def test_sizes(given: str, bytes: int) -> None:
    assert _bytes(given) == bytes


@pytest.mark.parametrize("given", ["", "M", "-1", "1.5M", "0"])
def test_what_is_no_size(given: str) -> None:
    with pytest.raises(InputError):
        _bytes(given)


def test_rate_and_time_left() -> None:
    assert described(0, 0.0, 0.0) == "0 %, 0 rows"
    assert described(12_000, 0.25, 10.0) == "25 %, 12,000 rows, 1,200 rows/s, 0:00:30 left"
    # Half was there before this run began: what is left takes as long as what it did.
    assert described(1000, 0.75, 100.0, 0.5) == "75 %, 1,000 rows, 10 rows/s, 0:01:40 left"


def test_where_nobody_watches_a_line_is_told_now_and_then(capsys: pytest.CaptureFixture[str]) -> None:
    seconds = iter((0.0, 10.0, 31.0, 50.0, 62.0))
    with Rates(watched=False, clock=lambda: next(seconds)) as rates:
        for rows in range(5):
            rates.moved(rows * 100, rows / 10)
    told = capsys.readouterr().err.splitlines()
    assert [line.split(",")[1] for line in told] == [" 200 rows", " 400 rows"]
