"""What a rewriter is: analyses in, candidates out. It proposes; verify and the guard decide."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from unbarb.text import Analysis, Edit, Step


@dataclass(frozen=True, slots=True)
class Candidate:
    """One proposed rewrite: ``apply(edits, original) == text``.

    `step` is the rung of the ladder it stands on, `score` how likely its maker holds it (higher
    is better, comparable only within one text and one rewriter).
    """

    text: str
    edits: tuple[Edit, ...]
    step: Step
    score: float = 0.0


class Rewriter(Protocol):
    """Anything that proposes rewrites; candidates come best first, and may be none."""

    @property
    def name(self) -> str: ...

    @property
    def digest(self) -> str: ...

    def propose(self, analyses: Sequence[Analysis]) -> list[list[Candidate]]: ...


class NeedsNetwork:
    """The mark of a rewriter that asks others over a network: ``isinstance(rewriter, NeedsNetwork)``.

    All others touch nothing but what they loaded when they were built.
    """
