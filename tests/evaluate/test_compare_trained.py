"""Trained runs side by side on the test rows: their saved models answer all of them, once."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("peft")
pytest.importorskip("transformers")

import labelled_rows
import tiny_bases
from unbarb.data.prepared import Prepared, write_prepared
from unbarb.errors import InputError, ModelError
from unbarb.evaluate.compare.answers import Answering, answered
from unbarb.evaluate.compare.contenders import contender
from unbarb.evaluate.compare.items import load_items
from unbarb.evaluate.compare.run import Comparison, compare
from unbarb.train.ask import ask
from unbarb.train.objectives import train
from unbarb.train.schema import TrainRecipe

ASKED = Answering(ask)
LORA = {"name": "lora", "rank": 4, "alpha": 8, "dropout": 0.0, "targets": "all-linear"}
SPENT = {"trained share", "peak memory, MB", "seconds", "saved, MB"}


def facts_of(run: Path) -> dict[str, Any]:
    found: dict[str, Any] = json.loads((run / "run.json").read_text("utf-8"))
    return found


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Pairs in three splits, and two runs on them: an adapter and a full fine-tune."""
    home = tmp_path_factory.mktemp("trained")
    rows = [dict(row) for row in tiny_bases.pairs()]
    data = write_prepared(
        home / "set", "pairs", {"train": rows[:28], "dev": rows[28:32], "test": rows[32:]}
    )
    base = tiny_bases.write("t5", home / "base")
    for name, method in (("lora", LORA), ("full", {"name": "full"})):
        content = tiny_bases.recipe_of("t5", base, method=method, training__max_steps=2)
        train(TrainRecipe.model_validate(content), data, home / name, quiet=True)
    return home


def test_adapter_and_full_stand_side_by_side_on_the_test_rows(home: Path, judges_folder: Path) -> None:
    told: list[tuple[str, int, int | None]] = []
    asked = Comparison(
        [str(home / "lora"), str(home / "full")], home / "set", side="test", judges=judges_folder
    )
    report = compare(asked, answering=Answering(ask, lambda *one: told.append(one)))
    texts = len(load_items(home / "set", "test").texts)
    assert report.split == "test"
    assert told[-1] == ("full", texts, texts)
    quality = {row.system: row.figures for row in report.tables[0].rows}
    for name in ("lora", "full"):
        assert (quality[name]["edit rate"].n, quality[name]["edit rate"].unscored) == (texts, 0)
        assert len(tiny_bases.lines(home / name / "predictions-test.jsonl")) == texts
    spent = {row.system: row.figures for row in report.tables[-1].rows}
    assert set(spent) == {"lora", "full"}
    assert all(set(figures) >= SPENT for figures in spent.values())
    assert spent["lora"]["trained share"].value < 1 == spent["full"]["trained share"].value


def test_what_is_answered_is_not_asked_again_and_a_stopped_comparison_goes_on(home: Path) -> None:
    items = load_items(home / "set", "test")
    whole = contender(str(home / "lora"), items, answering=ASKED)
    written = home / "lora" / "predictions-test.jsonl"
    lines = written.read_text("utf-8").splitlines(keepends=True)
    written.write_text("".join(lines[:1]) + lines[1][:9], encoding="utf-8")  # killed while writing
    told: list[int] = []
    again = contender(
        str(home / "lora"), items, answering=Answering(ask, lambda _, rows, __: told.append(rows))
    )
    assert again.outputs == whole.outputs
    assert told == list(range(1, len(items.texts) + 1))
    assert written.read_text("utf-8") == "".join(lines)
    assert contender(str(home / "lora"), items).outputs == whole.outputs  # nothing is asked, nor can be
    written.write_text("".join(lines[1:]), encoding="utf-8")
    with pytest.raises(InputError, match="nothing here asks its model"):
        contender(str(home / "lora"), items)
    written.write_text("".join(lines), encoding="utf-8")


def test_dev_rows_that_training_left_out_are_answered_as_training_would(home: Path) -> None:
    items = load_items(home / "set", "dev")
    written = home / "full" / "predictions-dev.jsonl"
    before = written.read_text("utf-8")
    written.write_text(before.splitlines(keepends=True)[0], encoding="utf-8")
    outputs = contender(str(home / "full"), items, answering=ASKED).outputs
    assert list(outputs) == [row["prediction"] for row in map(json.loads, before.splitlines())]


def test_another_set_has_a_file_of_its_own(home: Path, tmp_path: Path) -> None:
    rows = [{**row, "source": f"well, {row['source']}"} for row in tiny_bases.pairs()]
    write_prepared(tmp_path / "other", "pairs", {"train": rows[:28], "test": rows[32:]})
    items = load_items(tmp_path / "other", "test")
    path = answered("lora", home / "lora", facts_of(home / "lora"), items, ASKED)
    assert path.name.startswith("predictions-test-")
    assert [row["source"] for row in tiny_bases.lines(path)] == list(items.texts)


def test_a_text_that_does_not_fit_the_model_is_unscored(home: Path, tmp_path: Path) -> None:
    long = {"id": "long", "source": "word " * 400, "target": "a word", "corpus": "written"}
    rows = [dict(row) for row in tiny_bases.pairs()]
    write_prepared(tmp_path / "long", "pairs", {"train": rows[:28], "test": [rows[33], long]})
    outputs = contender(str(home / "lora"), load_items(tmp_path / "long", "test"), answering=ASKED).outputs
    assert isinstance(outputs[0], str)
    assert outputs[1] is None


def labelled(folder: Path) -> Prepared:
    rows = labelled_rows.rows(60)
    return write_prepared(folder, "labelled", {"train": rows[:48], "dev": rows[48:54], "test": rows[54:]})


@pytest.mark.parametrize("objective", ["naive_bayes", "logistic", "bilstm", "generative"])
def test_classifiers_answer_the_test_rows(objective: str, tmp_path: Path) -> None:
    data = labelled(tmp_path / "set")
    words = {"min_count": 1, "embedding": 8, "hidden": 6}
    if objective == "generative":
        content = tiny_bases.recipe_of(
            "llama", tiny_bases.write("llama", tmp_path / "base"), objective="generative", method=LORA,
            template={"name": "labels"}, training__max_steps=1,
            data={"labels": list(labelled_rows.LABELS), "max_source_tokens": 200, "max_target_tokens": 64},
        )  # fmt: skip
        recipe = TrainRecipe.model_validate(content)
    else:
        recipe = labelled_rows.recipe(objective, words=words)
    train(recipe, data, tmp_path / "run", quiet=True)
    dev = contender(str(tmp_path / "run"), load_items(data.folder, "dev"), answering=ASKED)
    test = contender(str(tmp_path / "run"), load_items(data.folder, "test"), answering=ASKED)
    assert all(isinstance(one, dict) and set(one) == set(labelled_rows.LABELS) for one in test.outputs)
    assert len(test.outputs) == len(data.split("test"))
    written = tmp_path / "run" / "predictions-dev.jsonl"
    written.unlink()
    again = contender(str(tmp_path / "run"), load_items(data.folder, "dev"), answering=ASKED)
    for one, other in zip(again.outputs, dev.outputs, strict=True):
        assert one == pytest.approx(other, abs=1e-4)


def test_what_cannot_answer_says_why(home: Path, tmp_path: Path) -> None:
    rows = load_items(labelled(tmp_path / "labels").folder, "test")
    with pytest.raises(InputError, match="learnt seq2seq, and labelled rows are answered by"):
        contender(str(home / "lora"), rows, answering=ASKED)
    items = load_items(home / "set", "test")
    with pytest.raises(InputError, match="has not finished"):
        answered("lora", home / "lora", {**facts_of(home / "lora"), "status": "running"}, items, ASKED)
    (tmp_path / "bare").mkdir()
    with pytest.raises(InputError, match=r"no predictions-test\.jsonl and no recipe\.yaml"):
        answered("bare", tmp_path / "bare", {}, items, ASKED)
    (tmp_path / "bare" / "recipe.yaml").write_text((home / "lora" / "recipe.yaml").read_text("utf-8"))
    (tmp_path / "bare" / "model").mkdir()
    with pytest.raises(ModelError, match=r"neither config\.json nor"):
        answered("bare", tmp_path / "bare", {}, items, ASKED)
