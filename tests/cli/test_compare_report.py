"""``compare``, ``report`` and ``evaluate judge`` at the command line."""

from __future__ import annotations

import json

import pytest
import typer
from typer.testing import CliRunner

pytest.importorskip("torch")
pytest.importorskip("transformers")
pytest.importorskip("scipy")

from unbarb.cli import compare, evaluate, report
from unbarb.errors import ConfigError, InputError


@pytest.fixture
def app() -> typer.Typer:
    whole = typer.Typer(rich_markup_mode=None, pretty_exceptions_enable=False)
    for command in (compare, evaluate, report):
        command.register(whole)
    return whole


def test_classifiers_compared_and_the_page_rebuilt(app, tmp_path):
    data, said = tmp_path / "data.jsonl", tmp_path / "mine.jsonl"
    rows = [{"id": at, "text": f"text {at}", "labels": {"toxicity": float(at % 2)}} for at in range(12)]
    data.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    said.write_text(
        "".join(json.dumps({"id": at, "scores": {"toxicity": 0.9 * (at % 2)}}) + "\n" for at in range(12)),
        encoding="utf-8",
    )
    out = tmp_path / "out"
    ran = CliRunner().invoke(app, ["compare", str(said), "--data", str(data), "--out", str(out)])
    assert ran.exit_code == 0, ran.output
    first = (out / "report.html").read_bytes()
    (out / "report.html").unlink()
    again = CliRunner().invoke(app, ["report", str(out)])
    assert again.exit_code == 0, again.output
    assert (out / "report.html").read_bytes() == first
    assert "mine" in first.decode()


def test_judge_is_a_part_of_evaluate_and_evaluate_stays_itself(app, tmp_path):
    help_ = CliRunner().invoke(app, ["evaluate", "--help"], terminal_width=200).output
    assert "--suite" in help_
    assert "judge" in help_
    missing = CliRunner().invoke(app, ["evaluate", "judge", str(tmp_path / "none.tsv")])
    assert isinstance(missing.exception, InputError)
    assert "no file" in str(missing.exception)
    wrong = CliRunner().invoke(app, ["evaluate", "judge", "x.tsv", "--column", "content"])
    assert isinstance(wrong.exception, ConfigError)
    assert "OURS=THEIRS" in str(wrong.exception)
