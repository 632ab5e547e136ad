"""Trains the proofreading trunk: does a sentence read as a person wrote it, or as an edit left it?

A few layers are enough for it, and make it quick: it reads many candidates for one rewrite.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import torch
from torch import Tensor, nn

from unbarb.train.batches import Batch, Row
from unbarb.train.detector import known_bce
from unbarb.train.loop import Report
from unbarb.train.multitask import Encoder, SentenceHead
from unbarb.train.trunks import TrunkSettings, learn_rows


@dataclass(frozen=True, slots=True)
class ProofreaderSettings(TrunkSettings):
    """What the recipe may set for the proofreading trunk; `layers` are the base model's first ones."""

    layers: int = 3
    pieces_per_batch: int = 1536
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
    return learn_rows(model, "proofreading", rows, loss_of, settings, folder, progress)


def loss_of(model: Proofreader, batch: Batch) -> Tensor:
    """Mean binary cross-entropy of being intact."""
    return known_bce(model(batch.ids, batch.mask).float(), batch.labels).mean()
