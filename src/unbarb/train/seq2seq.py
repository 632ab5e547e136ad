"""Rewriting by an encoder-decoder: T5, mT5, mT0, BART. The loss is that of the neutral text."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor
from transformers import Seq2SeqTrainer, Seq2SeqTrainingArguments

from unbarb.data.prepared import Prepared
from unbarb.train.callback import carry_out, training_arguments
from unbarb.train.models import Loaded, load, tokenizer_for
from unbarb.train.rewriters import answered, counts, encoded_splits, predicted, save
from unbarb.train.run import Run
from unbarb.train.schema import TrainRecipe
from unbarb.train.supervised import Encoded, Encoder, Rows, pad


@dataclass(frozen=True, slots=True)
class Collator:
    """Rows as a padded batch; with `model`, the decoder's inputs too, which label smoothing needs."""

    pad_id: int
    multiple: int
    model: Any = None

    def __call__(self, batch: Sequence[Encoded]) -> dict[str, Tensor]:
        tensors = pad(batch, self.pad_id, multiple=self.multiple)
        if self.model is not None:
            tensors["decoder_input_ids"] = self.model.prepare_decoder_input_ids_from_labels(
                labels=tensors["labels"]
            )
        return tensors


def train(recipe: TrainRecipe, prepared: Prepared, run: Run) -> dict[str, Any]:
    """Train on pairs into the run's folder and give the last facts of ``run.json``.

    Raises:
        ConfigError: the model or the method cannot be had.
        InputError: rows cannot be learnt from, the hub cannot be reached, or the disk is too small.
    """
    tokenizer = tokenizer_for(recipe, "seq2seq")
    encoder = Encoder(tokenizer, recipe.build_template(), seq2seq=True)
    rows, dev = encoded_splits(recipe, prepared, encoder)
    loaded = load(recipe, "seq2seq", tokenizer, run)
    if recipe.method.name == "none":
        return {**counts(rows, dev), **answered(loaded.model, encoder, prepared, recipe, run)}
    trainer = trainer_for(recipe, loaded, rows, dev, run)
    facts = carry_out(trainer, run, recipe.training, rows.mean_tokens)
    save(trainer, loaded, encoder, run, recipe)
    return {**facts, **counts(rows, dev), **predicted(trainer, encoder, prepared, recipe, run)}


def trainer_for(recipe: TrainRecipe, loaded: Loaded, rows: Rows, dev: Rows, run: Run) -> Seq2SeqTrainer:
    """The trainer of transformers with the recipe's arguments."""
    arguments = training_arguments(
        recipe.training,
        run,
        evaluated=bool(dev.encoded),
        kind=Seq2SeqTrainingArguments,
        bf16=recipe.base.dtype == "bf16",
        fp16=recipe.base.dtype == "fp16",
    )
    smoothing = recipe.training.label_smoothing > 0
    multiple = 8 if torch.cuda.is_available() else 1
    return Seq2SeqTrainer(
        model=loaded.model,
        args=arguments,
        data_collator=Collator(
            loaded.tokenizer.pad_token_id, multiple, loaded.model if smoothing else None
        ),
        train_dataset=rows.encoded,
        eval_dataset=dev.encoded or None,
        processing_class=loaded.tokenizer,
    )
