"""The embedded trunks' training loop: AdamW over adapters and heads, losses logged, epochs kept.

A run that was killed goes on after its last whole epoch, with optimiser, schedule and random numbers as
they were then, and so ends with the very weights of an unbroken one.
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import torch
from torch import Tensor, nn

from unbarb.train.curves import write_losses

STATE = "state.pt"
"""What a run goes on from, beside the weights of its last whole epoch."""

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
    """Learn from ``losses(epoch)``, each with the name of its part; lines go to `folder`/metrics.jsonl,
    and their curve to loss.png.

    What an epoch learns from may depend on its number and on torch's random numbers, on nothing else.
    """
    optimiser, schedule = optimiser_of(model, pace)
    state = _State.load(folder, model, optimiser, schedule)
    step, began, running = state.step, time.monotonic() - state.seconds, state.running
    model.train()
    with (folder / "metrics.jsonl").open("a", encoding="utf-8") as log:
        for epoch in range(state.epochs, pace.epochs):
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
            _State(epoch + 1, step, running, time.monotonic() - began).save(folder, optimiser, schedule)
    last = range(max(0, pace.epochs - pace.averaged), pace.epochs)
    model.load_state_dict(mean_state([folder / f"epoch-{epoch}.pt" for epoch in last]))
    model.eval()
    logged = (folder / "metrics.jsonl").read_text("utf-8").splitlines()
    write_losses(folder / "loss.png", [json.loads(line) for line in logged])


@dataclass(frozen=True, slots=True)
class _State:
    """Where a run is after whole `epochs`: steps, the running loss, and the seconds they took."""

    epochs: int = 0
    step: int = 0
    running: float = 0.0
    seconds: float = 0.0

    def save(
        self,
        folder: Path,
        optimiser: torch.optim.Optimizer,
        schedule: torch.optim.lr_scheduler.LRScheduler,
    ) -> None:
        """Write it with what goes on from epoch to epoch beside the weights."""
        part = folder / f"{STATE}.part"
        kept = {"optimiser": optimiser.state_dict(), "schedule": schedule.state_dict()}
        torch.save({**asdict(self), **kept, "random": torch.get_rng_state()}, part)
        part.replace(folder / STATE)

    @classmethod
    def load(
        cls,
        folder: Path,
        model: nn.Module,
        optimiser: torch.optim.Optimizer,
        schedule: torch.optim.lr_scheduler.LRScheduler,
    ) -> _State:
        """Put everything back as it was when an epoch ended; the beginning where none did."""
        if not (folder / STATE).is_file():
            (folder / "metrics.jsonl").unlink(missing_ok=True)
            return cls()
        kept = torch.load(folder / STATE, weights_only=True)
        optimiser.load_state_dict(kept.pop("optimiser"))
        schedule.load_state_dict(kept.pop("schedule"))
        torch.set_rng_state(kept.pop("random"))
        found = cls(**kept)
        model.load_state_dict(torch.load(folder / f"epoch-{found.epochs - 1}.pt", weights_only=True))
        lines = (folder / "metrics.jsonl").read_text("utf-8").splitlines(keepends=True)
        whole = [line for line in lines if line.endswith("\n") and json.loads(line)["step"] <= found.step]
        (folder / "metrics.jsonl").write_text("".join(whole), encoding="utf-8")
        return found


def mean_state(files: Sequence[Path]) -> dict[str, Tensor]:
    """The mean of several checkpoints (stochastic weight averaging, Izmailov et al. 2018)."""
    return mean_of([torch.load(file, weights_only=True) for file in files])


def mean_of(states: Sequence[Mapping[str, Tensor]]) -> dict[str, Tensor]:
    """The mean of the weights of several models that are built alike."""
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
