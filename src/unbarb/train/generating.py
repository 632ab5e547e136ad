"""A run's generating model over rows it may never have seen, asked as at the end of its training.

The adapter stands on its base in the recipe's numbers, without quantisation, as a policy reads it.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import torch
from transformers import AutoConfig, AutoModelForCausalLM, AutoModelForSeq2SeqLM

from unbarb.detect.folder import UNBOUNDED, ModelFolder
from unbarb.detect.pretrained import Pretrained, load
from unbarb.prompt import Template
from unbarb.train.generative import scored
from unbarb.train.rewriters import autocast, predict
from unbarb.train.schema import TrainRecipe
from unbarb.train.supervised import Encoder

PLACES = ("max_position_embeddings", "n_positions", "max_sequence_length")


def generated(
    model: Path, recipe: TrainRecipe, rows: Sequence[Mapping[str, Any]]
) -> Iterator[dict[str, Any]]:
    """Each row with its ``prediction``, or with its ``scores`` by label where labels were learnt.

    Where nothing was trained (``method: none``) the base answers. A text that does not fit the model gets
    none: it is unscored.

    Raises:
        ModelError: there is no such model, or it does not load.
    """
    trained = model.is_dir()
    folder = (
        ModelFolder.find(model)
        if trained
        else ModelFolder.find(recipe.base.name, None, recipe.base.revision)
    )
    seq2seq = bool(AutoConfig.from_pretrained(folder.base or folder.path).is_encoder_decoder)
    loaded = load(
        AutoModelForSeq2SeqLM if seq2seq else AutoModelForCausalLM, folder, dtype=recipe.base.dtype
    )
    if loaded.tokenizer.pad_token_id is None:
        loaded.tokenizer.pad_token = loaded.tokenizer.eos_token
    template = Template.load(folder.path) if trained else recipe.build_template()
    encoder = Encoder(loaded.tokenizer, template, seq2seq=seq2seq)
    labelled = recipe.objective == "generative"
    limit = _limit(loaded) - (0 if seq2seq else recipe.decoding.max_new_tokens)
    size = recipe.training.batch_size
    for start in range(0, len(rows), size):
        batch = rows[start : start + size]
        texts = [row["text" if labelled else "source"] for row in batch]
        fits = [len(encoder.prompt(text)) <= limit for text in texts]
        asked = [row for row, one in zip(batch, fits, strict=True) if one]
        answer = _scores if labelled else predict
        answers = iter(list(answer(loaded.model, encoder, asked, recipe)))
        for row, one in zip(batch, fits, strict=True):
            yield next(answers) if one else {**row, "scores" if labelled else "prediction": None}


def _scores(
    model: Any, encoder: Encoder, rows: Sequence[Mapping[str, Any]], recipe: TrainRecipe
) -> Iterator[dict[str, Any]]:
    model.config.use_cache = True
    with torch.inference_mode(), autocast(recipe, model):
        found = list(scored(model, encoder, [row["text"] for row in rows], max(1, len(rows))))
    for row, scores in zip(rows, found, strict=True):
        yield {**row, "scores": scores}


def _limit(loaded: Pretrained) -> int:
    """The longest prompt, in tokens, that the model has places for."""
    places = [getattr(loaded.model.config, name, None) for name in PLACES]
    known = [place for place in (*places, loaded.tokenizer.model_max_length) if place and place < UNBOUNDED]
    return min(known, default=UNBOUNDED)
