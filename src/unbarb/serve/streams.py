"""A stream that tells the metrics what it holds back: how many characters, for how long."""

from __future__ import annotations

from collections import deque
from time import perf_counter

from unbarb.serve.metrics import Meters
from unbarb.stream import AsyncStreamGuard
from unbarb.stream.faces import Judge


class MeasuredStream(AsyncStreamGuard):
    """A stream that measures; a piece is held back from when its first character comes."""

    def __init__(
        self, judge: Judge, meters: Meters, *, id: str | None = None, context: str | None = None
    ) -> None:
        super().__init__(judge, id=id, context=context)
        self._meters = meters
        self._arrived: deque[tuple[int, float]] = deque()
        self._received = self._told = 0

    async def feed(self, chunk: str) -> str:
        """Take the next chunk; the text that may leave now, often ""."""
        self._arrived.append((self._received, perf_counter()))
        self._received += len(chunk)
        left = await super().feed(chunk)
        self._tell()
        return left

    async def close(self) -> str:
        """The text that was still held back."""
        left = await super().close()
        self._tell()
        return left

    def _tell(self) -> None:
        now = perf_counter()
        for one in self.released[self._told :]:
            while len(self._arrived) > 1 and self._arrived[1][0] <= one.start:
                self._arrived.popleft()
            self._meters.hold_back_seconds.observe(now - self._arrived[0][1] if self._arrived else 0.0)
            self._meters.hold_back_characters.observe(len(one.verdict.original))
        self._told = len(self.released)
