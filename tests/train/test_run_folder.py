"""The run folder: what is written, what goes on, what is refused."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from unbarb.errors import ConfigError, InputError
from unbarb.train.live import clock, shown
from unbarb.train.run import Run, digest_of

RECIPE = {"schema": 1, "name": "tiny", "objective": "seq2seq", "training": {"epochs": 1}}


def begin(folder: Path, recipe: dict[str, Any] = RECIPE, **digests: str) -> Run:
    return Run.begin(folder, recipe=recipe, digests=digests or {"data": "d1"}, quiet=True)


def lines(folder: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in (folder / "metrics.jsonl").read_text("utf-8").splitlines()]


def test_what_scoring_takes_after_training_is_no_memory_of_training(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    taken = iter((100.0, 120.0, 900.0))
    monkeypatch.setattr("unbarb.train.run.peak_mb", lambda: next(taken))
    with begin(tmp_path / "run") as run:
        run.log(1, loss=2.0)
        run.log(2, loss=1.0)
        assert run.finish()["peak_memory_mb"] == 120.0


def test_a_run_leaves_recipe_facts_figures_and_curves(tmp_path: Path) -> None:
    pytest.importorskip("matplotlib")
    with begin(tmp_path / "run") as run:
        run.log(1, epoch=0.5, loss=2.0, tokens_per_second=10.0)
        run.log(2, epoch=1.0, eval_loss=1.5)
        run.model.mkdir()
        (run.model / "weights.bin").write_bytes(b"abc")
        run.predicted([{"id": "a", "prediction": "é"}])
        facts = run.finish(best_step=2)
    folder = tmp_path / "run"
    assert {path.name for path in folder.iterdir()} == {
        "recipe.yaml", "run.json", "metrics.jsonl", "loss.png", "checkpoints", "model",
        "predictions-dev.jsonl",
    }  # fmt: skip
    assert json.loads((folder / "run.json").read_text("utf-8")) == facts
    assert facts["status"] == "finished"
    assert facts["digests"] == {"recipe": digest_of(RECIPE), "data": "d1"}
    assert facts["versions"]["unbarb"]
    assert facts["seconds"] >= 0
    assert facts["peak_memory_mb"] > 1
    sha = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"
    assert facts["model_files"] == {"weights.bin": sha}
    assert [(line["step"], line.get("loss"), line.get("eval_loss")) for line in lines(folder)] == [
        (1, 2.0, None),
        (2, None, 1.5),
    ]
    assert (folder / "loss.png").read_bytes().startswith(b"\x89PNG")
    assert '"prediction": "é"' in (folder / "predictions-dev.jsonl").read_text("utf-8")


def test_a_stopped_run_goes_on_and_forgets_what_it_will_make_again(tmp_path: Path) -> None:
    first = begin(tmp_path)
    for step in (1, 2, 3):
        first.log(step, loss=float(step))
    with (tmp_path / "metrics.jsonl").open("a", encoding="utf-8") as file:
        file.write('{"step": 4, "lo')  # killed in the middle of a line
    second = begin(tmp_path)
    assert second.resumed
    assert not second.finished
    second.rewind(2)
    second.log(3, loss=9.0)
    assert [(line["step"], line["loss"]) for line in lines(tmp_path)] == [(1, 1.0), (2, 2.0), (3, 9.0)]


def test_another_recipe_data_or_base_is_refused(tmp_path: Path) -> None:
    begin(tmp_path).pin("base", "b1")
    with pytest.raises(ConfigError, match="another recipe"):
        begin(tmp_path, {**RECIPE, "training": {"epochs": 2}})
    with pytest.raises(ConfigError, match="another data"):
        begin(tmp_path, data="d2")
    with pytest.raises(ConfigError, match="another base"):
        begin(tmp_path).pin("base", "b2")


def test_a_folder_that_is_no_run_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "thesis.tex").write_text("years of work", "utf-8")
    with pytest.raises(InputError, match=r"thesis\.tex.*no run"):
        begin(tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == ["thesis.tex"]
    with pytest.raises(InputError, match="is a file"):
        begin(tmp_path / "thesis.tex")


def test_a_finished_run_is_known_as_one(tmp_path: Path) -> None:
    begin(tmp_path).finish()
    assert begin(tmp_path).finished


def test_a_small_disk_stops_before_training(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="GB are free and checkpoints and model need about"):
        begin(tmp_path).need_space(10**18)


def test_other_processes_of_a_launch_write_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("RANK", "1")
    run = begin(tmp_path / "run")
    run.log(1, loss=1.0)
    run.finish()
    assert not (tmp_path / "run").exists()


def test_what_is_shown_while_waiting() -> None:
    line = {"step": 3, "loss": 1.25, "eval_loss": 2.0, "tokens_per_second": 12345.6, "memory_mb": 800.4}
    assert shown(line) == "loss 1.2500  dev loss 2.0000  12,346 tok/s  800 MB"
    assert clock(3723.4) == "1:02:03"
