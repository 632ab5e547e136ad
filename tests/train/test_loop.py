"""The training loop ends with the mean of the weights after its last epochs."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

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
