"""Preferences: what was chosen becomes likelier than what was rejected, and prompts are not taught."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("peft")
pytest.importorskip("trl")

import tiny_bases
from unbarb.data.prepared import Prepared, write_prepared
from unbarb.errors import ConfigError, InputError
from unbarb.train.objectives import train
from unbarb.train.schema import TrainRecipe

# trl and peft ask transformers for it by the old name.
pytestmark = pytest.mark.filterwarnings("ignore:.*gradient_checkpointing.*:FutureWarning")


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Prepared:
    rows = [
        {"id": row["id"], "source": row["source"], "chosen": row["target"], "rejected": row["source"],
         "corpus": "written"}
        for row in tiny_bases.pairs()
    ]  # fmt: skip
    folder = tmp_path_factory.mktemp("rows") / "set"
    return write_prepared(folder, "preferences", {"train": rows[:32], "dev": rows[32:]})


def recipe(name: str, base: Path, way: str, method: str, **more: Any) -> TrainRecipe:
    content = tiny_bases.recipe_of(
        name, base, objective="preference", preference={"name": way, **more.pop("preference", {})},
        method={"name": method, "rank": 8}, training__max_steps=more.pop("steps", 20),
        training__save_every=20, training__evaluate_every=20, training__learning_rate=5e-3, **more,
    )  # fmt: skip
    return TrainRecipe.model_validate(content)


@pytest.mark.parametrize(
    ("name", "way", "method"),
    [
        ("t5", "orpo", "lora"),
        pytest.param("llama", "orpo", "full", marks=pytest.mark.slow),
        pytest.param("llama", "dpo", "lora", marks=pytest.mark.slow),
        pytest.param("llama", "dpo", "full", marks=pytest.mark.slow),
        pytest.param("bart", "orpo", "full", marks=pytest.mark.slow),
        pytest.param("mt5", "orpo", "lora", marks=pytest.mark.slow),
    ],
)
def test_what_was_chosen_becomes_likelier(
    name: str, way: str, method: str, data: Prepared, tmp_path: Path
) -> None:
    base = tiny_bases.write(name, tmp_path / "base")
    steps = 40 if name == "mt5" else 20  # its output layer is its own, and learns later
    facts = train(recipe(name, base, way, method, steps=steps), data, tmp_path / "run", quiet=True)
    logged = tiny_bases.lines(tmp_path / "run" / "metrics.jsonl")
    margins = [line["rewards/margins"] for line in logged if "rewards/margins" in line]
    assert margins[-1] > margins[0]
    assert facts["final"]["rewards/accuracies"] > 0.9
    assert facts["rows"]["train"] == {"used": 32, "dropped": 0}
    # DPO's reference is an adapter too; it is not what was trained.
    assert not (tmp_path / "run" / "model" / "ref").exists()
    weights = "adapter_model.safetensors" if method == "lora" else "model.safetensors"
    assert weights in facts["model_files"]
    assert len(tiny_bases.lines(tmp_path / "run" / "predictions-dev.jsonl")) == 4


def test_orpo_does_not_teach_a_causal_model_its_prompts(data: Prepared, tmp_path: Path) -> None:
    """Its likelihood term is the loss of the answers alone, as a supervised run on the chosen has it."""
    base = tiny_bases.write("llama", tmp_path / "base")
    still = {"training__max_steps": 1, "training__batch_size": 32}
    taught = recipe("llama", base, "orpo", "full").to_dict()
    taught["training"] |= {"max_steps": 1, "batch_size": 32, "save_every": 20}
    train(TrainRecipe.model_validate(taught), data, tmp_path / "orpo", quiet=True)
    pairs = tiny_bases.prepared(tmp_path / "pairs")
    supervised = TrainRecipe.model_validate(tiny_bases.recipe_of("llama", base, **still))
    train(supervised, pairs, tmp_path / "supervised", quiet=True)
    orpo = tiny_bases.lines(tmp_path / "orpo" / "metrics.jsonl")[0]["nll_loss"]
    wanted = tiny_bases.lines(tmp_path / "supervised" / "metrics.jsonl")[0]["loss"]
    assert orpo == pytest.approx(wanted, rel=1e-4)


def test_it_goes_on_from_the_adapter_of_a_supervised_run(data: Prepared, tmp_path: Path) -> None:
    base = tiny_bases.write("t5", tmp_path / "base")
    first = tiny_bases.recipe_of(
        "t5", base, method={"name": "lora", "rank": 8}, training__max_steps=20,
        training__learning_rate=1e-2,
    )  # fmt: skip
    pairs = tiny_bases.prepared(tmp_path / "pairs", dev=False)
    taught = train(TrainRecipe.model_validate(first), pairs, tmp_path / "first", quiet=True)
    start = {"start": str(tmp_path / "first" / "model")}
    facts = train(
        recipe("t5", base, "orpo", "lora", preference=start), data, tmp_path / "second", quiet=True
    )
    began = tiny_bases.lines(tmp_path / "second" / "metrics.jsonl")[0]["nll_loss"]
    assert began == pytest.approx(taught["final"]["loss"], abs=1.0)
    assert facts["final"]["nll_loss"] < began
    other = recipe("t5", base, "orpo", "rslora", preference=start)
    with pytest.raises(ConfigError, match="use_rslora is False there and True in the recipe"):
        train(other, data, tmp_path / "third", quiet=True)
    nowhere = recipe("t5", base, "orpo", "lora", preference={"start": str(tmp_path)})
    with pytest.raises(ConfigError, match="no adapter and no model there"):
        train(nowhere, data, tmp_path / "fourth", quiet=True)


def test_dpo_of_an_encoder_decoder_and_long_answers_stop_before_training(
    data: Prepared, tmp_path: Path
) -> None:
    base = tiny_bases.write("t5", tmp_path / "base")
    with pytest.raises(ConfigError, match=r"preference\.name dpo: learns with causal models only"):
        train(recipe("t5", base, "dpo", "lora"), data, tmp_path / "dpo", quiet=True)
    short = recipe("t5", base, "orpo", "lora", data={"max_source_tokens": 64, "max_target_tokens": 4})
    with pytest.raises(InputError, match=r"the answer is longer than data\.max_target_tokens 4"):
        train(short, data, tmp_path / "short", quiet=True)
