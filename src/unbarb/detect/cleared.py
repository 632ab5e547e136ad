"""Remembers what passed a test, so that text made of known stretches passes at the speed of a set."""

from __future__ import annotations

from collections.abc import Callable, Collection

MOST = 1 << 16
"""Stretches kept; all are forgotten when there are more."""

LONGEST = 40
"""Characters of the longest stretch that is kept."""


class Cleared:
    """Whether all stretches of a text pass `test`, a pure function of one stretch."""

    def __init__(self, test: Callable[[str], bool]) -> None:
        self._test = test
        self._passed: set[str] = set()

    def __call__(self, stretches: Collection[str]) -> bool:
        if self._passed.issuperset(stretches):
            return True
        for stretch in set(stretches) - self._passed:
            if not self._test(stretch):
                return False
            if len(stretch) <= LONGEST:
                if len(self._passed) >= MOST:
                    self._passed.clear()
                self._passed.add(stretch)
        return True
