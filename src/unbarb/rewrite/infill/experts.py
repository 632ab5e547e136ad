"""What a base and its two experts say of a gap, whatever kind of model they are; how far they differ."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from unbarb.rewrite.infill.settings import Gate

Floats = NDArray[np.float64]
Ids = tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Gap:
    """`size` hidden pieces, one or more, between the pieces `left` and `right`; its first is asked for."""

    left: Ids
    size: int
    right: Ids


@dataclass(frozen=True, slots=True)
class Views:
    """Log-probabilities of a gap's first piece by the base, the expert and the anti-expert.

    Each has shape (gaps, vocabulary).
    """

    base: Floats
    expert: Floats
    anti: Floats


class Experts(Protocol):
    """Three models over one vocabulary. What they say of a gap depends on nothing but the gap.

    `mask` is the piece that stands for a hidden one, or with `one_mask` for a hidden stretch, however
    long; `trait` is what the anti-expert is full of; `gate` says from where on a word may be hidden,
    `digest` what all of it was.
    """

    tokenizer: Any
    mask: int
    one_mask: bool
    trait: str
    gate: Gate
    digest: str

    def views(self, gaps: Sequence[Gap]) -> Views: ...


def divergence(one: Floats, other: Floats) -> Floats:
    """Jensen–Shannon divergence in nats of rows of log-probabilities, 0…log 2; shape (rows,).

    Lin 1991, "Divergence measures based on the Shannon entropy". Its root is a distance.
    """
    mean = np.logaddexp(one, other) - np.log(2)
    halves = (_mean_log_ratio(one, mean), _mean_log_ratio(other, mean))
    return np.maximum((halves[0] + halves[1]) / 2, 0.0)


def _mean_log_ratio(one: Floats, other: Floats) -> Floats:
    """Kullback–Leibler divergence; what is impossible adds nothing."""
    sure = np.exp(one)
    return np.asarray(np.where(sure > 0, sure * (one - other), 0.0).sum(axis=-1))


@dataclass(frozen=True, slots=True)
class Weights:
    """z = base · log p_base + expert · log p⁺ − anti · log p⁻, as in MaRCo; 0 leaves a model out."""

    base: float = 1.0
    expert: float = 1.0
    anti: float = 0.5

    def product(self, views: Views) -> Floats:
        """Log-probabilities of the product of experts, normalised; shape (gaps, vocabulary)."""
        mixed = self.base * views.base + self.expert * views.expert - self.anti * views.anti
        mixed -= mixed.max(axis=-1, keepdims=True)
        return np.asarray(mixed - np.log(np.exp(mixed).sum(axis=-1, keepdims=True)))
