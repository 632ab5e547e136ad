"""Plain language modelling: each token is learnt once, whatever the length of its text."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

pytest.importorskip("peft")
pytest.importorskip("transformers")

import tiny_bases
from unbarb.data.prepared import Prepared, write_prepared
from unbarb.errors import InputError
from unbarb.train.language import encode, ids
from unbarb.train.objectives import train
from unbarb.train.schema import DataPart, TrainRecipe
from unbarb.train.supervised import IGNORED

TEXTS = [row["target"] for row in tiny_bases.pairs()]


def rows() -> list[dict[str, str]]:
    return [{"id": str(at), "text": text, "corpus": "written"} for at, text in enumerate(TEXTS)]


def a_set(folder: Path) -> Prepared:
    return write_prepared(folder, "texts", {"train": rows()})


def test_every_token_but_the_first_is_learnt_once_however_long_the_text() -> None:
    tokenizer = tiny_bases.tokenizer(False)
    short = DataPart(max_target_tokens=3, too_long="cut")
    made = encode(rows(), tokenizer, short, where="train.jsonl")
    for at, text in enumerate(TEXTS):
        parts = [row for row in made.encoded if row.id == str(at)]
        learnt = [one for part in parts for one in part.labels if one != IGNORED]
        assert learnt == ids(text, tokenizer)[1:]
        assert learnt[-1] == tokenizer.eos_token_id
        assert max(len(part.target) for part in parts) <= 3
        # What a piece begins with is what the piece before it ended with.
        assert [part.source[0] for part in parts[1:]] == [part.target[-1] for part in parts[:-1]]
    assert made.cut == len([text for text in TEXTS if len(ids(text, tokenizer)) > 4])


def test_long_texts_stop_the_training_or_are_left_out_as_told() -> None:
    tokenizer = tiny_bases.tokenizer(False)
    with pytest.raises(InputError, match=r"train.jsonl: \d+ texts are longer .* set data.too_long to cut"):
        encode(rows(), tokenizer, DataPart(max_target_tokens=3), where="train.jsonl")
    with pytest.raises(InputError, match="max_target_tokens 1 leaves no text; set more"):
        encode(rows(), tokenizer, DataPart(max_target_tokens=1, too_long="drop"), where="train.jsonl")
    longest = max(len(ids(text, tokenizer)) for text in TEXTS)
    limits = DataPart(max_target_tokens=longest - 2, too_long="drop")
    left = encode(rows(), tokenizer, limits, where="train.jsonl")
    assert left.dropped >= 1
    assert len(left.encoded) == len(TEXTS) - left.dropped


@pytest.mark.parametrize("method", ["full", "lora"])
def test_a_model_learns_texts_and_brings_no_template(method: str, tmp_path: Path) -> None:
    base = tiny_bases.write("llama", tmp_path / "base")
    recipe = TrainRecipe.model_validate(
        tiny_bases.recipe_of(
            "llama",
            base,
            objective="language",
            data={"max_target_tokens": 40, "too_long": "cut"},
            method={"name": method},
            training__packing=True,
            training__max_steps=12,
            training__learning_rate=1e-2,
        )
    )
    facts = train(recipe, a_set(tmp_path / "set"), tmp_path / "run", quiet=True)
    lines = [json.loads(line) for line in (tmp_path / "run/metrics.jsonl").read_text("utf-8").splitlines()]
    losses = [line["loss"] for line in lines if "loss" in line]
    assert losses[-1] < losses[0]
    assert facts["steps"] == 12
    assert not (tmp_path / "run/model/unbarb_template.json").exists()
