"""Trains a linear model over piece ids: the sketch of candidates."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from unbarb.detect.pieces import BUCKETS, PIECES, pair_rows
from unbarb.train.detector import known_bce

ROWS = PIECES + BUCKETS


@dataclass(frozen=True, slots=True)
class PieceSettings:
    """What the recipe may set."""

    epochs: int = 4
    learning_rate: float = 0.02
    batch: int = 256
    seed: int = 3


def train_pieces(
    pieces: Sequence[NDArray[np.int64]], targets: NDArray[np.float32], settings: PieceSettings
) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Weights (rows, labels) and bias (labels,), from texts as piece ids (one stretch each).

    `targets` has shape (texts, labels), NaN where a label is not known.
    """
    torch.manual_seed(settings.seed)
    rng = np.random.default_rng(settings.seed)
    bag = nn.EmbeddingBag(ROWS, targets.shape[1], mode="sum", sparse=True)
    nn.init.zeros_(bag.weight)
    seen = (~np.isnan(targets)).sum(axis=0)
    mean = np.nansum(targets, axis=0) / np.maximum(seen, 1)
    known = np.where(seen > 0, mean, 0.05).clip(0.005, 0.5)
    bias = nn.Parameter(torch.tensor(np.log(known / (1 - known)), dtype=torch.float32))
    table = torch.optim.SparseAdam(list(bag.parameters()), lr=settings.learning_rate)
    offset = torch.optim.Adam([bias], lr=settings.learning_rate / 4)
    rows = [np.concatenate((ids, pair_rows(ids))) for ids in pieces]
    for _ in range(settings.epochs):
        order = rng.permutation(len(rows))
        for start in range(0, len(order), settings.batch):
            chosen = order[start : start + settings.batch]
            loss = _loss(bag, bias, [rows[i] for i in chosen], torch.from_numpy(targets[chosen]))
            loss.backward()  # type: ignore[no-untyped-call]
            table.step()  # type: ignore[no-untyped-call]
            offset.step()
            table.zero_grad()
            offset.zero_grad()
    return bag.weight.detach().numpy(), bias.detach().numpy()


def _loss(bag: nn.EmbeddingBag, bias: Tensor, rows: Sequence[NDArray[np.int64]], targets: Tensor) -> Tensor:
    lengths = torch.tensor([len(row) for row in rows])
    starts = torch.cumsum(lengths, 0) - lengths
    sums = bag(torch.from_numpy(np.concatenate(rows)), starts)
    logits = sums / lengths.float().sqrt()[:, None] + bias
    return known_bce(logits, targets).sum() / (~torch.isnan(targets)).sum().clamp(min=1)


def save_pieces(weights: NDArray[np.float32], bias: NDArray[np.float32], path: Path) -> None:
    """Store the model with int8 weights, one scale per label."""
    scale = np.maximum(np.quantile(np.abs(weights[np.abs(weights).sum(1) > 0]), 0.9999, axis=0), 1e-9) / 127
    values = np.clip(np.round(weights / scale), -127, 127).astype(np.int8)
    np.savez_compressed(
        path,
        weights=values,
        scale=scale.astype(np.float32),
        bias=bias,
    )
