"""Packing: rows share a sequence and never see each other."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("peft")
pytest.importorskip("transformers")

import torch
from transformers import AutoModelForCausalLM

import tiny_bases
from unbarb.errors import ConfigError
from unbarb.prompt import built_in
from unbarb.train.causal import check_apart, packed, packs
from unbarb.train.objectives import train
from unbarb.train.schema import TrainRecipe
from unbarb.train.supervised import IGNORED, Encoded, Encoder, Limits, encode

WIDTH = 96


@pytest.fixture(scope="module")
def rows() -> list[Encoded]:
    encoder = Encoder(tiny_bases.tokenizer(False), built_in("detoxify"), seq2seq=False)
    return encode(tiny_bases.pairs(), encoder, Limits(64, 32), where="train.jsonl").encoded


def model_of(name: str, place: Path) -> Any:
    base = tiny_bases.write(name, place / name)
    return AutoModelForCausalLM.from_pretrained(base, dtype=torch.float32).eval()


def test_packs_hold_every_row_once_and_have_little_room(rows: list[Encoded]) -> None:
    made = packs(rows, WIDTH)
    assert sorted(row.id for pack in made for row in pack) == sorted(row.id for row in rows)
    tokens = [sum(row.tokens for row in pack) for pack in made]
    assert max(tokens) <= WIDTH
    assert sum(tokens) / (len(made) * WIDTH) > 0.8
    long = Encoded("long", (3,) * 200, (1,), seq2seq=False)
    assert [long] in packs([*rows, long], WIDTH)


def test_packed_labels_are_those_of_the_rows(rows: list[Encoded]) -> None:
    batch = packed(packs(rows, WIDTH), pad_id=0)
    counted = batch["labels"][batch["labels"] != IGNORED]
    assert len(counted) == sum(len(row.target) for row in rows)
    starts = batch["position_ids"] == 0
    assert bool((batch["labels"][starts] == IGNORED).all())


@pytest.mark.parametrize("name", ["phi", "llama", "mixtral"])
def test_a_packed_row_has_the_logits_it_has_alone(name: str, rows: list[Encoded], tmp_path: Path) -> None:
    model = model_of(name, tmp_path)
    pack = rows[:3]
    together = packed([pack], pad_id=0)
    alone = [packed([[row]], pad_id=0) for row in pack]
    with torch.inference_mode():
        seen = model(**together, use_cache=False).logits[0]
        wanted = torch.cat([model(input_ids=one["input_ids"]).logits[0] for one in alone])
    assert torch.allclose(seen, wanted, atol=1e-5 * float(wanted.abs().max()), rtol=0)
    check_apart(model, rows, pad_id=0)


@pytest.mark.parametrize("name", ["bloom", "opt"])
def test_a_model_whose_rows_would_mix_is_refused(name: str, rows: list[Encoded], tmp_path: Path) -> None:
    model = model_of(name, tmp_path)
    with pytest.raises(ConfigError, match=rf"training\.packing: .* {name} makes no mask from positions"):
        check_apart(model, rows, pad_id=0)


def test_a_packed_run_takes_fewer_steps_and_learns(tmp_path: Path) -> None:
    data = tiny_bases.prepared(tmp_path / "set")
    base = tiny_bases.write("llama", tmp_path / "base")
    content = tiny_bases.recipe_of(
        "llama", base, training__packing=True, training__epochs=6.0, training__batch_size=2,
        data={"max_source_tokens": 96, "max_target_tokens": 32},
    )  # fmt: skip
    facts = train(TrainRecipe.model_validate(content), data, tmp_path / "run", quiet=True)
    assert facts["packs"] < tiny_bases.LEARNT / 2
    assert facts["steps"] == 6 * -(-facts["packs"] // 2)
    assert facts["final"]["loss"] < 0.8 * tiny_bases.lines(tmp_path / "run" / "metrics.jsonl")[0]["loss"]
