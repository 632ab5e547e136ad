"""Log-probabilities name the model's own tokens: they leave with the text they belong to, or not at all."""

from __future__ import annotations

from collections import deque
from collections.abc import Mapping, Sequence
from typing import Any

from unbarb.stream import Released

Logprobs = Mapping[str, Any]
"""Of a chat: lists of tokens under ``content`` and ``refusal``. Of a completion: lists side by side."""


class Probabilities:
    """Those of one text of a stream, held back as long as their tokens are.

    Once a piece was changed, none leave any more: what stands there now are not the model's tokens.
    """

    def __init__(self) -> None:
        self._waiting: deque[tuple[int, Logprobs]] = deque()
        self._came = self._left = self._seen = 0
        self._changed = False

    def take(self, characters: int, logprobs: Logprobs | None) -> None:
        """So many characters came, with these log-probabilities."""
        self._came += characters
        if logprobs and not self._changed:
            self._waiting.append((self._came, logprobs))

    def ready(self, released: Sequence[Released]) -> list[Logprobs]:
        """Those whose whole text has left, given the pieces that have left so far."""
        for piece in released[self._seen :]:
            self._changed = self._changed or piece.text != piece.verdict.original
            self._left = piece.start + len(piece.verdict.original)
        self._seen = len(released)
        if self._changed:
            self._waiting.clear()
        found = []
        while self._waiting and self._waiting[0][0] <= self._left:
            found.append(self._waiting.popleft()[1])
        return found


def joined(parts: Sequence[Logprobs]) -> dict[str, Any] | None:
    """Several stretches as one; None of nothing."""
    whole: dict[str, Any] = {}
    for part in parts:
        for name, values in part.items():
            if isinstance(values, list):
                whole[name] = [*(whole.get(name) or ()), *values]
            else:
                whole.setdefault(name, values)
    return whole or None
