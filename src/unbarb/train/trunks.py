"""What the trunks of the embedded model have in common when they learn."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

import torch
from torch import Tensor, nn

from unbarb.train.batches import Batch, Row, batches, count
from unbarb.train.loop import Pace, Report, learn

Model = TypeVar("Model", bound=nn.Module)


@dataclass(frozen=True, slots=True)
class TrunkSettings:
    """What the recipe may set for any trunk."""

    rank: int = 48
    epochs: int = 3
    learning_rate: float = 7e-4
    head_learning_rate: float = 1e-3
    pieces_per_batch: int = 2048
    dropout: float = 0.1
    seed: int = 7


def learn_rows(
    model: Model,
    name: str,
    rows: Callable[[int], Sequence[Row]],
    loss_of: Callable[[Model, Batch], Tensor],
    settings: TrunkSettings,
    folder: Path,
    progress: Report,
) -> Model:
    """Train `model` on ``rows(epoch)`` and give it back; losses of `name` go to `folder`/metrics.jsonl."""
    first = rows(0)
    steps = count(first, settings.pieces_per_batch) * settings.epochs

    def losses(epoch: int) -> Iterator[tuple[str, Tensor]]:
        current = first if epoch == 0 else rows(epoch)
        for batch in batches(current, settings.pieces_per_batch, settings.seed + epoch):
            with torch.autocast("cpu", torch.bfloat16):
                loss = loss_of(model, batch)
            yield name, loss

    pace = Pace(settings.epochs, steps, settings.learning_rate, settings.head_learning_rate)
    learn(model, losses, pace, folder, progress)
    return model
