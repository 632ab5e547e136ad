"""What experts of infilling learn from: texts with words hidden anew every epoch, and the loss of what was.

A masked model reads a mask for every hidden piece and is asked for those alone. An encoder-decoder reads
one mask for a span, whatever its length, and is taught the whole clean text. Pads never count.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn
from transformers import Trainer, TrainerCallback, TrainerControl, TrainerState, TrainingArguments

from unbarb.rewrite.infill.pieces import Cut, around
from unbarb.rewrite.infill.sparse import only_at
from unbarb.train.noise import hidden
from unbarb.train.supervised import IGNORED, padded


@dataclass(frozen=True, slots=True)
class Example:
    """A text, cut; `number` seeds its noise; of a `held` one, for the dev loss, it is always the same."""

    cut: Cut
    number: int
    held: bool = False


def dataset(rows: Sequence[Example]) -> list[dict[str, Any]]:
    """As trainers want them: a sampler groups by the length of ``input_ids``."""
    return [{"input_ids": row.cut.ids, "example": row} for row in rows]


@dataclass
class Noise:
    """Hides words of a batch; `epoch` is set by a callback, so that a resumed run draws the same."""

    tokenizer: Any
    seq2seq: bool
    share: float
    mean: float
    seed: int
    epoch: int = 0

    def __post_init__(self) -> None:
        self.around = around(self.tokenizer)

    def __call__(self, batch: Sequence[Mapping[str, Any]]) -> dict[str, Tensor]:
        """``input_ids``, ``attention_mask`` and ``labels``, each (rows, longest)."""
        rows = [self.row(one["example"]) for one in batch]
        inputs = [row for row, _ in rows]
        return {
            "input_ids": padded(inputs, self.tokenizer.pad_token_id),
            "attention_mask": padded([[1] * len(row) for row in inputs], 0),
            "labels": padded([labels for _, labels in rows], IGNORED),
        }

    def row(self, example: Example) -> tuple[list[int], list[int]]:
        """The ids that are read, and the labels: what was hidden; of an encoder-decoder the whole text."""
        turn = 0 if example.held else self.epoch + 1
        rng = np.random.default_rng((self.seed, example.number, turn))
        cut, mask = example.cut, self.tokenizer.mask_token_id
        ids, labels, at = [], [], 0
        for first, last in hidden(len(cut.words), rng, self.share, self.mean):
            start, end = cut.bounds[first][0], cut.bounds[last - 1][1]
            if start < end:
                ids += [*cut.ids[at:start], *[mask] * (1 if self.seq2seq else end - start)]
                labels += [*[IGNORED] * (start - at), *cut.ids[start:end]]
                at = end
        ids += cut.ids[at:]
        labels += [IGNORED] * (len(cut.ids) - at)
        before, after = self.around
        ids = [*before, *ids, *after]
        if self.seq2seq:
            return ids, [*before, *cut.ids, *after]
        return ids, [*[IGNORED] * len(before), *labels, *[IGNORED] * len(after)]


class Epochs(TrainerCallback):  # type: ignore[misc]
    """Tells the noise which epoch it is."""

    def __init__(self, noise: Noise) -> None:
        self.noise = noise

    def on_epoch_begin(
        self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **_: Any
    ) -> None:
        self.noise.epoch = int(state.epoch or 0)


class InfillTrainer(Trainer):  # type: ignore[misc]
    """Mean cross-entropy over the tokens that count, those of all accumulated batches together."""

    def compute_loss(
        self, model: nn.Module, inputs: dict[str, Tensor], return_outputs: bool = False,
        num_items_in_batch: Tensor | int | None = None,
    ) -> Any:  # fmt: skip
        given = dict(inputs)
        labels = given.pop("labels")
        counts = labels != IGNORED
        bare: Any = self.accelerator.unwrap_model(model)
        if bare.config.is_encoder_decoder:
            given["decoder_input_ids"] = bare.prepare_decoder_input_ids_from_labels(labels=labels)
        with only_at(bare, counts):
            outputs = model(**given)
        logits = outputs.logits if outputs.logits.dim() == 2 else outputs.logits[counts]
        total = nn.functional.cross_entropy(logits.float(), labels[counts], reduction="sum")
        loss = total / (num_items_in_batch if num_items_in_batch is not None else counts.sum().clamp(min=1))
        return (loss, {"logits": logits}) if return_outputs else loss


def perplexity(loss: float) -> float:
    """How many pieces a model wavers between, on the mean, of a mean cross-entropy in nats."""
    return float(torch.exp(torch.tensor(loss)))
