"""Token buckets: how many, how soon again, each caller for itself."""

from __future__ import annotations

import pytest

from unbarb.serve.errors import TooMany
from unbarb.serve.limits import MOST_BUCKETS, Limits


class Clock:
    """Time that passes when it is told to."""

    now = 100.0

    def __call__(self) -> float:
        return self.now


def refused(limits: Limits, caller: str, rate: int | None = None) -> int:
    """The seconds told with a refusal."""
    with pytest.raises(TooMany) as found:
        limits.take(caller, rate)
    assert found.value.retry_after is not None
    assert found.value.headers["Retry-After"] == str(found.value.retry_after)
    return found.value.retry_after


def test_without_a_rate_nothing_is_counted_nor_told() -> None:
    limits = Limits(None)
    assert [limits.take("a") for _ in range(1000)] == [{}] * 1000


def test_a_bucket_empties_and_fills_with_time() -> None:
    clock = Clock()
    limits = Limits(60, clock=clock)
    told = [limits.take("a")["RateLimit"] for _ in range(60)]
    assert told[0].startswith('"key";r=59;')
    assert told[-1].startswith('"key";r=0;')
    assert refused(limits, "a") == 1
    clock.now += 1.0
    assert limits.take("a")["RateLimit-Policy"] == '"key";q=60;w=60'
    refused(limits, "a")
    clock.now += 3600.0
    for _ in range(60):
        limits.take("a")
    refused(limits, "a")


def test_a_slow_rate_tells_how_long_to_wait() -> None:
    clock = Clock()
    limits = Limits(None, clock=clock)
    limits.take("a", 2)
    limits.take("a", 2)
    assert refused(limits, "a", 2) == 30
    clock.now += 30
    limits.take("a", 2)


def test_callers_do_not_take_from_each_other_and_may_have_rates_of_their_own() -> None:
    limits = Limits(1, clock=Clock())
    limits.take("a")
    refused(limits, "a")
    limits.take("b")
    for _ in range(5):
        limits.take("c", 5)
    refused(limits, "c", 5)


def test_workers_share_a_rate() -> None:
    workers = [Limits(10, share=2, clock=Clock()) for _ in range(2)]
    for limits in workers:
        for _ in range(5):
            limits.take("a")
        refused(limits, "a")


def test_callers_that_are_gone_are_forgotten() -> None:
    clock = Clock()
    limits = Limits(10, clock=clock)
    for number in range(MOST_BUCKETS):
        limits.take(str(number))
    clock.now += 61.0
    limits.take("fresh")
    assert len(limits._buckets) == 1
