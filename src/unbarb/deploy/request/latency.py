"""How long answers took, in quantiles."""

from __future__ import annotations

from array import array
from math import ceil


class Latency:
    """Seconds of answers; eight bytes each."""

    def __init__(self) -> None:
        self._seconds = array("d")

    def add(self, seconds: float) -> None:
        self._seconds.append(seconds)

    def __len__(self) -> int:
        return len(self._seconds)

    def quantile(self, share: float) -> float:
        """The smallest measured value that at least this share (0…1] of them does not exceed: nearest rank.

        Raises:
            ValueError: nothing was measured.
        """
        if not self._seconds:
            raise ValueError("nothing was measured")
        return sorted(self._seconds)[max(1, ceil(share * len(self._seconds))) - 1]
