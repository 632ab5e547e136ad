"""Classification by a causal model: learnt, scored by token probabilities, and what a refusal counts as."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("peft")
pytest.importorskip("transformers")

import torch
from transformers import AutoModelForCausalLM

import tiny_bases
from unbarb.data.prepared import Prepared, write_prepared
from unbarb.detect.generative import Generative
from unbarb.errors import InputError
from unbarb.prompt import built_in
from unbarb.train import generative
from unbarb.train.generative import f1s, scored, wrong
from unbarb.train.objectives import train
from unbarb.train.schema import TrainRecipe
from unbarb.train.supervised import Encoder

LABELS = ["toxicity", "insult"]


def labelled() -> list[dict[str, Any]]:
    """Both sides of each pair; insults are those that call somebody something."""
    rows = []
    for pair in tiny_bases.pairs():
        insult = any(word in pair["source"] for word in ("idiot", "fool", "moron", "loser", "liar", "dumb"))
        sides = ((pair["source"], {"toxicity": 1.0, "insult": float(insult)}),
                 (pair["target"], {"toxicity": 0.0, "insult": 0.0}))  # fmt: skip
        rows += [
            {"id": f"{pair['id']}-{at}", "text": text, "labels": labels, "corpus": "written"}
            for at, (text, labels) in enumerate(sides)
        ]
    return rows


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Prepared:
    rows = labelled()
    folder = tmp_path_factory.mktemp("rows") / "set"
    return write_prepared(folder, "labelled", {"train": rows[:48], "dev": rows[48:]})


def recipe(base: Path, **more: Any) -> TrainRecipe:
    content = tiny_bases.recipe_of(
        "llama", base, objective="generative", template={"name": "labels"},
        data={"labels": LABELS, "max_source_tokens": 128, "max_target_tokens": 32}, **more,
    )  # fmt: skip
    return TrainRecipe.model_validate(content)


def test_it_learns_to_answer_and_is_served_with_the_same_scores(data: Prepared, tmp_path: Path) -> None:
    base = tiny_bases.write("llama", tmp_path / "base")
    out = tmp_path / "run"
    facts = train(recipe(base, training__max_steps=30, training__save_every=30), data, out, quiet=True)
    assert facts["final"]["loss"] < 0.4 * tiny_bases.lines(out / "metrics.jsonl")[0]["loss"]
    assert facts["dev"]["n"] == len(data.split("dev"))
    assert set(facts["dev"]["f1"]) == set(LABELS)
    predictions = tiny_bases.lines(out / "predictions-dev.jsonl")
    detector = Generative(str(out / "model"), dtype="fp32")
    for row in predictions[:6]:
        assert detector.score(row["text"]) == pytest.approx(row["scores"], abs=1e-4)


@pytest.mark.parametrize("name", ["bloom", "phi", "opt", "llama", "mixtral"])
def test_a_texts_scores_do_not_depend_on_its_batch(name: str, tmp_path: Path) -> None:
    base = tiny_bases.write(name, tmp_path / "base")
    model = AutoModelForCausalLM.from_pretrained(base, dtype=torch.float32).eval()
    template = built_in("labels", labels=LABELS)
    encoder = Encoder(tiny_bases.tokenizer(False), template, seq2seq=False)
    texts = [row["text"] for row in labelled()[:5]] + ["word " * 20]
    with torch.inference_mode():
        together = list(scored(model, encoder, texts, batch=6))
        alone = list(scored(model, encoder, texts, batch=1))
    for one, other in zip(together, alone, strict=True):
        assert one == pytest.approx(other, abs=2e-6)
        assert all(0 <= score <= 1 for score in one.values())


def test_an_untrained_models_refusals_are_counted_as_errors(
    data: Prepared, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    answers = ["I'm sorry, but I cannot help with that.", "Toxic: 1\nInsult: 1"]
    dev = data.split("dev")

    def speaks(model: Any, encoder: Encoder, texts: list[str], recipe: TrainRecipe) -> list[str]:
        return [answers[at % 2] for at in range(len(texts))]

    # What a chat model would say; a random one says nothing of the kind.
    monkeypatch.setattr(generative, "spoken", speaks)
    base = tiny_bases.write("llama", tmp_path / "base")
    facts = train(recipe(base, method={"name": "none"}), data, tmp_path / "run", quiet=True)
    assert facts["spoken"]["n"] == len(dev)
    assert facts["spoken"]["refused"] == len(dev) // 2
    toxic = [row["labels"]["toxicity"] for row in dev]
    right = sum(toxic[1::2])
    errors = len(toxic[::2]) + len(toxic[1::2]) - right
    assert facts["spoken"]["f1"]["toxicity"] == pytest.approx(2 * right / (2 * right + errors))
    predictions = tiny_bases.lines(tmp_path / "run" / "predictions-dev.jsonl")
    assert [row["refused"] for row in predictions] == [at % 2 == 0 for at in range(len(dev))]
    assert "parameters" in facts
    assert not (tmp_path / "run" / "model").exists()


def test_a_refusal_is_wrong_in_every_label() -> None:
    template = built_in("labels", labels=LABELS)
    truth = {"toxicity": 1.0, "insult": 0.0}
    assert wrong(truth, template) == {"toxicity": 0.0, "insult": 1.0}
    assert f1s([wrong(truth, template)], [{"labels": truth}], template) == {"toxicity": 0.0, "insult": 0.0}


def test_rows_that_do_not_know_a_label_stop_the_run(tmp_path: Path) -> None:
    rows = labelled()
    del rows[2]["labels"]["insult"]
    data = write_prepared(tmp_path / "set", "labelled", {"train": rows[:40], "dev": rows[48:]})
    base = tiny_bases.write("llama", tmp_path / "base")
    with pytest.raises(InputError, match=r"train\.jsonl: 1 rows, as 'p01-0', have no label 'insult'"):
        train(recipe(base), data, tmp_path / "run", quiet=True)
