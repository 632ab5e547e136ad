"""How a judge is trained: one loop over graded sentences, cross-entropy against a probability."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from random import Random

import torch
from torch import nn

from unbarb.evaluate.judges.encoder import SentenceJudge, pad, token_ids

Progress = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class Graded:
    """A sentence and the probability that it is of class 1 (toxic, or intact)."""

    text: str
    target: float


@dataclass(frozen=True, slots=True)
class Training:
    """What one judge's training is: all that changes its weights besides the sentences."""

    layers: int
    seed: int
    epochs: int = 1
    batch: int = 32
    rate: float = 1.5e-4
    tokens: int = 48


def silent(message: str) -> None:
    """Progress that nobody reads."""


def fit(
    model: SentenceJudge, examples: Sequence[Graded], plan: Training, progress: Progress = silent
) -> SentenceJudge:
    """Train `model` on `examples` in place and give it back, in evaluation mode."""
    torch.manual_seed(plan.seed)
    rows = token_ids([example.text for example in examples], plan.tokens)
    targets = torch.tensor([example.target for example in examples])
    table = model.body.embeddings.word_embeddings
    table.sparse = (
        True  # a batch touches a few hundred of 30,522 rows; a dense step would cost more than the pass
    )
    dense = [p for name, p in model.named_parameters() if not name.endswith("word_embeddings.weight")]
    optimizers: list[torch.optim.Optimizer] = [
        torch.optim.AdamW(dense, lr=plan.rate, weight_decay=0.01, foreach=True),
        torch.optim.SparseAdam([table.weight], lr=plan.rate),
    ]
    total = plan.epochs * math.ceil(len(rows) / plan.batch)
    model.train()
    for step, chosen in enumerate(_batches(rows, plan)):
        for optimizer in optimizers:
            optimizer.param_groups[0]["lr"] = plan.rate * _warm(step / total)
        ids, mask = pad([rows[i] for i in chosen])
        with torch.autocast("cpu", dtype=torch.bfloat16):
            logits = model(ids, mask)
        loss = nn.functional.binary_cross_entropy_with_logits(logits.float(), targets[chosen])
        loss.backward()  # type: ignore[no-untyped-call]
        nn.utils.clip_grad_norm_(dense, 1.0)
        for optimizer in optimizers:
            optimizer.step()
            optimizer.zero_grad(set_to_none=True)
        if step % 50 == 0:
            progress(f"step {step}/{total}, loss {loss.item():.3f}")
    table.sparse = False
    return model.eval()


def _warm(share: float) -> float:
    """Learning rate over the run: up over the first twentieth, then down in a line."""
    return min(share / 0.05, (1 - share) / 0.95) + 0.01


def _batches(rows: Sequence[Sequence[int]], plan: Training) -> Iterator[list[int]]:
    """Batches of rows of like length in random order, `epochs` times over everything."""
    random = Random(plan.seed)
    for _ in range(plan.epochs):
        order = list(range(len(rows)))
        random.shuffle(order)
        pools = [order[i : i + 50 * plan.batch] for i in range(0, len(order), 50 * plan.batch)]
        for pool in pools:
            pool.sort(key=lambda i: len(rows[i]))
            batches = [pool[i : i + plan.batch] for i in range(0, len(pool), plan.batch)]
            random.shuffle(batches)
            yield from batches
