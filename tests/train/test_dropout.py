"""Dropout by random bytes does what dropout does."""

from __future__ import annotations

import pytest

pytest.importorskip("torch")
pytest.importorskip("peft")

import torch

from unbarb.errors import ConfigError
from unbarb.train.multitask import Dropout


def test_a_share_is_zero_and_the_mean_stays() -> None:
    torch.manual_seed(1)
    hidden = torch.ones(200, 30, 17)
    found = Dropout(0.1)(hidden)
    assert float((found == 0).float().mean()) == pytest.approx(0.1, abs=0.01)
    assert float(found.mean()) == pytest.approx(1.0, abs=0.01)
    assert len(found.unique()) == 2


def test_the_same_random_state_drops_the_same() -> None:
    hidden, dropout = torch.ones(3, 7), Dropout(0.5)
    torch.manual_seed(1)
    first, second = dropout(hidden), dropout(hidden)
    torch.manual_seed(1)
    assert torch.equal(dropout(hidden), first)
    assert not torch.equal(first, second)


def test_what_is_dropped_learns_nothing() -> None:
    hidden = torch.ones(50, 50, requires_grad=True)
    found = Dropout(0.3)(hidden)
    found.sum().backward()
    assert hidden.grad is not None
    assert torch.equal(hidden.grad == 0, found == 0)


def test_nothing_is_dropped_when_not_learning_or_not_asked_to() -> None:
    hidden = torch.randn(4, 5)
    assert torch.equal(Dropout(0.5).eval()(hidden), hidden)
    assert torch.equal(Dropout(0.0)(hidden), hidden)
    assert Dropout(0.5)(hidden.bfloat16()).dtype == torch.bfloat16


@pytest.mark.parametrize("share", [-0.1, 1.0])
def test_a_share_that_is_none_is_refused(share: float) -> None:
    with pytest.raises(ConfigError, match="must be a share"):
        Dropout(share)
