"""How far work with bytes is."""

from __future__ import annotations

from collections.abc import Callable

Moved = Callable[[str, int, int], None]
"""Is told a step by its name, the bytes that are done and the bytes there are."""


class Count:
    """Counts the bytes of one step and tells them on; called from one thread."""

    def __init__(self, moved: Moved | None, step: str, total: int) -> None:
        self._moved, self._step, self._total = moved, step, total
        self.done = 0
        self(0)

    def __call__(self, size: int) -> None:
        self.done += size
        if self._moved:
            self._moved(self._step, self.done, self._total)
