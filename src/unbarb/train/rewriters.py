"""What trained rewriters share: their rows, their folder, and what they say to the dev rows in the end."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext
from typing import Any

import torch
from accelerate import DistributedType
from transformers import Trainer

from unbarb.data.prepared import Prepared
from unbarb.errors import InputError
from unbarb.rewrite.decoding import Decoding
from unbarb.train.models import DTYPES, Loaded
from unbarb.train.run import Run, is_main
from unbarb.train.schema import TrainRecipe
from unbarb.train.supervised import Encoder, Limits, Rows, encode, padded

PREDICTED = 200
"""So many dev rows are answered at the end; ``unbarb compare RUN --split dev`` answers them all."""

SHARDED = {DistributedType.FSDP, DistributedType.DEEPSPEED, DistributedType.MEGATRON_LM}


def taken(recipe: TrainRecipe, prepared: Prepared) -> list[dict[str, Any]]:
    """The training rows: all, or the first so many that ``data.rows`` asks for."""
    rows = prepared.split("train")
    return rows if recipe.data.rows is None else rows[: recipe.data.rows]


def encoded_splits(
    recipe: TrainRecipe, prepared: Prepared, encoder: Encoder, *, target: str = "target"
) -> tuple[Rows, Rows]:
    """Training and dev rows as ids.

    Raises:
        InputError: rows cannot be learnt from, in either split; what is wrong with both at once.
    """
    limits = Limits.of(recipe.data)
    found, problems = [], []
    for name, rows in (("train", taken(recipe, prepared)), ("dev", prepared.split("dev"))):
        try:
            found.append(encode(rows, encoder, limits, where=f"{name}.jsonl", target=target))
        except InputError as error:
            problems.append(str(error))
    if problems:
        raise InputError("\n".join(problems))
    return found[0], found[1]


def counts(train: Rows, dev: Rows) -> dict[str, Any]:
    """What ``run.json`` says of the rows."""
    return {
        "rows": {
            name: {"used": len(rows.encoded), "dropped": rows.dropped, "cut": rows.cut}
            for name, rows in (("train", train), ("dev", dev))
        }
    }


def save(trainer: Trainer, loaded: Loaded, encoder: Encoder | None, run: Run, recipe: TrainRecipe) -> None:
    """Write the adapter or the model, its tokenizer, its template and how it writes into ``run.model``.

    A model of language alone has no `encoder`, and so no template.
    """
    if trainer.accelerator.distributed_type in SHARDED:
        trainer.save_model(str(run.model))
    elif is_main():
        model = trainer.accelerator.unwrap_model(trainer.model)
        if not hasattr(model, "peft_config"):
            model.to(DTYPES[recipe.base.dtype])
            model.save_pretrained(run.model)
        else:
            # DPO keeps its reference as one more adapter, which nobody serves.
            model.save_pretrained(run.model, selected_adapters=["default"])
    if is_main():
        loaded.tokenizer.save_pretrained(run.model)
        if encoder is not None:
            encoder.template.save(run.model)
            told = recipe.decoding.model_dump(exclude_defaults=True)
            Decoding(**told).save(run.model)


def predict(
    model: Any, encoder: Encoder, rows: Sequence[Mapping[str, Any]], recipe: TrainRecipe
) -> Iterator[dict[str, Any]]:
    """What `model` answers to each row's source, with the source and the target."""
    model.eval()
    # Training switches the cache of keys and values off, and generating without it takes quadratic time.
    model.config.use_cache = True
    options = generation(recipe)
    with torch.inference_mode(), autocast(recipe, model):
        for start in range(0, len(rows), recipe.training.batch_size):
            batch = rows[start : start + recipe.training.batch_size]
            inputs = prompts(encoder, [row["source"] for row in batch], model.device)
            made = model.generate(**inputs, **options, pad_token_id=encoder.tokenizer.pad_token_id)
            if not encoder.seq2seq:
                made = made[:, inputs["input_ids"].shape[1] :]
            texts = encoder.tokenizer.batch_decode(made, skip_special_tokens=True)
            for row, text in zip(batch, texts, strict=True):
                told = {key: row[key] for key in ("id", "source", "target") if key in row}
                yield {**told, "prediction": encoder.template.parse(text)}


def prompts(encoder: Encoder, texts: Sequence[str], device: Any) -> dict[str, torch.Tensor]:
    """Prompts as a batch (texts, longest); padded on the left for a causal model, which goes on there."""
    ids = [encoder.prompt(text) for text in texts]
    left = not encoder.seq2seq
    return {
        "input_ids": padded(ids, encoder.tokenizer.pad_token_id, left=left).to(device),
        "attention_mask": padded([[1] * len(one) for one in ids], 0, left=left).to(device),
    }


def generation(recipe: TrainRecipe) -> dict[str, Any]:
    """The arguments of ``generate`` for a recipe's ``decoding``; nothing is drawn by chance."""
    part = recipe.decoding
    return {
        "num_beams": part.beams,
        "max_new_tokens": part.max_new_tokens,
        "no_repeat_ngram_size": part.no_repeat_ngram,
        "repetition_penalty": part.repetition_penalty,
        "do_sample": False,
    }


def autocast(recipe: TrainRecipe, model: Any) -> AbstractContextManager[Any]:
    """The numbers that a recipe computes in."""
    dtype = DTYPES[recipe.base.dtype]
    if dtype == torch.float32:
        return nullcontext()
    return torch.autocast(model.device.type, dtype=dtype)


def predicted(
    trainer: Trainer, encoder: Encoder, prepared: Prepared, recipe: TrainRecipe, run: Run
) -> dict[str, Any]:
    """Answer the first dev rows and write them down, unless the weights are spread over devices."""
    if trainer.accelerator.distributed_type in SHARDED:
        return {}
    model = trainer.accelerator.unwrap_model(trainer.model)
    return answered(model, encoder, prepared, recipe, run)


def answered(
    model: Any, encoder: Encoder, prepared: Prepared, recipe: TrainRecipe, run: Run
) -> dict[str, Any]:
    """Answer the first dev rows and write them down; all there is to do where nothing is trained."""
    if not is_main():
        return {}
    rows = prepared.split("dev")[:PREDICTED]
    run.predicted(predict(model, encoder, rows, recipe))
    return {"predictions": len(rows)}
