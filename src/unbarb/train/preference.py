"""Learning what people preferred: ORPO without a reference model (T5 and BART too), or DPO beside one.

Rows become ids here, as for every other objective, so that what is preferred is said in the words a model
is asked in; trl's trainers do the rest. ORPO: Hong et al. 2024 (https://arxiv.org/abs/2403.07691); DPO:
Rafailov et al. 2023 (https://arxiv.org/abs/2305.18290).
"""

from __future__ import annotations

import copy
import warnings
from collections.abc import Sequence
from typing import Any

from datasets import Dataset, disable_progress_bars
from torch import Tensor
from torch.nn.functional import cross_entropy
from transformers import Trainer
from trl.trainer.dpo_config import DPOConfig
from trl.trainer.dpo_trainer import DPOTrainer

from unbarb.data.prepared import Prepared
from unbarb.errors import ConfigError, InputError
from unbarb.train.callback import carry_out, training_arguments
from unbarb.train.models import Kind, Loaded, is_encoder_decoder, load, tokenizer_for
from unbarb.train.rewriters import predicted, save, taken
from unbarb.train.run import Run
from unbarb.train.schema import PreferencePart, TrainRecipe
from unbarb.train.supervised import IGNORED, Encoded, Encoder, Limits, encode

with warnings.catch_warnings():
    # trl says that ORPO may move; a version that has moved it fails here, at once.
    warnings.simplefilter("ignore")
    from trl.experimental.orpo import ORPOConfig, ORPOTrainer

Choice = tuple[Encoded, Encoded]
"""A row with what was chosen, and with what was rejected."""


def train(recipe: TrainRecipe, prepared: Prepared, run: Run) -> dict[str, Any]:
    """Train on preferences into the run's folder and give the last facts of ``run.json``.

    Raises:
        ConfigError: the model or the method cannot be had, or DPO is asked of an encoder-decoder.
        InputError: rows cannot be learnt from, the hub cannot be reached, or the disk is too small.
    """
    disable_progress_bars()
    part = recipe.preference or PreferencePart()
    kind: Kind = "seq2seq" if is_encoder_decoder(recipe.base) else "causal"
    if part.name == "dpo" and kind == "seq2seq":
        raise ConfigError("preference.name dpo: learns with causal models only; set it to orpo")
    tokenizer = tokenizer_for(recipe, kind)
    encoder = Encoder(tokenizer, recipe.build_template(), seq2seq=kind == "seq2seq")
    rows, dev = taken(recipe, prepared), prepared.split("dev")
    chosen, watched = choices(rows, dev, encoder, Limits.of(recipe.data))
    loaded = load(recipe, kind, tokenizer, run, start=part.start)
    make = orpo if part.name == "orpo" else dpo
    trainer = make(recipe, part, loaded, chosen, watched, run)
    tokens = sum(good.tokens + bad.tokens for good, bad in chosen) / len(chosen)
    facts = carry_out(trainer, run, recipe.training, tokens)
    save(trainer, loaded, encoder, run, recipe)
    used = {
        "train": {"used": len(chosen), "dropped": len(rows) - len(chosen)},
        "dev": {"used": len(watched), "dropped": len(dev) - len(watched)},
    }
    return {**facts, "rows": used, **predicted(trainer, encoder, prepared, recipe, run)}


def choices(
    rows: Sequence[dict[str, Any]], dev: Sequence[dict[str, Any]], encoder: Encoder, limits: Limits
) -> tuple[list[Choice], list[Choice]]:
    """Both sides of every row as ids; a row of which one side is dropped for its length goes whole.

    Raises:
        InputError: rows cannot be learnt from; what is wrong with either split and side, at once.
    """
    found: list[list[Choice]] = []
    problems: list[str] = []
    for name, given in (("train", rows), ("dev", dev)):
        sides: list[dict[str, Encoded]] = []
        for side in ("chosen", "rejected"):
            try:
                kept = encode(given, encoder, limits, where=f"{name}.jsonl", target=side)
            except InputError as error:
                problems.append(str(error))
                continue
            sides.append({row.id: row for row in kept.encoded})
        if len(sides) == 2:
            good, bad = sides
            found.append([(good[row], bad[row]) for row in good if row in bad])
    if problems:
        raise InputError("\n".join(dict.fromkeys(problems)))
    return found[0], found[1]


def orpo(
    recipe: TrainRecipe,
    part: PreferencePart,
    loaded: Loaded,
    rows: list[Choice],
    dev: list[Choice],
    run: Run,
) -> Trainer:
    """ORPO by trl's trainer."""
    return AnswerORPO(
        model=loaded.model,
        args=arguments(recipe, run, dev, ORPOConfig, beta=part.beta, disable_dropout=False,
                       max_completion_length=recipe.data.max_target_tokens),
        train_dataset=dataset(rows),
        eval_dataset=dataset(dev) if dev else None,
        processing_class=loaded.tokenizer,
    )  # fmt: skip


def dpo(
    recipe: TrainRecipe,
    part: PreferencePart,
    loaded: Loaded,
    rows: list[Choice],
    dev: list[Choice],
    run: Run,
) -> Trainer:
    """DPO by trl's trainer; the reference is the adapter as it began, or a frozen copy of the model."""
    adapted = hasattr(loaded.model, "peft_config")
    return EncodedDPO(
        model=loaded.model,
        ref_model=None if adapted else copy.deepcopy(loaded.model),
        args=arguments(recipe, run, dev, DPOConfig, beta=part.beta),
        train_dataset=dataset(rows),
        eval_dataset=dataset(dev) if dev else None,
        processing_class=loaded.tokenizer,
    )


def arguments(recipe: TrainRecipe, run: Run, dev: list[Choice], kind: Any, **more: Any) -> Any:
    """The trainer's arguments; no row is longer than `max_length`, for that was checked before."""
    return training_arguments(
        recipe.training,
        run,
        bf16=recipe.base.dtype == "bf16",
        fp16=recipe.base.dtype == "fp16",
        evaluated=bool(dev),
        kind=kind,
        max_length=recipe.data.max_source_tokens + recipe.data.max_target_tokens,
        **more,
    )


def dataset(rows: Sequence[Choice]) -> Dataset:
    """The rows as trl's trainers name their columns; the texts are what trl looks for and nobody reads."""
    return Dataset.from_list(
        [
            {
                "prompt": "", "chosen": "", "rejected": "",
                "prompt_ids": list(good.source), "chosen_ids": list(good.target),
                "rejected_ids": list(bad.target),
            }
            for good, bad in rows
        ]
    )  # fmt: skip


class AnswerORPO(ORPOTrainer):  # type: ignore[misc]
    """ORPO on ids made here, whose likelihood term is that of the answer.

    trl's own takes the prompt of a causal model into it, and so teaches it to write rude text.
    """

    def tokenize_row(self, feature: dict[str, list[int]], model: Any = None) -> dict[str, list[int]]:
        """The columns of a row under the names that the collator reads."""
        prompt = feature["prompt_ids"]
        row = {"prompt_input_ids": prompt, "prompt_attention_mask": [1] * len(prompt)}
        for side in ("chosen", "rejected"):
            answer = feature[f"{side}_ids"]
            if self.is_encoder_decoder:
                row[f"{side}_labels"] = answer
                continue
            row[f"{side}_input_ids"] = prompt + answer
            row[f"{side}_attention_mask"] = [1] * len(prompt + answer)
            row[f"{side}_labels"] = [IGNORED] * len(prompt) + answer
        return row

    def concatenated_forward(self, model: Any, batch: dict[str, Any]) -> tuple[Any, ...]:
        """As trl's, with another fifth member for causal models: the mean loss of the chosen answers."""
        found = tuple(super().concatenated_forward(model, batch))
        if self.is_encoder_decoder:
            return found
        logits: Tensor = found[2]
        labels = batch["chosen_labels"][:, 1:]
        seen = logits[:, : labels.shape[1]]
        loss = cross_entropy(seen.flatten(0, 1).float(), labels.flatten(), ignore_index=IGNORED)
        return (*found[:4], loss, *found[5:])


class EncodedDPO(DPOTrainer):  # type: ignore[misc]
    """DPO on ids made here."""

    def _prepare_dataset(self, dataset: Dataset, *_: Any) -> Dataset:
        return dataset
