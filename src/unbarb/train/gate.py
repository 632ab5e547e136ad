"""Trains the gate: it learns the ungated detector's scores, from texts as piece ids."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from unbarb.detect.gate import Gate

Arrays = dict[str, NDArray[np.generic]]
OUTSIDE_SCORE = 1e-3
"""The lowest score a label may have on average, so that the first bias is finite."""


@dataclass(frozen=True, slots=True)
class GateSettings:
    """What the recipe may set: size, and how it learns.

    `longest` is how many pieces of a text are read in training, `dropped` the share of pieces that are
    hidden at random.
    """

    vector: int = 24
    filters: int = 64
    epochs: int = 6
    learning_rate: float = 4e-3
    decay: float = 0.01
    dropped: float = 0.08
    batch: int = 128
    longest: int = 256
    seed: int = 3


class _Net(nn.Module):
    """The gate with real numbers; a piece's vector is a projection of the encoder's embedding of it."""

    def __init__(self, embeddings: Tensor, settings: GateSettings, means: Tensor) -> None:
        super().__init__()
        self.embeddings = embeddings
        self.project = nn.Linear(embeddings.shape[1], settings.vector, bias=False)
        nn.init.normal_(self.project.weight, std=embeddings.shape[1] ** -0.5)
        self.detect = nn.Linear(3 * settings.vector, settings.filters)
        self.output = nn.Linear(settings.filters, len(means))
        self.output.bias.data = torch.log(means / (1 - means))

    def forward(self, ids: Tensor, inside: Tensor, dropped: float) -> Tensor:
        """Logits (b, labels) of texts (b, t + 2) with a piece outside on both sides."""
        pieces, at = torch.unique(ids, return_inverse=True)
        vectors = self.project(self.embeddings[pieces])[at]
        vectors = vectors * (torch.rand(ids.shape) >= dropped)[..., None]
        beside = torch.cat((vectors[:, :-2], vectors[:, 1:-1], vectors[:, 2:]), dim=-1)
        lit = torch.relu(self.detect(beside)) * inside[..., None]
        logits: Tensor = self.output(lit.amax(dim=1))
        return logits


def train_gate(
    texts: Sequence[Sequence[int]],
    scores: NDArray[np.float32],
    embeddings: NDArray[np.float32],
    settings: GateSettings,
) -> Arrays:
    """The arrays of a gate, its floors at 1, that scores `texts` (piece ids) as the ungated detector did.

    Args:
        scores: the ungated detector's, shape (texts, labels).
        embeddings: the encoder's word embeddings, shape (pieces, width).
    """
    torch.manual_seed(settings.seed)
    rng = np.random.default_rng(settings.seed)
    filled = [at for at, ids in enumerate(texts) if len(ids)]
    cut = [np.asarray(texts[at][: settings.longest], np.int64) for at in filled]
    targets = torch.from_numpy(scores[filled])
    rows = torch.from_numpy(np.concatenate((embeddings / embeddings.std(), np.zeros_like(embeddings[:1]))))
    net = _Net(rows, settings, targets.mean(0).clamp(OUTSIDE_SCORE, 0.5))
    optimiser = torch.optim.AdamW(net.parameters(), lr=settings.learning_rate, weight_decay=settings.decay)
    steps = settings.epochs * -(-len(cut) // settings.batch)
    pace = torch.optim.lr_scheduler.LambdaLR(
        optimiser, lambda step: min(1.0, (step + 1) / 50) * max(0.01, 1 - step / steps)
    )
    lengths = np.array([len(ids) for ids in cut])
    for _ in range(settings.epochs):
        order = np.argsort(lengths + 6 * rng.random(len(cut)))  # texts of like length, mixed a little
        batches = [order[start : start + settings.batch] for start in range(0, len(order), settings.batch)]
        rng.shuffle(batches)
        for chosen in batches:
            ids, inside = _padded([cut[at] for at in chosen], len(embeddings))
            logits = net(ids, inside, settings.dropped)
            loss = nn.functional.binary_cross_entropy_with_logits(logits, targets[chosen])
            loss.backward()  # type: ignore[no-untyped-call]
            nn.utils.clip_grad_norm_(net.parameters(), 1.0)
            optimiser.step()
            pace.step()
            optimiser.zero_grad()
    with torch.no_grad():
        return _whole(net)


def _padded(texts: Sequence[NDArray[np.int64]], outside: int) -> tuple[Tensor, Tensor]:
    """Ids (b, t + 2) with `outside` around each text, and where a text is inside, (b, t)."""
    lengths = np.array([len(ids) for ids in texts])
    padded = np.full((len(texts), int(lengths.max()) + 2), outside, np.int64)
    for row, ids in zip(padded, texts, strict=True):
        row[1 : len(ids) + 1] = ids
    inside = np.arange(padded.shape[1] - 2) < lengths[:, None]
    return torch.from_numpy(padded), torch.from_numpy(inside)


def _whole(net: _Net) -> Arrays:
    """The net's weights as int8, each table with one scale; `outputs` a scale per label."""
    pieces, piece_scale = _int8(net.project(net.embeddings).numpy())
    filters, filter_scale = _int8(net.detect.weight.numpy().T)
    unit = piece_scale * filter_scale
    outputs = net.output.weight.numpy().T
    scale = np.maximum(np.abs(outputs).max(axis=0), 1e-9) / 127
    return {
        "pieces": pieces,
        "filters": filters,
        "offsets": np.round(net.detect.bias.numpy() / unit).astype(np.int32),
        "outputs": np.round(outputs / scale).astype(np.int8),
        "scale": (scale * unit).astype(np.float32),
        "bias": net.output.bias.numpy(),
        "floors": np.ones(outputs.shape[1], np.float32),
        "shrinkage": np.ones(outputs.shape[1], np.float32),
    }


def _int8(values: NDArray[np.float32]) -> tuple[NDArray[np.int8], float]:
    """`values` as whole numbers, the largest few clipped, and the scale that undoes it."""
    scale = max(float(np.quantile(np.abs(values), 0.9999)), 1e-9) / 127
    return np.clip(np.round(values / scale), -127, 127).astype(np.int8), scale


def save_gate(arrays: Arrays, path: Path) -> Gate:
    """Store a gate, and load it as the detector does."""
    np.savez_compressed(path, **arrays)  # type: ignore[arg-type]
    return Gate(path)


def refloor(path: Path, floors: NDArray[np.float32], shrinkage: NDArray[np.float32]) -> None:
    """Store other floors and another shrinkage, each of shape (labels,), in a gate that is on disk."""
    with np.load(path, allow_pickle=False) as stored:
        arrays = dict(stored)
    save_gate(arrays | {"floors": floors, "shrinkage": shrinkage}, path)
