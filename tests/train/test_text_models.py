"""Every architecture trains, is saved, read back, asked and merged; tiny, from random weights.

In float32, with all weights trained, 32 pairs are learnt by heart; adapters, on a base that stays random,
must take away `SHARE` of the loss that they began with, whatever numbers the base is held in.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("peft")
pytest.importorskip("transformers")

import torch
from peft import PeftModel
from transformers import AutoModelForCausalLM, AutoModelForSeq2SeqLM, AutoTokenizer

import tiny_bases
from unbarb.data.prepared import Prepared
from unbarb.prompt import Template
from unbarb.rewrite.decoding import Decoding
from unbarb.train.objectives import train
from unbarb.train.rewriters import predict
from unbarb.train.schema import TrainRecipe
from unbarb.train.supervised import Encoder

SHARE = 0.6
MERGED = 1e-4
"""What merging may change in logits, as a share of the largest, in float32."""

OFTEN = ("t5", "llama")
"""Architectures that every run of the tests trains; the others are `slow`."""

EXPERTS = ["mlp.experts.gate_up_proj", "mlp.experts.down_proj"]


def often(name: str, *more: Any) -> Any:
    marks = () if name in OFTEN else pytest.mark.slow
    return pytest.param(name, *more, marks=marks, id="-".join([name, *map(str, more)]))


@pytest.fixture(scope="module")
def pairs(tmp_path_factory: pytest.TempPathFactory) -> Prepared:
    """All 32 pairs to learn and no dev rows, so that the last step is what is kept."""
    return tiny_bases.prepared(tmp_path_factory.mktemp("rows") / "set", dev=False)


def read_back(name: str, folder: Path, base: Path | None = None) -> Any:
    """The model of a run as anybody loads it, in float32; an adapter on its base."""
    auto = AutoModelForSeq2SeqLM if name in tiny_bases.SEQ2SEQ else AutoModelForCausalLM
    model = auto.from_pretrained(base or folder, dtype=torch.float32)
    return model if base is None else PeftModel.from_pretrained(model, folder)


def exact(name: str, model: Any, run: Path, recipe: TrainRecipe, rows: Prepared) -> int:
    """How many of the learnt rows the model answers with the very target."""
    tokenizer = AutoTokenizer.from_pretrained(run / "model")
    encoder = Encoder(tokenizer, Template.load(run / "model"), name in tiny_bases.SEQ2SEQ)
    said = predict(model, encoder, rows.split("train"), recipe)
    return sum(one["prediction"] == one["target"] for one in said)


@pytest.mark.parametrize("name", [often(name) for name in tiny_bases.ALL])
def test_all_weights_in_float32_learn_32_pairs_by_heart(name: str, pairs: Prepared, tmp_path: Path) -> None:
    base = tiny_bases.write(name, tmp_path / "base")
    content = tiny_bases.recipe_of(
        name, base, training__batch_size=16, training__max_steps=120 if name in OFTEN else 250,
        training__save_every=1000, decoding={"beams": 2, "max_new_tokens": 40},
    )  # fmt: skip
    recipe = TrainRecipe.model_validate(content)
    facts = train(recipe, pairs, tmp_path / "run", quiet=True)
    assert facts["parameters"]["trainable"] == facts["parameters"]["total"]
    model = read_back(name, tmp_path / "run" / "model")
    assert exact(name, model, tmp_path / "run", recipe, pairs) == tiny_bases.LEARNT
    assert Decoding.load(tmp_path / "run" / "model") == Decoding(beams=2, max_new_tokens=40)


WAYS = [
    often("t5", "lora", "fp32", "none"),
    often("t5", "lora", "bf16", "nf4"),
    often("llama", "rslora", "bf16", "int8"),
    *(
        pytest.param(name, "lora", dtype, held, marks=pytest.mark.slow)
        for name in tiny_bases.ALL
        for dtype, held in (("bf16", "none"), ("bf16", "int8"), ("bf16", "nf4"))
        if (name, held) != ("t5", "nf4")
    ),
    *(
        pytest.param("llama", method, "fp32", "none", marks=pytest.mark.slow)
        for method in ("dora", "pissa", "ia3", "prompt_tuning")
    ),
]


@pytest.mark.parametrize(("name", "method", "dtype", "held"), WAYS)
def test_adapters_learn_are_read_back_and_merged(
    name: str, method: str, dtype: str, held: str, pairs: Prepared, tmp_path: Path
) -> None:
    wide = tiny_bases.wide(name)
    base = tiny_bases.write(name, tmp_path / "base", **wide)
    experts = {"method__experts": EXPERTS} if name == "mixtral" and held == "none" else {}
    content = tiny_bases.recipe_of(
        name, base, model__dtype=dtype, model__quantization=held,
        model__double_quantization=held == "nf4", method={"name": method, "rank": 16, "alpha": 32.0},
        training__batch_size=16, training__max_steps=150 if name == "bart" else 60,
        training__save_every=1000,
        training__learning_rate=5e-2 if method in ("ia3", "prompt_tuning") else 1e-2, **experts,
    )  # fmt: skip
    recipe = TrainRecipe.model_validate(content)
    facts = train(recipe, pairs, tmp_path / "run", quiet=True)
    logged = [line["loss"] for line in tiny_bases.lines(tmp_path / "run" / "metrics.jsonl")]
    share = 0.25 if method in ("ia3", "prompt_tuning") else SHARE
    assert facts["final"]["loss"] <= (1 - share) * logged[0]
    assert 0 < facts["parameters"]["trainable"] < facts["parameters"]["total"]
    if method == "prompt_tuning":
        return
    assert len(facts["modules"]) >= 1
    assert all(facts["modules"].values())
    merges(name, tmp_path)


def merges(name: str, place: Path) -> None:
    """The adapter on a float32 base says the same merged; an int8 or nf4 base is never merged into."""
    model = read_back(name, place / "run" / "model", place / "base").eval()
    ids = torch.tensor([[3, 40, 41, 42, 43, 44, 45, 1]])
    given = {"input_ids": ids, "attention_mask": torch.ones_like(ids)}
    if name in tiny_bases.SEQ2SEQ:
        given["decoder_input_ids"] = ids[:, :5]
    with torch.inference_mode():
        apart = model(**given).logits
        bare = model.get_base_model()
        with model.disable_adapter():
            untouched = bare(**given).logits
        merged = model.merge_and_unload()(**given).logits
    scale = float(apart.abs().max())
    assert float((merged - apart).abs().max()) <= MERGED * scale
    assert float((untouched - apart).abs().max()) > 100 * MERGED * scale
