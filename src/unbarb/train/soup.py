"""A later phase of learning: begun anew for each of several seeds, its weights the mean of their ends."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from copy import deepcopy

import torch
from torch import nn

from unbarb.train.loop import mean_of


def go_on(model: nn.Module, seeds: Sequence[int], kept: float, learn: Callable[[int], None]) -> None:
    """Learn on from the weights that `model` has, once for each seed, and leave their mean in it.

    The mean of models that began alike is a soup (Wortsman et al. 2022, "Model soups"); the share `kept`,
    0…1, of what the model was before stays in it (Wortsman et al. 2022, "Robust fine-tuning of zero-shot
    models").

    Args:
        model: what learns; torch's random numbers are seeded before each time.
        seeds: at least one.
        kept: share of the weights as they were.
        learn: trains `model` with a seed.
    """
    begun = deepcopy(model.state_dict())
    ends = []
    for seed in seeds:
        model.load_state_dict(begun)
        torch.manual_seed(seed)
        learn(seed)
        ends.append(deepcopy(model.state_dict()))
    learnt = mean_of(ends)
    model.load_state_dict({name: begun[name].lerp(learnt[name], 1 - kept) for name in begun})
