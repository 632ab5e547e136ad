"""``unbarb crossval``: the same folds for every recipe, gone on with after a stop, with intervals."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import labelled_rows

pytest.importorskip("sklearn")

from unbarb.cli.crossval import crossval, rows_of
from unbarb.cli.crossval_report import System
from unbarb.data.prepared import write_prepared
from unbarb.errors import ConfigError, InputError
from unbarb.train import objectives

NAMES = ("bayes", "regression")
WORDS = "words: {min_count: 1, max_features: null}"


@pytest.fixture
def place(tmp_path: Path) -> Path:
    write_prepared(tmp_path / "set", "labelled", {"train": labelled_rows.rows(150)})
    labels = f"data: {{labels: [{', '.join(labelled_rows.LABELS)}]}}"
    for name, objective in zip(NAMES, ("naive_bayes", "logistic"), strict=True):
        text = f"schema: 1\nname: {name}\nobjective: {objective}\n{labels}\n{WORDS}\n"
        (tmp_path / f"{name}.yaml").write_text(text, "utf-8")
    return tmp_path


def run(place: Path, *names: str, **more: Any) -> dict[str, Any]:
    given = {"data": str(place / "set"), "out": place / "out", "folds": 3, "threads": 1, **more}
    crossval([str(place / f"{name}.yaml") for name in names], **given)
    found: dict[str, Any] = json.loads((place / "out" / "report.json").read_text("utf-8"))
    return found


def test_recipes_are_measured_on_the_same_rows_with_intervals(place: Path):
    report = run(place, *NAMES, mean=["bayes+regression"], limit=["insult=0.05"])
    assert list(report["systems"]) == ["always clean", *NAMES, "bayes + regression"]
    assert report["n"] == 150
    for name in NAMES:
        figures = report["systems"][name]
        f1s = [figures[f"F1 {label}"]["value"] for label in labelled_rows.LABELS]
        assert figures["macro F1"]["value"] == pytest.approx(np.mean(f1s), abs=1e-4)
        assert figures["macro F1"]["low"] < figures["macro F1"]["value"] < figures["macro F1"]["high"]
        assert figures["macro ROC-AUC"]["value"] > 0.8
        assert {figure["n"] for figure in figures.values()} == {150}
    assert report["systems"]["always clean"]["macro F1"]["value"] == 0
    assert "| regression |" in (place / "out" / "report.md").read_text("utf-8")
    assert "regression" in (place / "out" / "report.html").read_text("utf-8")


def test_what_a_stopped_run_finished_is_not_trained_again(place: Path, monkeypatch: pytest.MonkeyPatch):
    trained: list[str] = []
    train = objectives.train

    def watched(recipe: Any, prepared: Any, out: Path, **more: Any) -> Any:
        trained.append(f"{out.parent.name}/{recipe.name}")
        if len(trained) == 4:
            raise KeyboardInterrupt
        return train(recipe, prepared, out, **more)

    monkeypatch.setattr(objectives, "train", watched)
    with pytest.raises(KeyboardInterrupt):
        run(place, *NAMES)
    report = run(place, *NAMES)
    # The fourth was stopped, so it stands there twice; the first three only once.
    assert len(trained) == 3 + 1 + 3
    assert len(set(trained)) == 6
    assert run(place, *NAMES)["systems"] == report["systems"]
    assert len(trained) == 7


def test_scores_of_another_recipe_or_other_rows_are_not_taken_for_these(place: Path):
    run(place, "bayes")
    with pytest.raises(ConfigError, match="another recipe or other rows"):
        run(place, "bayes", set_=["words.smoothing=2.0"])
    with pytest.raises(ConfigError, match="another recipe or other rows"):
        run(place, "bayes", seed=14)


def test_extra_rows_are_learnt_from_and_never_scored(place: Path):
    write_prepared(place / "more", "labelled", {"train": labelled_rows.rows(60, seed=9)})
    plain = run(place, "bayes")
    crossval([str(place / "bayes.yaml")], data=str(place / "set"), out=place / "again", folds=3, threads=1,
             extra=[f"{place / 'more'}:threat"])  # fmt: skip
    report = json.loads((place / "again" / "report.json").read_text("utf-8"))
    threats = sum(row["labels"]["threat"] for row in labelled_rows.rows(60, seed=9))
    assert report["extra_rows"] == threats
    assert report["n"] == plain["n"]
    assert [b - a for a, b in zip(plain["train_rows"], report["train_rows"], strict=True)] == [threats] * 3


def test_wrong_use_is_told_at_once(place: Path):
    (place / "t5.yaml").write_text(
        "schema: 1\nname: t5\nobjective: seq2seq\nmodel: {name: google-t5/t5-small}\n", "utf-8"
    )
    with pytest.raises(ConfigError) as caught:
        run(place, "bayes", "bayes", "t5", limit=["spam=0.1"])
    for problem in (
        "two recipes are named bayes",
        "t5: objective seq2seq is no classifier",
        "--limit spam",
    ):
        assert problem in str(caught.value)
    with pytest.raises(ConfigError, match="share from 0 to 1"):
        run(place, "bayes", limit=["insult=5"])
    with pytest.raises(ConfigError, match="no recipe other"):
        run(place, "bayes", mean=["bayes+other"])
    with pytest.raises(ConfigError, match="neither a prepared set"):
        run(place, "bayes", data="nowhere")


def test_rows_of_another_kind_are_refused(tmp_path: Path):
    pair = {"id": "1", "source": "you fool", "target": "you", "corpus": "written"}
    write_prepared(tmp_path / "pairs", "pairs", {"train": [pair]})
    with pytest.raises(InputError, match="holds pairs"):
        rows_of(str(tmp_path / "pairs"))


def test_figures_are_those_of_the_decisions_and_leave_out_what_nobody_said():
    truth = np.array([[1, 1], [1, 0], [0, np.nan], [0, np.nan]])
    decided = np.array([[True, True], [False, True], [True, True], [False, True]])
    scores = np.array([[0.9, 0.9], [0.2, 0.8], [0.7, 0.9], [0.1, 0.9]])
    system = System("s", ["insult", "threat"], scores, decided, truth, np.full((1, 2), 0.5), list("abcd"))
    figures = system.figures()
    assert figures["precision insult"].value == 0.5
    assert figures["recall insult"].value == 0.5
    assert figures["false alarms insult"].value == 0.5
    assert figures["ROC-AUC insult"].value == 0.75
    assert figures["F1 threat"].value == pytest.approx(2 / 3)
    assert (figures["F1 threat"].n, figures["F1 threat"].unscored) == (2, 2)
    assert figures["macro F1"].value == pytest.approx((0.5 + 2 / 3) / 2)
    assert figures["micro F1"].value == pytest.approx(4 / 7)
