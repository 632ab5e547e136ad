"""The BiLSTM reads words in their order, and nothing but the words."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
import torch

import labelled_rows
from unbarb.errors import InputError, ModelError
from unbarb.train.bilstm import BiLSTM, batches, rate, vocabulary
from unbarb.train.classifier import load_classifier
from unbarb.train.labels import label_matrix
from unbarb.train.masked_loss import masked_loss
from unbarb.train.objectives import train
from unbarb.train.run import Run
from unbarb.train.schema import TrainingPart, WordsPart

WORDS = {"embedding": 16, "hidden": 12, "min_count": 1, "max_words": 12, "dropout": 0.1}
TRAINING = {"epochs": 4, "batch_size": 8, "learning_rate": 0.02, "warmup": 0.0}
TEXTS = [row["text"] for row in labelled_rows.rows(20, seed=7)]


def recipe(**training: Any) -> Any:
    return labelled_rows.recipe("bilstm", words=WORDS, training={**TRAINING, **training})


def test_a_run_learns_and_is_read_back_from_plain_files(tmp_path: Path):
    facts = train(recipe(), labelled_rows.prepared(tmp_path / "set"), tmp_path / "run", quiet=True)
    assert facts["dev"]["macro_roc_auc"] > 0.75
    lines = [json.loads(line) for line in (tmp_path / "run" / "metrics.jsonl").read_text().splitlines()]
    assert lines[-1]["eval_loss"] < lines[0]["eval_loss"]
    loaded = load_classifier(tmp_path / "run" / "model")
    said = [
        json.loads(line) for line in (tmp_path / "run" / "predictions-dev.jsonl").read_text().splitlines()
    ]
    again = loaded.predict_proba([row["text"] for row in said])
    np.testing.assert_allclose([list(row["scores"].values()) for row in said], again, atol=1e-6)
    assert {path.suffix for path in (tmp_path / "run" / "model").iterdir()} == {".json", ".safetensors"}


def test_word_order_changes_the_score_and_padding_does_not():
    torch.manual_seed(1)
    model = BiLSTM(["insult"], ["man", "bites", "dog"], WordsPart(embedding=8, hidden=6))
    forth, back = model.predict_proba(["man bites dog", "dog bites man"])[:, 0]
    assert abs(forth - back) > 1e-4
    long = " ".join(["man"] * 40)
    np.testing.assert_allclose(
        model.predict_proba(["dog", long])[0], model.predict_proba(["dog"])[0], atol=1e-6
    )


def test_a_long_text_is_read_to_its_end():
    torch.manual_seed(1)
    model = BiLSTM(["insult"], ["man", "dog"], WordsPart(embedding=8, hidden=6, max_words=4))
    parts = model.predict_proba(["man man man man", "dog dog"])
    np.testing.assert_allclose(
        model.predict_proba(["man man man man dog dog"])[0], parts.max(axis=0), atol=1e-6
    )
    assert model.predict_proba([""]).shape == (1, 1)


def test_the_vocabulary_holds_words_of_enough_texts_the_most_frequent_first():
    texts = ["A rare word", "a word", "a a a a other"]
    assert vocabulary(texts, WordsPart(min_count=2, max_features=None)) == ("a", "word")
    assert vocabulary(texts, WordsPart(min_count=1, max_features=1)) == ("a",)


def test_words_of_equally_many_texts_stand_as_they_were_met() -> None:
    met = ("one", "two", "three", "four", "five", "six", "seven")
    assert vocabulary([" ".join(met)], WordsPart(min_count=1, max_features=None)) == met


def test_a_stopped_run_ends_as_an_unbroken_one(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    data = labelled_rows.prepared(tmp_path / "set", train=60, dev=20)
    train(recipe(), data, tmp_path / "whole", quiet=True)

    log = Run.log

    def stop(run: Run, step: int, **figures: float) -> None:
        if figures["epoch"] == 3:
            raise KeyboardInterrupt
        log(run, step, **figures)

    with monkeypatch.context() as broken:
        broken.setattr(Run, "log", stop)
        with pytest.raises(KeyboardInterrupt):
            train(recipe(), data, tmp_path / "broken", quiet=True)
    train(recipe(), data, tmp_path / "broken", quiet=True)
    whole, gone_on = (load_classifier(tmp_path / name / "model") for name in ("whole", "broken"))
    np.testing.assert_array_equal(gone_on.predict_proba(TEXTS), whole.predict_proba(TEXTS))
    epochs = [
        json.loads(line)["epoch"]
        for line in (tmp_path / "broken" / "metrics.jsonl").read_text().splitlines()
    ]
    assert epochs == [1, 2, 3, 4]


def test_a_label_that_nobody_said_does_not_move_the_weights():
    """Of rows without a threat label, the threat output gets no gradient."""
    rows = labelled_rows.rows(40)
    for row in rows[8:]:
        del row["labels"]["threat"]
    truth = torch.tensor(label_matrix(rows, labelled_rows.LABELS))
    logits = torch.zeros(40, 2, dtype=torch.float64, requires_grad=True)
    masked_loss(logits, truth, torch.ones(2)).backward()
    assert (logits.grad[8:, 1] == 0).all()
    assert (logits.grad[:8, 1] != 0).all()
    assert (logits.grad[:, 0] != 0).all()


def test_batches_hold_every_row_once_and_rows_of_like_length():
    random = np.random.default_rng(0)
    rows = [([1] * int(length), torch.zeros(1)) for length in random.integers(1, 60, 400)]
    found = list(batches(rows, 16, seed=3))
    assert sorted(at for batch in found for at in batch) == list(range(400))
    assert found != list(batches(rows, 16, seed=4))
    padded = sum(max(len(rows[at][0]) for at in batch) * len(batch) for batch in found)
    assert padded < 1.15 * sum(len(ids) for ids, _ in rows)


@pytest.mark.parametrize("scheduler", ["linear", "cosine", "constant_with_warmup"])
def test_the_rate_goes_up_and_then_as_the_scheduler_says(scheduler: str):
    training = TrainingPart.model_validate({"scheduler": scheduler, "warmup": 0.1})
    rates = [rate(step, 100, training) for step in range(100)]
    assert rates[:10] == sorted(rates[:10])
    assert max(rates) <= 1
    assert (rates[99] > 0.99) == (scheduler == "constant_with_warmup")


def test_damaged_weights_are_refused(tmp_path: Path):
    model = BiLSTM(["insult"], ["man"], WordsPart(embedding=8, hidden=6))
    model.save(tmp_path)
    (tmp_path / "words.json").write_text('["man", "dog"]', "utf-8")
    with pytest.raises(ModelError, match="does not load"):
        load_classifier(tmp_path)


def test_a_full_disk_stops_before_training(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(shutil, "disk_usage", lambda _: SimpleNamespace(free=1_000_000))
    data = labelled_rows.prepared(tmp_path / "set", train=16)
    with pytest.raises(InputError, match="make room"):
        train(recipe(), data, tmp_path / "run", quiet=True)
    assert not list((tmp_path / "run" / "checkpoints").iterdir())
