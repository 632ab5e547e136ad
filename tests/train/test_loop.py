"""The training loop ends with the mean of the weights after its last epochs, stopped on its way or not."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor, nn

from unbarb.train.loop import Pace, learn, mean_state


class Point(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.at = nn.Parameter(torch.zeros(3))


def trained(folder: Path, averaged: int) -> Tensor:
    folder.mkdir()
    torch.manual_seed(0)
    point = Point()

    def losses(epoch: int) -> Iterator[tuple[str, Tensor]]:
        for _ in range(5):
            yield "toy", ((point.at - torch.tensor([1.0, 2.0, 3.0])) ** 2).sum()

    learn(point, losses, Pace(4, 20, 0.1, 0.1, averaged), folder, lambda *_: None)
    return point.at.detach()


@pytest.mark.parametrize("averaged", [1, 3])
def test_the_last_epochs_are_averaged(tmp_path: Path, averaged: int) -> None:
    found = trained(tmp_path / "run", averaged)
    after = [torch.load(tmp_path / f"run/epoch-{epoch}.pt")["at"] for epoch in range(4)]
    assert torch.allclose(found, torch.stack(after[-averaged:]).mean(0))
    assert not torch.equal(after[-2], after[-1])


def test_more_epochs_than_there_were_are_all(tmp_path: Path) -> None:
    found = trained(tmp_path / "run", 9)
    every = mean_state([tmp_path / f"run/epoch-{epoch}.pt" for epoch in range(4)])
    assert torch.equal(found, every["at"])


def noisy(folder: Path, end: int | None = None) -> Tensor:
    """Learn with random numbers in every step; stopped in the middle of epoch `end`."""
    folder.mkdir(exist_ok=True)
    torch.manual_seed(3)
    point = Point()

    def losses(epoch: int) -> Iterator[tuple[str, Tensor]]:
        for at in range(60):
            if epoch == end and at == 55:
                raise KeyboardInterrupt
            yield "toy", ((point.at - torch.rand(3) * (epoch + 1)) ** 2).sum()

    learn(point, losses, Pace(4, 240, 0.1, 0.1, 2), folder, lambda *_: None)
    return point.at.detach()


@pytest.mark.parametrize("end", [0, 2])
def test_a_stopped_run_ends_as_an_unbroken_one(tmp_path: Path, end: int) -> None:
    whole = noisy(tmp_path / "whole")
    with pytest.raises(KeyboardInterrupt):
        noisy(tmp_path / "stopped", end)
    torch.rand(5)
    assert torch.equal(noisy(tmp_path / "stopped"), whole)

    def lines(name: str) -> list[dict[str, Any]]:
        written = (tmp_path / name / "metrics.jsonl").read_text("utf-8").splitlines()
        return [{**json.loads(line), "seconds": 0} for line in written]

    assert lines("stopped") == lines("whole")
    assert (tmp_path / "stopped" / "loss.png").is_file()
    assert torch.equal(noisy(tmp_path / "whole"), whole)  # what was finished is not learnt again
