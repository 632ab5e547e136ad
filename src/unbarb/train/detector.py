"""Trains the detection trunk: six sentence labels and the toxic words, all corpora at once."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import torch
from torch import Tensor, nn

from unbarb.train.batches import Batch, Row
from unbarb.train.loop import Report
from unbarb.train.multitask import Encoder, SentenceHead, WordHead
from unbarb.train.trunks import TrunkSettings, learn_rows


@dataclass(frozen=True, slots=True)
class DetectorSettings(TrunkSettings):
    """What the recipe may set for the detection trunk."""

    span_weight: float = 0.6


class Detector(nn.Module):
    """Encoder with a label head and a span head.

    Corpora were labelled by other rules: each of `habits` has an intercept of its own while learning,
    so that the heads learn what all agree on. Habit 0 has none, and is how the model speaks.
    """

    def __init__(self, base: Path, settings: DetectorSettings, labels: int, habits: int = 0) -> None:
        super().__init__()
        self.encoder = Encoder(base, settings.rank, settings.dropout)
        self.labels = SentenceHead(labels)
        self.spans = WordHead(1)
        self.habits = nn.Embedding(habits + 1, labels, padding_idx=0)
        nn.init.zeros_(self.habits.weight)

    def forward(self, ids: Tensor, mask: Tensor) -> tuple[Tensor, Tensor]:
        """Label logits (b, outputs) and span logits (b, t)."""
        hidden = self.encoder(ids, mask)
        return self.labels(hidden, mask), self.spans(hidden).squeeze(-1)


def known_bce(logits: Tensor, targets: Tensor) -> Tensor:
    """Binary cross-entropy where the target is known (not NaN), 0 elsewhere; same shape."""
    known = ~torch.isnan(targets)
    loss = nn.functional.binary_cross_entropy_with_logits(
        logits, torch.where(known, targets, torch.zeros_like(targets)), reduction="none"
    )
    return loss * known


def loss_of(model: Detector, batch: Batch, span_weight: float) -> Tensor:
    """Mean label loss per known label plus the weighted mean span loss per known word."""
    labels, spans = model(batch.ids, batch.mask)
    weight = batch.weight
    label_loss = (known_bce(labels + model.habits(batch.habit), batch.labels) * weight[:, None]).sum()
    label_known = ((~torch.isnan(batch.labels)) * weight[:, None]).sum().clamp(min=1)
    span_loss = (known_bce(spans, batch.words) * weight[:, None]).sum()
    span_known = ((~torch.isnan(batch.words)) * weight[:, None]).sum().clamp(min=1)
    return label_loss / label_known + span_weight * span_loss / span_known


def train_detector(
    rows: Callable[[int], Sequence[Row]],
    base: Path,
    labels: int,
    settings: DetectorSettings,
    folder: Path,
    progress: Report,
    habits: int = 0,
) -> Detector:
    """Train on ``rows(epoch)`` and give the model; losses go to `folder`/metrics.jsonl."""
    torch.manual_seed(settings.seed)
    return learn_on(Detector(base, settings, labels, habits), rows, settings, folder, progress)


def learn_on(
    model: Detector,
    rows: Callable[[int], Sequence[Row]],
    settings: DetectorSettings,
    folder: Path,
    progress: Report,
) -> Detector:
    """Train `model` from where it is, on ``rows(epoch)``, and give it back."""

    def loss(model: Detector, batch: Batch) -> Tensor:
        return loss_of(model, batch, settings.span_weight)

    return learn_rows(model, "detection", rows, loss, settings, folder, progress)
