"""Rows of piece ids and targets, batched by length so that little is padding.

Unknown targets are NaN and take no part in the loss: a corpus teaches only what it knows.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TypeVar

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

First = TypeVar("First")
Second = TypeVar("Second")


@dataclass(frozen=True, slots=True)
class Row:
    """One window: `ids` (t,), sentence targets `labels` (outputs,), word targets `words` (t,).

    `habit` numbers the annotators' habits: 0 for those that the model shall follow.
    """

    ids: NDArray[np.int64]
    labels: NDArray[np.float32]
    words: NDArray[np.float32]
    weight: float = 1.0
    habit: int = 0


@dataclass(frozen=True, slots=True)
class Batch:
    """Tensors of shape (b, t), (b, t), (b, outputs), (b, t), (b,) and (b,)."""

    ids: Tensor
    mask: Tensor
    labels: Tensor
    words: Tensor
    weight: Tensor
    habit: Tensor


def batches(rows: Sequence[Row], pieces: int, seed: int | None) -> Iterator[Batch]:
    """Batches of about `pieces` padded pieces; shuffled by `seed`, in order of length without one."""
    rng = np.random.default_rng(seed)
    lengths = np.array([len(row.ids) for row in rows])
    noise = rng.uniform(0, 4, len(rows)) if seed is not None else 0.0
    groups = list(_groups(np.argsort(lengths + noise, kind="stable"), lengths, pieces))
    if seed is not None:
        rng.shuffle(groups)
    for group in groups:
        yield collate([rows[index] for index in group])


def count(rows: Sequence[Row], pieces: int) -> int:
    """About how many batches :func:`batches` gives for one pass."""
    lengths = np.array([len(row.ids) for row in rows])
    return sum(1 for _ in _groups(np.argsort(lengths, kind="stable"), lengths, pieces))


def _groups(order: NDArray[np.int64], lengths: NDArray[np.int64], pieces: int) -> Iterator[list[int]]:
    group: list[int] = []
    longest = 0
    for index in order.tolist():
        longest = max(longest, int(lengths[index]))
        if group and longest * (len(group) + 1) > pieces:
            yield group
            group, longest = [], int(lengths[index])
        group.append(index)
    if group:
        yield group


def collate(rows: Sequence[Row]) -> Batch:
    """Pad rows on the right: ids with 0, targets with NaN."""
    longest = max(len(row.ids) for row in rows)
    ids = np.zeros((len(rows), longest), np.int64)
    mask = np.zeros((len(rows), longest), np.int64)
    words = np.full((len(rows), longest), np.nan, np.float32)
    for at, row in enumerate(rows):
        ids[at, : len(row.ids)] = row.ids
        mask[at, : len(row.ids)] = 1
        words[at, : len(row.words)] = row.words
    return Batch(
        torch.from_numpy(ids),
        torch.from_numpy(mask),
        torch.from_numpy(np.stack([row.labels for row in rows])),
        torch.from_numpy(words),
        torch.tensor([row.weight for row in rows], dtype=torch.float32),
        torch.tensor([row.habit for row in rows]),
    )


def padded(texts: Sequence[NDArray[np.int64]]) -> Batch:
    """A batch of texts without targets."""
    blank = np.empty(0, np.float32)
    return collate([Row(ids, blank, blank) for ids in texts])


def in_turn(one: Sequence[First], other: Sequence[Second]) -> Iterator[First | Second]:
    """The batches of both kinds, interleaved evenly."""
    places = np.concatenate([np.linspace(0, 1, len(one)), np.linspace(0, 1, len(other))])
    for at in np.argsort(places, kind="stable").tolist():
        yield one[at] if at < len(one) else other[at - len(one)]
