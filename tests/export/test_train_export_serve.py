"""From a recipe to a guard: what a run trained is exported and served, and says what it said in the run."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
import yaml
from typer.testing import CliRunner

import served_models as served
import tiny_models as tiny
from unbarb.cli import app
from unbarb.data.prepared import write_prepared
from unbarb.detect.generative import Generative
from unbarb.detect.transformers import TransformersDetector
from unbarb.rewrite.seq2seq import Seq2Seq
from unbarb.text import Analysis

pytestmark = [
    pytest.mark.slow,
    pytest.mark.filterwarnings("ignore"),
]
LABELS = ("toxicity", "insult")


def command(*arguments: object) -> str:
    given = list(map(str, arguments))
    result = CliRunner().invoke(app(given), given, catch_exceptions=False)
    assert result.exit_code == 0, result.output
    return result.output


def run(
    folder: Path, objective: str, kind: str, rows: list[dict[str, Any]], more: Mapping[str, Any]
) -> Path:
    """Train on `rows`, which are the dev rows too under other names."""
    dev = [{**row, "id": f"d{row['id']}", **_other(row)} for row in rows]
    write_prepared(folder / "data", kind, {"train": rows, "dev": dev, "test": []})
    recipe = {
        "schema": 1,
        "name": f"tiny-{objective}",
        "objective": objective,
        "model": {"name": str(folder / "base"), "dtype": "fp32"},
        "method": {"name": "lora", "rank": 8, "alpha": 16, "dropout": 0.0, "targets": "all-linear"},
        "training": {"epochs": 40, "batch_size": 4, "learning_rate": 1e-2, "warmup": 0.0, "seed": 1},
        **more,
    }
    (folder / "recipe.yaml").write_text(yaml.safe_dump(recipe))
    command("train", folder / "recipe.yaml", "--data", folder / "data", "--out", folder / "run", "--quiet")
    return folder / "run"


def _other(row: Mapping[str, Any]) -> dict[str, str]:
    return {name: f"{row[name]} you know it" for name in ("text", "source") if name in row}


def predictions(run: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in (run / "predictions-dev.jsonl").read_text("utf-8").splitlines()]


def test_a_rewriter(tmp_path: Path) -> None:
    tiny.tokenizer(tmp_path / "base")
    tiny.save(tiny.t5(), tmp_path / "base")
    rows = [
        {"id": str(at), "source": text, "target": said, "corpus": "own"}
        for at, (text, said) in enumerate(tiny.PAIRS * 1)
    ]
    made = run(tmp_path, "seq2seq", "pairs", rows, {"template": {"name": "t5-prefix"}})
    command("export", made, "--to", "merged", "--out", tmp_path / "whole", "--dtype", "fp32")
    command("export", made, "--to", "ctranslate2", "--out", tmp_path / "ct2", "--precision", "fp32")
    asked = [Analysis(row["source"], {}) for row in predictions(made)]
    said = [
        [[one.text for one in found[:1]] for found in Seq2Seq(str(folder), candidates=1).propose(asked)]
        for folder in (made / "model", tmp_path / "whole", tmp_path / "ct2")
    ]
    assert said[0] == said[1] == said[2]


@pytest.mark.parametrize("base", ["llama", "bert", "modernbert"])
def test_a_detector(tmp_path: Path, base: str) -> None:
    objective = "generative" if base == "llama" else "classification"
    rows = [
        {"id": str(at), "text": text, "labels": {label: value for label in LABELS}, "corpus": "own"}
        for at, (text, value) in enumerate(((served.RUDE, 1.0), (served.KIND, 0.0)))
    ]
    data = {"labels": list(LABELS), "max_source_tokens": 256, "max_target_tokens": 64}
    if objective == "generative":
        tiny.tokenizer(tmp_path / "base", "<s> $A", limit=512)
        tiny.save(tiny.llama(max_position_embeddings=512), tmp_path / "base")
        more: dict[str, Any] = {"data": data, "template": {"name": "labels"}}
    else:
        tiny.tokenizer(tmp_path / "base", "<s> $A </s>", limit=64)
        made_of = tiny.bert if base == "bert" else tiny.modernbert
        tiny.save(made_of(("LABEL_0", "LABEL_1")), tmp_path / "base")
        more = {"data": {**data, "max_source_tokens": 60}}
    made = run(tmp_path, objective, "labelled", rows, more)
    kind = Generative if objective == "generative" else TransformersDetector
    command("export", made, "--to", "merged", "--out", tmp_path / "whole", "--dtype", "fp32")
    said = predictions(made)
    for folder in (made / "model", tmp_path / "whole"):
        for row, found in zip(said, kind(str(folder)).detect([row["text"] for row in said]), strict=True):
            assert found.scores == pytest.approx(row["scores"], abs=1e-3)
    assert said[0]["scores"]["toxicity"] > said[1]["scores"]["toxicity"]
