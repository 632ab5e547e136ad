"""`unbarb plan` and `unbarb data preview` say what a run would do, before it does."""

from __future__ import annotations

import json
from importlib import import_module
from pathlib import Path
from typing import Any

import pytest
import typer
from typer.testing import CliRunner

pytest.importorskip("peft")

import tiny_bases
from unbarb.data.prepared import write_prepared
from unbarb.errors import ConfigError


def run(*arguments: Any) -> Any:
    app = typer.Typer(pretty_exceptions_enable=False)
    app.callback()(lambda: None)
    for command in ("plan", "preview"):
        import_module(f"unbarb.cli.{command}").register(app)
    result = CliRunner().invoke(app, [str(one) for one in arguments])
    if result.exception is not None and not isinstance(result.exception, SystemExit):
        raise result.exception
    return result


@pytest.fixture(scope="module")
def tokenizer(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("base")
    tiny_bases.tokenizer(seq2seq=False).save_pretrained(folder)
    (folder / "config.json").write_text('{"model_type": "llama"}')
    return folder


@pytest.fixture(scope="module")
def rows(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tiny_bases.prepared(tmp_path_factory.mktemp("set") / "pairs").folder


def test_a_plan_in_words() -> None:
    result = run("plan", "t5-small-lora")
    assert result.exit_code == 0
    lines = result.stdout.splitlines()
    assert lines[0] == "t5-small-lora: T5ForConditionalGeneration"
    assert lines[1] == "  q: 18 (encoder.block.0.layer.0.SelfAttention.q, …)"
    assert lines[3] == "trained: 294,912 of 60,801,536 parameters (0.4850%)"
    assert lines[4] == "memory for a batch of 16 × 64 + 64 tokens, at its peak:"
    assert [line.split()[0] for line in lines[5:12]] == [
        "weights", "adapters", "gradients", "optimizer", "activations", "logits", "together",
    ]  # fmt: skip
    assert lines[-1].startswith("fits ")


def test_a_plan_as_json_and_what_does_not_fit() -> None:
    result = run("plan", "llama-2-7b-zero-shot", "--set", "model.quantization=none", "--json")
    made = json.loads(result.stdout)
    assert (made["trainable"], made["total"]) == (0, 6_738_415_616)
    assert made["memory"]["weights"] == 2 * 6_738_415_616
    assert result.exit_code == (0 if made["fits"] else 1)


def test_a_plan_that_cannot_be_made_is_told() -> None:
    with pytest.raises(ConfigError, match="'Wqkv' matches nothing"):
        run("plan", "phi-2-lora", "--set", "method.targets=[Wqkv]")
    with pytest.raises(ConfigError, match="give KEY=VALUE"):
        run("plan", "phi-2-lora", "--set", "method.rank")


def test_only_the_answer_counts_and_it_is_the_neutral_text(tokenizer: Path, rows: Path) -> None:
    result = run("preview", rows, "--recipe", "phi-2-lora", "--model", tokenizer, "-n", "3", "--json")
    told = [json.loads(line) for line in result.stdout.splitlines()]
    assert len(told) == 3
    for one, pair in zip(told, tiny_bases.pairs(), strict=False):
        counted = "".join(token["text"] for token in one["tokens"] if token["counts"])
        read = "".join(token["text"] for token in one["tokens"] if not token["counts"])
        assert counted == pair["target"] + "</s>"
        assert read == f"<s>### Detoxify:\n{pair['source']}\n\n### detoxified:\n"
        assert (one["id"], one["part"]) == (pair["id"], "target")


def test_without_colours_what_counts_stands_in_marks(tokenizer: Path, rows: Path) -> None:
    asked = ("preview", rows, "--recipe", "phi-2-lora", "--model", tokenizer, "-n", "1")
    pair = tiny_bases.pairs()[0]
    lines = run(*asked).stdout.splitlines()
    assert lines[1] == (f"<s>### Detoxify:␊{pair['source']}␊␊### detoxified:␊«{pair['target']}</s>»")
    short = run(*asked, "--set", "data.max_target_tokens=2").stdout
    assert "longer than data.max_target_tokens" in short


def test_both_sides_of_a_preference_and_labels_are_shown(tokenizer: Path, tmp_path: Path) -> None:
    row = {"id": "a", "source": "You fool.", "chosen": "I disagree.", "rejected": "Fool.", "corpus": "c"}
    preferences = write_prepared(tmp_path / "p", "preferences", {"train": [row]}).folder
    recipe = tmp_path / "dpo.yaml"
    recipe.write_text(
        "schema: 1\nname: dpo\nobjective: preference\nmodel: {name: a/b}\npreference: {name: dpo}\n"
    )
    told = run("preview", preferences, "--recipe", recipe, "--model", tokenizer).stdout
    assert "«I disagree.</s>»" in told
    assert "«Fool.</s>»" in told
    row = {"id": "a", "text": "You fool.", "labels": {"toxicity": 1.0}, "corpus": "c"}
    labelled = write_prepared(tmp_path / "l", "labelled", {"train": [row]}).folder
    told = run("preview", labelled, "--recipe", "modernbert-classification", "--model", tokenizer).stdout
    assert "0 count in the loss" in told
    assert "  toxicity: 1" in told
    assert "  threat: unknown" in told


def test_rows_of_another_kind_are_refused(tokenizer: Path, rows: Path) -> None:
    with pytest.raises(ConfigError, match="learns from labelled"):
        run("preview", rows, "--recipe", "modernbert-classification", "--model", tokenizer)
    with pytest.raises(ConfigError, match="no tokens to show"):
        run("preview", rows, "--recipe", "naive-bayes")


def test_rows_whose_words_are_hidden_anew_every_epoch_are_not_shown(tmp_path: Path) -> None:
    row = {"id": "1", "text": "Well.", "labels": {"toxicity": 0.0}, "corpus": "written"}
    labelled = write_prepared(tmp_path / "set", "labelled", {"train": [row], "dev": []}).folder
    with pytest.raises(ConfigError, match=r"infill hides other words in every epoch.*train\.jsonl"):
        run("preview", labelled, "--recipe", "infill-minilm")
