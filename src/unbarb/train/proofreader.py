"""Trains the proofreading trunk: does a sentence read as a person wrote it, or as an edit left it?

A few layers are enough for it, and make it quick: it reads every candidate of a rewrite.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import torch
from torch import Tensor, nn

from unbarb.train.batches import Row, batches, count
from unbarb.train.detector import known_bce
from unbarb.train.loop import Pace, Report, learn
from unbarb.train.multitask import Encoder, SentenceHead


@dataclass(frozen=True, slots=True)
class ProofreaderSettings:
    """What the recipe may set for the proofreading trunk; `layers` are the base model's first ones."""

    layers: int = 3
    rank: int = 48
    epochs: int = 3
    learning_rate: float = 7e-4
    head_learning_rate: float = 1e-3
    pieces_per_batch: int = 1536
    dropout: float = 0.1
    seed: int = 17


class Proofreader(nn.Module):
    """Encoder with one sentence head: the logit of being intact."""

    def __init__(self, base: Path, settings: ProofreaderSettings) -> None:
        super().__init__()
        self.encoder = Encoder(base, settings.rank, settings.dropout, settings.layers)
        self.intact = SentenceHead(1)

    def forward(self, ids: Tensor, mask: Tensor) -> Tensor:
        """Logits, (b, 1)."""
        logits: Tensor = self.intact(self.encoder(ids, mask), mask)
        return logits


def train_proofreader(
    rows: Callable[[int], Sequence[Row]],
    base: Path,
    settings: ProofreaderSettings,
    folder: Path,
    progress: Report,
) -> Proofreader:
    """Train on ``rows(epoch)`` and give the model; losses go to `folder`/metrics.jsonl."""
    torch.manual_seed(settings.seed)
    model = Proofreader(base, settings)
    first = rows(0)
    steps = count(first, settings.pieces_per_batch) * settings.epochs

    def losses(epoch: int) -> Iterator[tuple[str, Tensor]]:
        current = first if epoch == 0 else rows(epoch)
        for batch in batches(current, settings.pieces_per_batch, settings.seed + epoch):
            with torch.autocast("cpu", torch.bfloat16):
                logits = model(batch.ids, batch.mask)
            yield "proofreading", known_bce(logits.float(), batch.labels).mean()

    pace = Pace(settings.epochs, steps, settings.learning_rate, settings.head_learning_rate)
    learn(model, losses, pace, folder, progress)
    return model
