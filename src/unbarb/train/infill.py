"""Two experts that fill hidden words: the objective ``infill``, after MaRCo (Hallinan et al. 2023).

One base, two adapters on it: the expert learns from texts without the trait, the anti-expert from texts
with it. A base that has no output layer first learns to fill, with all its weights, from all texts. Every
stage is a run folder of its own, in ``stages/``, so that a stop costs no more than it does elsewhere. Last
comes the gate: how sure the two must be that a word carries the trait before it may be hidden.
"""

from __future__ import annotations

import json
import shutil
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import torch
from transformers import AutoModelForMaskedLM, AutoModelForSeq2SeqLM, set_seed
from transformers.utils import logging

from unbarb.data.prepared import Prepared, Row
from unbarb.errors import ConfigError, InputError
from unbarb.rewrite.infill.pieces import cut
from unbarb.rewrite.infill.settings import ANTI, BASE, EXPERT, FILE, Gate
from unbarb.train.callback import carry_out, training_arguments
from unbarb.train.infilling import Epochs, Example, InfillTrainer, Noise, dataset, perplexity
from unbarb.train.models import (
    attach,
    base_digest,
    load_config,
    load_model,
    load_tokenizer,
    told,
)
from unbarb.train.packaged import packaged
from unbarb.train.run import Run, is_main, space_needed
from unbarb.train.schema import InfillPart, ModelPart, TrainRecipe
from unbarb.train.targets import head_names

CALIBRATED_ON = 150
"""So many dev texts without the trait set the gate."""
HELD = 400
"""So many dev texts of each side are watched."""

Sides = dict[str, list[Example]]


def train(recipe: TrainRecipe, prepared: Prepared, run: Run) -> Mapping[str, Any]:
    """Train base (where it has no output layer), expert and anti-expert, and set the gate.

    Raises:
        ConfigError: the base cannot fill masks, or the method cannot be had on it.
        InputError: a side has no rows, or the hub cannot be reached.
    """
    part, how = packaged(recipe.base), _how(recipe)
    logging.set_verbosity_error()  # a base without an output layer is told of below, in our words
    logging.disable_progress_bar()
    tokenizer = load_tokenizer(part)
    if tokenizer.mask_token_id is None:
        raise ConfigError(
            f"model.name {recipe.base.name}: its tokenizer has no mask token; take one that has"
        )
    learnt, left_out = _sides(
        prepared.split("train")[: recipe.data.rows], how, tokenizer, recipe, "train.jsonl"
    )
    watched, _ = _sides(prepared.split("dev"), how, tokenizer, recipe, "dev.jsonl", held=HELD)
    run.pin("base", base_digest(part, load_config(part))[0])
    facts: dict[str, Any] = {
        "rows": {side: len(rows) for side, rows in learnt.items()},
        "left_out": left_out,
    }
    if how.head_steps:
        facts[BASE] = _stage(BASE, part, recipe, run, tokenizer, learnt["all"], watched)
        part = ModelPart(name=str(run.folder / "stages" / BASE / "model"), dtype=recipe.base.dtype)
    for name, side in ((EXPERT, "absent"), (ANTI, "present")):
        facts[name] = _stage(name, part, recipe, run, tokenizer, learnt[side], watched)
    if is_main():
        _gather(recipe, run, tokenizer)
        facts["gate"] = _calibrated(run.model, recipe, prepared.split("dev"), how)
    return facts


def _how(recipe: TrainRecipe) -> InfillPart:
    assert recipe.infill is not None, "checked when the recipe was read"
    return recipe.infill


def _sides(
    rows: Sequence[Row],
    how: InfillPart,
    tokenizer: Any,
    recipe: TrainRecipe,
    where: str,
    held: int | None = None,
) -> tuple[Sides, dict[str, int]]:
    """The texts of both sides, and all; those that are too long or without a word are counted.

    Raises:
        InputError: a side has none.
    """
    found: Sides = {"absent": [], "present": [], "all": []}
    left_out = {"too long": 0, "no word": 0, f"no {how.trait}": 0}
    for number, row in enumerate(rows):
        amount = row["labels"].get(how.trait)
        pieces = cut(row["text"], tokenizer)
        if amount is None:
            left_out[f"no {how.trait}"] += 1
        elif not pieces.ids:
            left_out["no word"] += 1
        elif len(pieces.ids) > recipe.data.max_source_tokens - 2:
            left_out["too long"] += 1
        else:
            example = Example(pieces, number, held is not None)
            side = "present" if amount > how.present else "absent" if amount <= how.absent else None
            for name in (side, "all") if side else ("all",):
                found[name].append(example)
    if none := [name for name in ("absent", "present") if not found[name]]:
        raise InputError(
            f"{where}: no text with {how.trait} {' and '.join(none)} that fits data.max_source_tokens"
            f" {recipe.data.max_source_tokens}; prepare a set with texts of both kinds"
        )
    return {name: one[:held] for name, one in found.items()}, left_out


def _stage(
    name: str,
    part: ModelPart,
    recipe: TrainRecipe,
    run: Run,
    tokenizer: Any,
    rows: Sequence[Example],
    watched: Sides,
) -> dict[str, Any]:
    """One training in its own run folder; a finished one is read."""
    how = _how(recipe)
    own = recipe
    if name == BASE:
        own = recipe.changed(
            training__max_steps=how.head_steps, training__learning_rate=how.base_learning_rate,
            method__name="full", training__patience=None,
        )  # fmt: skip
    folder = run.folder / "stages" / name
    told_of = {**own.to_dict(), "name": f"{recipe.name}: {name}"}
    with Run.begin(folder, recipe=told_of, digests=run.facts["digests"], quiet=True) as stage:
        stage.live = run.live
        if not stage.finished:
            set_seed(own.training.seed)
            run.live.tell(f"stage {name}: {len(rows):,} texts")
            model = _base(part, full=name == BASE, made=bool(how.head_steps) and name == BASE)
            model, attached = attach(model, own)
            for line in told(attached):
                run.live.tell(line)
            stage.need_space(space_needed(attached["parameters"]["trainable"]))
            side = {BASE: "all", EXPERT: "absent", ANTI: "present"}[name]
            trainer = _trainer(model, own, stage, tokenizer, rows, watched[side])
            tokens = sum(len(row.cut.ids) + 2 for row in rows) / len(rows)
            done = carry_out(trainer, stage, own.training, tokens)
            model.save_pretrained(stage.model)
            tokenizer.save_pretrained(stage.model)
            found = {
                other: round(perplexity(trainer.evaluate(dataset(watched[other]))["eval_loss"]), 3)
                for other in ("absent", "present")
            }
            stage.finish(**done, parameters=attached["parameters"], dev_perplexity=found)
        kept = ("steps", "best_step", "seconds", "parameters", "dev_perplexity")
        return {key: stage.facts[key] for key in kept}


def _base(part: ModelPart, *, full: bool, made: bool) -> Any:
    """The base as a model that fills masks; `made` allows an output layer that nobody trained yet.

    Raises:
        ConfigError: there is none, or it has none.
    """
    seq2seq = bool(load_config(part).is_encoder_decoder)
    auto = AutoModelForSeq2SeqLM if seq2seq else AutoModelForMaskedLM
    model, loading = load_model(part, auto, full=full, output_loading_info=True)
    missing = sorted(str(key) for key in loading["missing_keys"])
    if missing and not made:
        raise ConfigError(
            f"model.name {part.name}: {len(missing)} weights of its output layer are not there"
            f" ({', '.join(missing[:2])}); set infill.head_steps, in which they are learnt"
        )
    return model


def _trainer(
    model: Any,
    recipe: TrainRecipe,
    run: Run,
    tokenizer: Any,
    rows: Sequence[Example],
    dev: Sequence[Example],
) -> InfillTrainer:
    how = _how(recipe)
    seq2seq = bool(model.config.is_encoder_decoder)
    noise = Noise(tokenizer, seq2seq, how.hidden, how.span, recipe.training.seed)
    trainer = InfillTrainer(
        model=model,
        args=training_arguments(
            recipe.training, run, bf16=recipe.base.dtype == "bf16", fp16=recipe.base.dtype == "fp16",
            evaluated=True, train_sampling_strategy="group_by_length", prediction_loss_only=True,
        ),
        train_dataset=dataset(rows),
        eval_dataset=dataset(dev),
        data_collator=noise,
        optimizers=(_optimizer(model, recipe) if recipe.method.name == "full" else None, None),
    )  # fmt: skip
    trainer.add_callback(Epochs(noise))
    return trainer


def _optimizer(model: Any, recipe: TrainRecipe) -> torch.optim.Optimizer:
    """AdamW; an output layer that nobody trained yet learns faster than what lies below it."""
    new = head_names(model)
    head = [one for name, one in model.named_parameters() if name.split(".")[0] in new]
    body = [one for name, one in model.named_parameters() if name.split(".")[0] not in new]
    groups = [
        {"params": body, "lr": recipe.training.learning_rate},
        {"params": head, "lr": _how(recipe).head_learning_rate},
    ]
    return torch.optim.AdamW(groups, weight_decay=recipe.training.weight_decay, fused=True)


def _gather(recipe: TrainRecipe, run: Run, tokenizer: Any) -> None:
    """Put base, adapters and tokenizer together in ``run.model``; a base from elsewhere is named only."""
    for name in (BASE, EXPERT, ANTI):
        made = run.folder / "stages" / name / "model"
        if made.is_dir():
            shutil.copytree(made, run.model / name, dirs_exist_ok=True)
    for name in (EXPERT, ANTI):  # peft writes where the base happened to lie
        path = run.model / name / "adapter_config.json"
        config = json.loads(path.read_text("utf-8"))
        config["base_model_name_or_path"] = f"../{BASE}" if _how(recipe).head_steps else recipe.base.name
        path.write_text(json.dumps(config, indent=2) + "\n", encoding="utf-8")
    about = {
        "schema": 1,
        "trait": _how(recipe).trait,
        "base": None
        if _how(recipe).head_steps
        else {"name": recipe.base.name, "revision": recipe.base.revision},
    }
    (run.model / FILE).write_text(json.dumps(about, indent=2) + "\n", encoding="utf-8")


def _calibrated(folder: Path, recipe: TrainRecipe, rows: Sequence[Row], how: InfillPart) -> dict[str, Any]:
    """Set the gate on dev texts without the trait, and write it beside the experts."""
    from unbarb.rewrite.infill.experts_torch import load_experts
    from unbarb.rewrite.infill.score import calibrate

    texts = [row["text"] for row in rows if row["labels"].get(how.trait, 1.0) <= how.absent]
    longest = recipe.data.max_source_tokens
    chosen = [text for text in texts if len(text.split()) <= longest // 2][:CALIBRATED_ON]
    gate, words = calibrate(load_experts(folder), chosen, how.false_alarms)
    about = json.loads((folder / FILE).read_text("utf-8"))
    found = {**Gate.to_dict(gate), "false_alarms": how.false_alarms, "texts": len(chosen), "words": words}
    (folder / FILE).write_text(json.dumps({**about, "gate": found}, indent=2) + "\n", encoding="utf-8")
    return found
