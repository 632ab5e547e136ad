"""`unbarb search` trains tiny models on real pairs and writes the best recipe."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import typer
import yaml
from typer.testing import CliRunner

pytest.importorskip("optuna")
pytest.importorskip("peft")

import tiny_bases
from unbarb.cli.search import register, table
from unbarb.errors import ConfigError, InputError
from unbarb.train.reader import load


def run(*arguments: Any) -> Any:
    app = typer.Typer(pretty_exceptions_enable=False)
    register(app)
    result = CliRunner().invoke(app, [str(one) for one in arguments])
    if result.exception is not None and not isinstance(result.exception, SystemExit):
        raise result.exception
    return result


@pytest.fixture
def recipe(tmp_path: Path) -> Path:
    content = tiny_bases.recipe_of(
        "t5",
        tiny_bases.write("t5", tmp_path / "base"),
        method={"name": "lora", "rank": 4, "alpha": 8, "targets": ["q", "v"]},
        training__max_steps=4,
        training__evaluate_every=2,
        training__save_every=2,
    )
    file = tmp_path / "tiny.yaml"
    file.write_text(yaml.safe_dump(content))
    return file


def test_trials_are_runs_and_the_best_is_a_recipe(recipe: Path, tmp_path: Path) -> None:
    rows, out = tiny_bases.prepared(tmp_path / "set").folder, tmp_path / "out"
    result = run(recipe, "--data", rows, "--out", out, "--trials", 2, "--targets", "q", "--targets", "q,v")
    assert result.exit_code == 0
    assert result.stdout.splitlines()[0].split()[:3] == ["trial", "state", "eval_loss"]
    trials = [json.loads(line) for line in (out / "trials.jsonl").read_text().splitlines()]
    best = min(trials, key=lambda one: one["eval_loss"])
    found = load(out / "best.yaml")
    assert found.training.learning_rate == best["training.learning_rate"]
    assert (found.method.rank, found.method.targets) == (best["method.rank"], best["method.targets"])
    logged = out / "trials" / f"{best['trial']:03}" / "metrics.jsonl"
    losses = [json.loads(line).get("eval_loss") for line in logged.read_text().splitlines()]
    assert min(loss for loss in losses if loss is not None) == best["eval_loss"]


def test_a_search_without_dev_rows_or_steps_is_refused(recipe: Path, tmp_path: Path) -> None:
    rows = tiny_bases.prepared(tmp_path / "set", dev=False).folder
    with pytest.raises(InputError, match="a search needs dev rows"):
        run(recipe, "--data", rows, "--out", tmp_path / "out", "--trials", 1)
    with pytest.raises(ConfigError, match="trains nothing by steps"):
        run("naive-bayes", "--data", rows, "--out", tmp_path / "out")


def test_the_table_has_the_best_first_and_no_figure_last() -> None:
    rows = [{"trial": at, "eval_loss": loss} for at, loss in enumerate((0.5, None, 0.25))]
    assert table(rows) == ["trial  eval_loss", "2      0.25", "0      0.5", "1      –"]
