"""Trains the editing trunk: word tags that rewrite, and sentence heads that pick among rewrites.

Heads: `tags` (one tag a word, place 0 before the first), `fluency` (intact or damaged), `toxicity`
(a second reading of candidates) and `meaning` (an embedding close to the base model's).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from transformers import BertModel

from unbarb.train.batches import Row, batches, count, in_turn
from unbarb.train.detector import known_bce
from unbarb.train.loop import Pace, Report, learn
from unbarb.train.multitask import WIDTH, Encoder, SentenceHead, WordHead
from unbarb.train.trunks import TrunkSettings

FLUENCY, TOXICITY = 0, 1
"""Order of the sentence targets of a row."""


@dataclass(frozen=True, slots=True)
class EditorSettings(TrunkSettings):
    """What the recipe may set for the editing trunk."""

    epochs: int = 9
    learning_rate: float = 6e-4
    head_learning_rate: float = 2e-3
    pieces_per_batch: int = 1536
    seed: int = 11
    meaning_weight: float = 4.0
    sentence_weight: float = 0.7
    change_weight: float = 2.0
    averaged: int = 6


@dataclass(frozen=True, slots=True)
class TagRow:
    """A toxic sentence and its tags: `targets` lists (place in `ids`, tag, weight)."""

    ids: NDArray[np.int64]
    targets: tuple[tuple[int, int, float], ...]


class Editor(nn.Module):
    """Encoder with one word head (tags) and two sentence heads; meaning is a projected mean."""

    def __init__(self, base: Path, settings: EditorSettings, tags: int) -> None:
        super().__init__()
        self.encoder = Encoder(base, settings.rank, settings.dropout)
        self.tags = WordHead(tags)
        self.sentence = SentenceHead(2)
        self.meaning = nn.Linear(WIDTH, WIDTH, bias=False)
        nn.init.eye_(self.meaning.weight)

    def embed(self, hidden: Tensor, mask: Tensor) -> Tensor:
        """Unit embeddings of meaning, (b, d)."""
        return nn.functional.normalize(self.meaning(mean_of(hidden, mask)), dim=-1)


def mean_of(hidden: Tensor, mask: Tensor) -> Tensor:
    cover = mask.unsqueeze(-1).float()
    return (hidden * cover).sum(1) / cover.sum(1)


def train_editor(
    tagged: Callable[[int], Sequence[TagRow]],
    sentences: Callable[[int], Sequence[Row]],
    base: Path,
    tags: int,
    settings: EditorSettings,
    folder: Path,
    progress: Report,
) -> Editor:
    """Train on ``tagged(epoch)`` and ``sentences(epoch)`` in turn; losses go to `folder`/metrics.jsonl."""
    torch.manual_seed(settings.seed)
    model = Editor(base, settings, tags)
    learn_editor(model, tagged, sentences, base, settings, folder, progress)
    return model


def learn_editor(
    model: Editor,
    tagged: Callable[[int], Sequence[TagRow]],
    sentences: Callable[[int], Sequence[Row]],
    base: Path,
    settings: EditorSettings,
    folder: Path,
    progress: Report,
) -> None:
    """Train `model` from where it is; the base model in `base` teaches what is alike in meaning."""
    teacher = BertModel.from_pretrained(base, add_pooling_layer=False, attn_implementation="sdpa").eval()
    first = sentences(0)
    tag_batches = len(list(tag_groups(tagged(0), settings.pieces_per_batch, 0)))
    steps = (tag_batches + count(first, settings.pieces_per_batch)) * settings.epochs

    def losses(epoch: int) -> Iterator[tuple[str, Tensor]]:
        rows = first if epoch == 0 else sentences(epoch)
        return _losses(model, teacher, tagged(epoch), rows, settings, epoch)

    pace = Pace(
        settings.epochs, steps, settings.learning_rate, settings.head_learning_rate, settings.averaged
    )
    learn(model, losses, pace, folder, progress)


def _losses(
    model: Editor, teacher: BertModel, tagged: Sequence[TagRow], rows: Sequence[Row],
    settings: EditorSettings, epoch: int,
) -> Iterator[tuple[str, Tensor]]:  # fmt: skip
    """Tag and sentence batches, interleaved evenly."""
    seed = settings.seed + epoch
    tag_side = list(tag_groups(tagged, settings.pieces_per_batch, seed))
    sentence_side = list(batches(rows, settings.pieces_per_batch, seed))
    for batch in in_turn(tag_side, sentence_side):
        with torch.autocast("cpu", torch.bfloat16):
            if isinstance(batch, list):
                yield "tags", tag_loss(model, batch, settings.change_weight)
            else:
                hidden = model.encoder(batch.ids, batch.mask)
                logits = model.sentence(hidden, batch.mask)
                known = (~torch.isnan(batch.labels)).sum().clamp(min=1)
                loss = settings.sentence_weight * known_bce(logits, batch.labels).sum() / known
                with torch.no_grad():
                    taught = teacher(input_ids=batch.ids, attention_mask=batch.mask).last_hidden_state
                    goal = nn.functional.normalize(mean_of(taught.float(), batch.mask), dim=-1)
                apart = 1 - (model.embed(hidden, batch.mask) * goal).sum(-1)
                yield "sentences", loss + settings.meaning_weight * apart.mean()


def tag_loss(model: Editor, rows: Sequence[TagRow], change_weight: float) -> Tensor:
    """Cross-entropy over tags, weighted by reference; a changed word counts `change_weight` times."""
    longest = max(len(row.ids) for row in rows)
    ids = torch.zeros(len(rows), longest, dtype=torch.long)
    mask = torch.zeros_like(ids)
    at, places, tags, weights = [], [], [], []
    for index, row in enumerate(rows):
        ids[index, : len(row.ids)] = torch.from_numpy(row.ids)
        mask[index, : len(row.ids)] = 1
        for place, tag, weight in row.targets:
            at.append(index)
            places.append(place)
            tags.append(tag)
            weights.append(weight * (change_weight if tag else 1.0))
    hidden = model.encoder(ids, mask)
    logits = model.tags(hidden[torch.tensor(at), torch.tensor(places)]).float()
    loss = nn.functional.cross_entropy(logits, torch.tensor(tags), reduction="none", label_smoothing=0.02)
    shares = torch.tensor(weights)
    return torch.sum(loss * shares) / shares.sum()


def tag_groups(rows: Sequence[TagRow], pieces: int, seed: int) -> Iterator[list[TagRow]]:
    """Batches of rows of like length, shuffled by `seed`."""
    rng = np.random.default_rng(seed)
    order = np.argsort([len(row.ids) + rng.uniform(0, 3) for row in rows], kind="stable")
    groups: list[list[TagRow]] = [[]]
    for index in order.tolist():
        row = rows[index]
        if groups[-1] and (len(groups[-1]) + 1) * (len(row.ids) + 3) > pieces:
            groups.append([])
        groups[-1].append(row)
    rng.shuffle(groups)
    yield from groups
