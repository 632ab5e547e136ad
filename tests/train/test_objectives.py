"""The one door to training, and what it refuses before anything is trained."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("peft")
pytest.importorskip("transformers")

import typer
import yaml
from typer.testing import CliRunner

import tiny_bases
from unbarb.cli import train as command
from unbarb.errors import ConfigError, InputError, MissingExtra
from unbarb.train import callback, objectives
from unbarb.train.objectives import KINDS, OBJECTIVES, train
from unbarb.train.schema import TrainRecipe


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("objectives")
    tiny_bases.prepared(folder / "set")
    for name in ("t5", "llama"):
        tiny_bases.write(name, folder / name)
    return folder


def recipe(place: Path, name: str = "t5", **changed: Any) -> TrainRecipe:
    return TrainRecipe.model_validate(tiny_bases.recipe_of(name, place / name, **changed))


def refused(place: Path, wanted: TrainRecipe, out: Path) -> str:
    data = objectives.Prepared.load(place / "set")
    with pytest.raises((ConfigError, InputError, MissingExtra)) as caught:
        train(wanted, data, out, quiet=True)
    assert not list(out.glob("checkpoints/*"))
    return str(caught.value)


def test_every_objective_has_a_kind_of_rows() -> None:
    assert OBJECTIVES.keys() == KINDS.keys()
    assert len(OBJECTIVES) >= 9
    for name in OBJECTIVES:
        assert callable(objectives.objective(name))


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({"model__name": "./nowhere"}, "./nowhere: no such folder; give one, or a name of the hub"),
        ({"objective": "causal"}, "t5 is an encoder-decoder, which objective causal cannot train"),
        ({"data": {"max_target_tokens": 3}}, "answer is longer than data.max_target_tokens 3 in 32 rows"),
        ({"data": {"max_source_tokens": 4}}, "prompt is longer than data.max_source_tokens 4 in 32 rows"),
        ({"method": {"name": "lora", "targets": ["q_proj"]}}, "'q_proj' matches nothing in T5"),
        ({"training__save_every": 7}, "save_every 7 must be a multiple of training.evaluate_every 10"),
        ({"objective": "generative", "template": {"name": "labels"}}, "generative learns from labelled"),
    ],
)  # fmt: skip
def test_what_would_spoil_a_training_stops_it(
    changed: dict[str, Any], said: str, place: Path, tmp_path: Path
) -> None:
    assert said in refused(place, recipe(place, **changed), tmp_path / "run")


def test_a_missing_reporter_is_told_before_training(
    place: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(callback.REPORTERS, "wandb", "no_such_package")
    said = refused(place, recipe(place, training__report_to=["wandb"]), tmp_path / "run")
    assert "report_to wandb needs the package 'no_such_package'" in said


def test_a_hub_out_of_reach_is_told_with_what_to_do(
    place: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from huggingface_hub import constants

    monkeypatch.setattr(constants, "HF_HUB_OFFLINE", True)
    said = refused(place, recipe(place, model__name="nobody/nothing"), tmp_path / "run")
    assert said.startswith("model.name nobody/nothing: the hub cannot be reached")
    assert "hf download" in said


def test_the_command_trains_from_a_file_with_other_values(place: Path, tmp_path: Path) -> None:
    file = tmp_path / "mine.yaml"
    file.write_text(yaml.safe_dump(tiny_bases.recipe_of("t5", place / "t5")), "utf-8")
    app = typer.Typer()
    command.register(app)
    given = [
        str(file), "--data", str(place / "set"), "--out", str(tmp_path / "run"), "--set",
        "training.max_steps=2", "--set", "training.patience=1",
    ]  # fmt: skip
    done = CliRunner().invoke(app, given)
    assert done.exit_code == 0, done.output
    facts = json.loads((tmp_path / "run" / "run.json").read_text("utf-8"))
    assert facts["status"] == "finished"
    assert facts["steps"] == 2
    assert facts["digests"].keys() == {"recipe", "data", "base"}
    ran = yaml.safe_load((tmp_path / "run" / "recipe.yaml").read_text("utf-8"))
    assert ran["training"]["max_steps"] == 2
    total = facts["parameters"]["total"]
    assert f"trained: {total:,} of {total:,} parameters" in done.output
    assert "step 2/2" in done.output
    assert str(tmp_path / "run" / "model") in done.output
    again = CliRunner().invoke(app, given)
    assert again.exit_code == 0
    assert json.loads((tmp_path / "run" / "run.json").read_text("utf-8")) == facts


def test_the_command_needs_data() -> None:
    app = typer.Typer()
    command.register(app)
    done = CliRunner().invoke(app, ["tfidf-logistic", "--out", "x"])
    assert isinstance(done.exception, ConfigError)
    assert "--data is missing" in str(done.exception)
