"""The one training loop: AdamW over adapters and heads, losses logged, a checkpoint after every epoch."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

import torch
from torch import Tensor, nn

Report = Callable[[int, int, float], None]
"""Told after every step: the step, the steps in all, and the running loss."""


@dataclass(frozen=True, slots=True)
class Pace:
    """How long and how fast to learn; rates of the adapters and of the heads.

    The model is at last the mean of its weights after each of the last `averaged` epochs.
    """

    epochs: int
    steps: int
    rate: float
    head_rate: float
    averaged: int = 1


def learn(
    model: nn.Module,
    losses: Callable[[int], Iterable[tuple[str, Tensor]]],
    pace: Pace,
    folder: Path,
    progress: Report,
) -> None:
    """Learn from ``losses(epoch)``, each with the name of its part; lines go to `folder`/metrics.jsonl."""
    optimiser, schedule = optimiser_of(model, pace)
    step, began, running = 0, time.monotonic(), 0.0
    model.train()
    with (folder / "metrics.jsonl").open("a", encoding="utf-8") as log:
        for epoch in range(pace.epochs):
            for part, loss in losses(epoch):
                loss.backward()  # type: ignore[no-untyped-call]
                nn.utils.clip_grad_norm_(model.parameters(), 1.0)
                optimiser.step()
                schedule.step()
                optimiser.zero_grad()
                step += 1
                running += (float(loss.detach()) - running) * max(0.01, 1 / step)
                if step % 50 == 0:
                    line = {"step": step, "epoch": epoch, "part": part, "loss": round(running, 5),
                            "seconds": round(time.monotonic() - began, 1)}  # fmt: skip
                    log.write(json.dumps(line) + "\n")
                    log.flush()
                progress(step, max(step, pace.steps), running)
            torch.save(model.state_dict(), folder / f"epoch-{epoch}.pt")
    last = range(max(0, pace.epochs - pace.averaged), pace.epochs)
    model.load_state_dict(mean_state([folder / f"epoch-{epoch}.pt" for epoch in last]))
    model.eval()


def mean_state(files: Sequence[Path]) -> dict[str, Tensor]:
    """The mean of several checkpoints (stochastic weight averaging, Izmailov et al. 2018)."""
    states = [torch.load(file, weights_only=True) for file in files]
    return {
        name: torch.stack([state[name].float() for state in states]).mean(0).to(first.dtype)
        for name, first in states[0].items()
    }


def optimiser_of(
    model: nn.Module, pace: Pace
) -> tuple[torch.optim.Optimizer, torch.optim.lr_scheduler.LRScheduler]:
    """AdamW over adapters and heads, 4 % warm-up, then linear to zero."""
    adapters = [p for n, p in model.named_parameters() if p.requires_grad and "lora_" in n]
    heads = [p for n, p in model.named_parameters() if p.requires_grad and "lora_" not in n]
    optimiser = torch.optim.AdamW(
        [{"params": adapters, "lr": pace.rate}, {"params": heads, "lr": pace.head_rate}],
        weight_decay=0.01,
        fused=True,
    )
    steps = pace.steps
    warm = max(1, steps // 25)

    def factor(step: int) -> float:
        return min((step + 1) / warm, max(0.0, (steps - step) / max(1, steps - warm)))

    return optimiser, torch.optim.lr_scheduler.LambdaLR(optimiser, factor)
