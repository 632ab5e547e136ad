"""What lies in a folder of experts, and the gate that their training set."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any, Self

FILE = "infill.json"
BASE, EXPERT, ANTI = "base", "expert", "anti"
"""The folders of the base that learnt to fill, and of the two adapters on it."""


@dataclass(frozen=True, slots=True)
class Gate:
    """From where on a word may be hidden. Absolute, never relative to the other words of its text.

    `signed` is in nats, `distance` the root of a divergence in nats (0…0.83), `drop` a probability. A word
    passes that says more of the trait (`signed` reached, and above 0) where the experts differ (`distance`
    reached), and also one whose absence takes `drop` or more off the classifier's score while the signed
    ratio is above 0.
    """

    signed: float = 0.0
    distance: float = 0.0
    drop: float = 0.25

    @classmethod
    def of(cls, given: Mapping[str, Any]) -> Self:
        """From the file, which holds more than this."""
        return cls(**{name: float(given[name]) for name in ("signed", "distance", "drop") if name in given})

    def to_dict(self) -> dict[str, float]:
        return asdict(self)
