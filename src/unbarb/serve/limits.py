"""How often a key may ask: a token bucket each, told in the RateLimit headers.

Headers as in the IETF draft "RateLimit header fields for HTTP" (draft-ietf-httpapi-ratelimit-headers-10).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from math import ceil
from time import monotonic

from unbarb.serve.errors import TooMany

MINUTE = 60.0
MOST_BUCKETS = 10_000
"""Full buckets are forgotten when there are more than this."""


@dataclass(slots=True)
class Bucket:
    """Holds up to `size` tokens and gains `size` a minute; every request takes one."""

    size: int
    tokens: float
    seen: float

    def take(self, now: float) -> bool:
        """Take a token if there is one."""
        self.tokens = min(self.size, self.tokens + (now - self.seen) * self.size / MINUTE)
        self.seen = now
        if self.tokens < 1.0:
            return False
        self.tokens -= 1.0
        return True

    @property
    def wait(self) -> int:
        """Whole seconds until there is a token, at least one."""
        return max(1, ceil((1.0 - self.tokens) * MINUTE / self.size))


class Limits:
    """A bucket per caller.

    Args:
        rate: requests a minute where a caller has no rate of its own; None: any number.
        share: of how many processes this is one; each grants its part of every rate.
    """

    def __init__(self, rate: int | None, *, share: int = 1, clock: Callable[[], float] = monotonic) -> None:
        self._rate = rate
        self._share = share
        self._clock = clock
        self._buckets: dict[str, Bucket] = {}

    def take(self, caller: str, rate: int | None = None) -> dict[str, str]:
        """Count a request of `caller`, whose own rate is `rate`; the headers to send.

        Raises:
            TooMany: the bucket is empty.
        """
        rate = rate or self._rate
        if rate is None:
            return {}
        size = max(1, rate // self._share)
        now = self._clock()
        bucket = self._buckets.get(caller)
        if bucket is None or bucket.size != size:
            self._forget_full(now)
            bucket = self._buckets[caller] = Bucket(size, float(size), now)
        if not bucket.take(now):
            raise TooMany(
                f"more than {rate} requests a minute; try again in {bucket.wait} seconds",
                retry_after=bucket.wait,
            )
        policy = f'"key";q={size};w={MINUTE:.0f}'
        return {"RateLimit-Policy": policy, "RateLimit": f'"key";r={int(bucket.tokens)};t={bucket.wait}'}

    def _forget_full(self, now: float) -> None:
        if len(self._buckets) >= MOST_BUCKETS:
            self._buckets = {
                caller: bucket for caller, bucket in self._buckets.items() if now - bucket.seen < MINUTE
            }
