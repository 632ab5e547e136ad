"""Trains the proofreading trunk: does a sentence read as a person wrote it, or as an edit left it?

A few layers are enough for it, and make it quick: it reads many candidates for one rewrite. It learns
from sentences broken on purpose, and from the editing trunk's own candidates: the nearer one comes to what
people wrote in its place, the likelier it should be, beside the others. That is the listwise ranking of
Cao et al. (2007, "Learning to Rank: From Pairwise Approach to Listwise Approach").
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import torch
from torch import Tensor, nn

from unbarb.train.batches import Row, batches, count, in_turn, padded
from unbarb.train.detector import known_bce
from unbarb.train.loop import Pace, Report, learn
from unbarb.train.multitask import Encoder, SentenceHead
from unbarb.train.ranking import Ranked, ranking_groups
from unbarb.train.trunks import TrunkSettings

SHARE = 1 / 3
"""How much of a candidate's log-probability is its score beside others: damage tells them apart more
than nearness does."""


@dataclass(frozen=True, slots=True)
class ProofreaderSettings(TrunkSettings):
    """What the recipe may set for the proofreading trunk; `layers` are the base model's first ones.

    `temperature` is that of nearness: the lower, the more the nearest candidate counts alone.
    """

    layers: int = 3
    pieces_per_batch: int = 1536
    seed: int = 17
    temperature: float = 0.04


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
    candidates: Callable[[int], Sequence[Ranked]],
    base: Path,
    settings: ProofreaderSettings,
    folder: Path,
    progress: Report,
) -> Proofreader:
    """Train on ``rows(epoch)`` and ``candidates(epoch)`` in turn; losses go to `folder`/metrics.jsonl."""
    torch.manual_seed(settings.seed)
    model = Proofreader(base, settings)
    pieces = settings.pieces_per_batch
    first = rows(0)
    compared = len(list(ranking_groups(candidates(0), pieces, 0)))
    steps = (count(first, pieces) + compared) * settings.epochs

    def losses(epoch: int) -> Iterator[tuple[str, Tensor]]:
        seed = settings.seed + epoch
        broken = list(batches(rows(epoch) if epoch else first, pieces, seed))
        for batch in in_turn(broken, list(ranking_groups(candidates(epoch), pieces, seed))):
            with torch.autocast("cpu", torch.bfloat16):
                if isinstance(batch, list):
                    yield "ranking", ranking_loss(model, batch, settings.temperature)
                else:
                    logits = model(batch.ids, batch.mask).float()
                    yield "proofreading", known_bce(logits, batch.labels).mean()

    pace = Pace(settings.epochs, steps, settings.learning_rate, settings.head_learning_rate)
    learn(model, losses, pace, folder, progress)
    return model


def ranking_loss(model: Proofreader, groups: Sequence[Ranked], temperature: float) -> Tensor:
    """Mean Kullback–Leibler divergence, over sentences, of how likely candidates are from how near."""
    batch = padded([ids for one in groups for ids in one.ids])
    scores = SHARE * nn.functional.logsigmoid(model(batch.ids, batch.mask).float()[:, 0])
    losses = []
    for own, one in zip(torch.split(scores, [len(one.ids) for one in groups]), groups, strict=True):
        wanted = torch.log_softmax(torch.from_numpy(one.nearness) / temperature, 0)
        losses.append((wanted.exp() * (wanted - torch.log_softmax(own, 0))).sum())
    return torch.stack(losses).mean()
