"""Experts of infilling: the noise they learn from, what counts in the loss, and a run from end to end."""

from __future__ import annotations

import json
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pytest

pytest.importorskip("peft", reason="needs the extra 'train'")

import tiny_experts as tiny
from unbarb.data.prepared import Prepared, write_prepared
from unbarb.errors import ConfigError, InputError
from unbarb.rewrite.infill.experts_torch import load_experts
from unbarb.rewrite.infill.pieces import cut
from unbarb.rewrite.infill.score import score
from unbarb.train.infilling import Example, Noise
from unbarb.train.noise import hidden
from unbarb.train.objectives import train
from unbarb.train.schema import TrainRecipe
from unbarb.train.supervised import IGNORED

pytestmark = pytest.mark.filterwarnings("ignore::FutureWarning", "ignore::DeprecationWarning")
TOXIC = ("you are an idiot", "what a stupid dog", "he was a fool and an idiot", "she is a stupid idiot")
CLEAN = ("you are a good man", "what a big dog", "he was a kind person", "she never ran home")


def test_spans_hide_the_share_that_was_asked_for_and_never_touch() -> None:
    rng = np.random.default_rng(3)
    lengths = []
    for words in range(1, 60):
        for _ in range(20):
            spans = hidden(words, rng)
            gone = sum(end - start for start, end in spans)
            assert 1 <= gone <= max(1, round(0.3 * words))
            assert all(start < end <= words for start, end in spans)
            assert all(end < after for (_, end), (after, _) in pairwise(spans))
            lengths += [end - start for start, end in spans] if words > 40 else []
    assert hidden(0, rng) == []
    assert 2.2 < float(np.mean(lengths)) < 3.4


@pytest.mark.parametrize("seq2seq", [False, True])
def test_what_is_hidden_counts_and_nothing_else(seq2seq: bool) -> None:
    words = tiny.tokenizer()
    noise = Noise(words, seq2seq, 0.3, 3.0, seed=1)
    example = Example(cut("you are a big zebra and a good dog ran home", words), 4)
    whole = words("you are a big zebra and a good dog ran home")["input_ids"]
    batch = noise([{"example": example}, {"example": Example(cut("a dog", words), 5)}])
    ids, labels = batch["input_ids"][0].tolist(), batch["labels"][0].tolist()
    assert batch["labels"][1][-1] == IGNORED
    assert batch["attention_mask"][1].sum() < batch["attention_mask"][0].sum()
    if seq2seq:
        assert labels[: len(whole)] == whole
        kept = [piece for piece in ids if piece not in (words.mask_token_id, 0)]
        assert 0 < ids.count(words.mask_token_id) < len(whole) - len(kept)
        return
    assert [mine if label == IGNORED else label for mine, label in zip(ids, labels, strict=True)] == whole
    assert all(
        (mine == words.mask_token_id) == (label != IGNORED) for mine, label in zip(ids, labels, strict=True)
    )


def test_noise_is_drawn_anew_every_epoch_but_for_held_texts() -> None:
    words = tiny.tokenizer()
    text = cut("you are a big good man and she is a kind person at home", words)

    def drawn(epoch: int, held: bool = False) -> list[int]:
        return Noise(words, False, 0.3, 3.0, 1, epoch).row(Example(text, 4, held))[0]

    assert len({tuple(drawn(epoch)) for epoch in range(6)}) > 3
    assert drawn(2) == drawn(2)
    assert drawn(0, held=True) == drawn(5, held=True)


def recipe(base: Path, **changed: Any) -> TrainRecipe:
    content = {
        "schema": 1, "name": "tiny-infill", "objective": "infill",
        "model": {"name": str(base), "dtype": "fp32"}, "data": {"max_source_tokens": 32},
        "infill": {"head_steps": 0, "false_alarms": 0.2},
        "method": {"name": "lora", "rank": 4, "targets": "all-linear"},
        "training": {
            "max_steps": 60, "batch_size": 8, "learning_rate": 1e-2, "evaluate_every": 30, "save_every": 30,
        },
    }  # fmt: skip
    for key, value in changed.items():
        part, _, inner = key.partition("__")
        content[part] = {**content[part], inner: value} if inner else value
    return TrainRecipe.model_validate(content)


def prepared(folder: Path, texts: dict[str, tuple[str, ...]] | None = None) -> Prepared:
    sides = texts or {"toxic": TOXIC, "clean": CLEAN}
    rows = [
        {"id": f"{side}-{at}-{turn}", "text": f"{text}{' !' * turn}", "corpus": "t",
         "labels": {"toxicity": float(side == "toxic")}}
        for side, many in sides.items() for at, text in enumerate(many) for turn in range(3)
    ]  # fmt: skip
    train_rows = [row for row in rows if not row["id"].endswith("-0")]
    dev = [{**row, "text": f"so {row['text']}"} for row in rows if row["id"].endswith("-0")]
    return write_prepared(folder, "labelled", {"train": train_rows, "dev": dev})


@pytest.fixture(scope="module")
def base(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tiny.write(tmp_path_factory.mktemp("base")) / "base"


def test_two_experts_and_a_gate_come_of_one_recipe_and_tell_rude_words(base: Path, tmp_path: Path) -> None:
    data = prepared(tmp_path / "set")
    facts = train(recipe(base), data, tmp_path / "run", quiet=True)
    assert facts["rows"] == {"absent": 8, "present": 8, "all": 16}
    toxic = facts["anti"]["dev_perplexity"], facts["expert"]["dev_perplexity"]
    assert toxic[0]["present"] < toxic[1]["present"]
    assert toxic[1]["absent"] < toxic[0]["absent"]
    experts = load_experts(tmp_path / "run" / "model")
    signed = {word.word: word.signed for word in score("you are a stupid idiot", experts)}
    assert signed["idiot"] > 0
    assert signed["idiot"] > signed["you"]
    assert experts.gate.signed == facts["gate"]["signed"]
    again = train(recipe(base), data, tmp_path / "run", quiet=True)
    assert again["gate"] == facts["gate"]


def test_a_base_without_an_output_layer_learns_one_first(base: Path, tmp_path: Path) -> None:
    bare = tiny.base().bert
    bare.save_pretrained(tmp_path / "bare")
    tiny.tokenizer().save_pretrained(tmp_path / "bare")
    data = prepared(tmp_path / "set")
    with pytest.raises(
        ConfigError, match=r"weights of its output layer are not there .* set infill\.head_steps"
    ):
        train(recipe(tmp_path / "bare"), data, tmp_path / "refused", quiet=True)
    wanted = recipe(tmp_path / "bare", infill__head_steps=4, training__max_steps=2)
    facts = train(
        wanted.changed(training__evaluate_every=2, training__save_every=2),
        data,
        tmp_path / "run",
        quiet=True,
    )
    assert facts["base"]["steps"] == 4
    about = json.loads((tmp_path / "run" / "model" / "infill.json").read_text())
    assert about["base"] is None
    assert load_experts(tmp_path / "run" / "model").trait == "toxicity"


def test_a_side_without_texts_is_told(base: Path, tmp_path: Path) -> None:
    data = prepared(tmp_path / "set", {"clean": CLEAN})
    with pytest.raises(InputError, match=r"train\.jsonl: no text with toxicity present that fits"):
        train(recipe(base), data, tmp_path / "run", quiet=True)
