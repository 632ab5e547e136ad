"""Rewriting by a causal model: prompt and answer as one sequence, the loss on the answer alone.

With ``training.packing`` several rows share a sequence. Positions begin anew at every row, from which
transformers builds a mask that keeps rows apart; a model that does not make it (BLOOM, OPT) would let
one row see another, so that is tried before training, on the model itself.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor
from transformers import Trainer

from unbarb.data.prepared import Prepared
from unbarb.errors import ConfigError
from unbarb.train.callback import carry_out, training_arguments
from unbarb.train.models import Loaded, load, tokenizer_for
from unbarb.train.rewriters import answered, autocast, counts, encoded_splits, predicted, save
from unbarb.train.run import Run
from unbarb.train.schema import TrainRecipe
from unbarb.train.supervised import IGNORED, Encoded, Encoder, Rows, pad, padded

Pack = list[Encoded]

APART = 1e-4
"""What one row may change in another's logits, as a share of the largest: rounding, no more."""


@dataclass(frozen=True, slots=True)
class Collator:
    """Rows as a padded batch."""

    pad_id: int
    multiple: int

    def __call__(self, batch: Sequence[Encoded]) -> dict[str, Tensor]:
        return pad(batch, self.pad_id, multiple=self.multiple)


@dataclass(frozen=True, slots=True)
class PackCollator:
    """Packs as a padded batch; the dev rows come one by one, each a pack of its own."""

    pad_id: int
    multiple: int

    def __call__(self, batch: Sequence[Pack]) -> dict[str, Tensor]:
        return packed(batch, self.pad_id, self.multiple)


def train(recipe: TrainRecipe, prepared: Prepared, run: Run) -> dict[str, Any]:
    """Train on pairs into the run's folder and give the last facts of ``run.json``.

    Raises:
        ConfigError: the model or the method cannot be had, or the model's rows cannot be packed.
        InputError: rows cannot be learnt from, the hub cannot be reached, or the disk is too small.
    """
    tokenizer = tokenizer_for(recipe, "causal")
    encoder = Encoder(tokenizer, recipe.build_template(), seq2seq=False)
    rows, dev = encoded_splits(recipe, prepared, encoder)
    loaded = load(recipe, "causal", tokenizer, run)
    if recipe.method.name == "none":
        return {**counts(rows, dev), **answered(loaded.model, encoder, prepared, recipe, run)}
    trainer, facts = fit(recipe, loaded, rows, dev, run)
    save(trainer, loaded, encoder, run, recipe)
    return {**facts, **counts(rows, dev), **predicted(trainer, encoder, prepared, recipe, run)}


def fit(
    recipe: TrainRecipe, loaded: Loaded, rows: Rows, dev: Rows, run: Run
) -> tuple[Trainer, dict[str, Any]]:
    """Train on encoded rows, whatever they ask and answer; the trainer, and the facts of the run.

    Raises:
        ConfigError: the model's rows cannot be packed.
    """
    learnt: list[Any] = list(rows.encoded)
    watched: list[Any] = list(dev.encoded)
    facts: dict[str, Any] = {}
    collator: type[Collator | PackCollator] = Collator
    if recipe.training.packing:
        with autocast(recipe, loaded.model):
            check_apart(loaded.model, rows.encoded, loaded.tokenizer.pad_token_id)
        learnt = packs(rows.encoded, recipe.data.max_source_tokens + recipe.data.max_target_tokens)
        watched = [[row] for row in dev.encoded]
        facts["packs"] = len(learnt)
        collator = PackCollator
    trainer = _trainer(recipe, loaded, learnt, watched, collator, run)
    tokens = sum(row.tokens for row in rows.encoded) / len(learnt)
    return trainer, {**facts, **carry_out(trainer, run, recipe.training, tokens)}


def trainer_for(recipe: TrainRecipe, loaded: Loaded, rows: Rows, dev: Rows, run: Run) -> Trainer:
    """The trainer of transformers with the recipe's arguments, for rows as they are."""
    return _trainer(recipe, loaded, rows.encoded, dev.encoded, Collator, run)


def _trainer(
    recipe: TrainRecipe,
    loaded: Loaded,
    learnt: Sequence[Any],
    watched: Sequence[Any],
    collator: type[Collator | PackCollator],
    run: Run,
) -> Trainer:
    return Trainer(
        model=loaded.model,
        args=training_arguments(
            recipe.training,
            run,
            evaluated=bool(watched),
            bf16=recipe.base.dtype == "bf16",
            fp16=recipe.base.dtype == "fp16",
        ),
        data_collator=collator(loaded.tokenizer.pad_token_id, 8 if torch.cuda.is_available() else 1),
        train_dataset=learnt,
        eval_dataset=watched or None,
        processing_class=loaded.tokenizer,
    )


def packs(rows: Sequence[Encoded], width: int) -> list[Pack]:
    """Rows put together, at most `width` tokens to a pack: the longest first, each where it fits best.

    Best-fit decreasing leaves little room (Johnson 1974); a row longer than `width` stands alone.
    """
    rooms: list[list[Pack]] = [[] for _ in range(width + 1)]
    made: list[Pack] = []
    for row in sorted(rows, key=lambda row: -row.tokens):
        room = next((room for room in range(row.tokens, width + 1) if rooms[room]), None)
        if room is None:
            pack: Pack = []
            made.append(pack)
            room = max(width, row.tokens)
        else:
            pack = rooms[room].pop()
        pack.append(row)
        rooms[room - row.tokens].append(pack)
    return made


def packed(batch: Sequence[Pack], pad_id: int, multiple: int = 1) -> dict[str, Tensor]:
    """Packs as a batch (packs, longest): ``input_ids``, ``labels``, ``position_ids`` from 0 at each row.

    There is no attention mask: the mask that keeps rows apart is made from the positions. Pads are one
    more row, whose labels do not count. Nor does a row's first token, which follows another's last.
    """
    ids = [[one for row in pack for one in row.input_ids] for pack in batch]
    labels = [[one for row in pack for one in (IGNORED, *row.labels[1:])] for pack in batch]
    longest = max(map(len, ids))
    width = -(-longest // multiple) * multiple
    positions = [[at for row in pack for at in range(row.tokens)] for pack in batch]
    positions = [[*one, *range(width - len(one))] for one in positions]
    return {
        "input_ids": padded(ids, pad_id, multiple),
        "labels": padded(labels, IGNORED, multiple),
        "position_ids": padded(positions, 0, multiple),
    }


def check_apart(model: Any, rows: Sequence[Encoded], pad_id: int) -> None:
    """Pack two rows, then the second behind another first one of that length: its logits must not change.

    Raises:
        ConfigError: they do, or the model takes no positions.
    """
    one, other = rows[0], rows[-1]
    strange = Encoded(one.id, one.source[::-1], one.target[::-1], seq2seq=False)
    batches = [packed([[first, other]], pad_id) for first in (one, strange)]
    training = model.training
    model.eval()
    try:
        with torch.inference_mode():
            seen = [
                # As in training: a cache would switch the mask by positions off.
                model(**{name: value.to(model.device) for name, value in batch.items()}, use_cache=False)
                .logits[0, one.tokens :]
                .float()
                for batch in batches
            ]
    except TypeError as error:
        raise _mixed(model) from error
    finally:
        model.train(training)
    if float((seen[0] - seen[1]).abs().max()) > APART * float(seen[0].abs().max()):
        raise _mixed(model)


def _mixed(model: Any) -> ConfigError:
    return ConfigError(
        f"training.packing: a packed row would see the one before it, for {model.config.model_type} makes"
        " no mask from positions; set it to false"
    )
