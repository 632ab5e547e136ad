"""Many at a time, in order; and quantiles of what they took."""

from __future__ import annotations

import threading
from collections.abc import Iterator

import pytest

from unbarb.deploy.request.latency import Latency
from unbarb.deploy.request.ordered import AHEAD, in_order


def test_the_order_is_that_of_the_items_whoever_is_first() -> None:
    last = threading.Event()

    def work(item: int) -> int:
        if item == 0:
            assert last.wait(30), "the others waited for the first"
        if item == 4:
            last.set()
        return -item

    given = [pair for ready in in_order(iter(range(20)), work, 2) for pair in ready]
    assert given == [(item, -item) for item in range(20)]


def test_no_more_are_under_way_or_read_ahead_than_was_said() -> None:
    lock, running, most, read = threading.Lock(), 0, 0, 0

    def items() -> Iterator[int]:
        nonlocal read
        for item in range(200):
            read += 1
            yield item

    def work(item: int) -> int:
        nonlocal running, most
        with lock:
            running += 1
            most = max(most, running)
        with lock:
            running -= 1
        return item

    given = 0
    for ready in in_order(items(), work, 3):
        assert read <= given + 3 * AHEAD
        given += len(ready)
    assert given == 200
    assert most <= 3


def test_what_fails_comes_after_all_before_it_and_nothing_after_it() -> None:
    def work(item: int) -> int:
        if item == 5:
            raise KeyError(item)
        return item

    given: list[int] = []

    def take() -> None:
        for ready in in_order(iter(range(1000)), work, 4):
            given.extend(result for _, result in ready)

    with pytest.raises(KeyError):
        take()
    assert given == list(range(5))


def test_quantiles_are_values_that_were_measured() -> None:
    latency = Latency()
    for value in (5.0, 1.0, 4.0, 2.0, 3.0):
        latency.add(value)
    assert [latency.quantile(share) for share in (0.01, 0.5, 0.95, 1.0)] == [1.0, 3.0, 5.0, 5.0]
    assert len(latency) == 5
    with pytest.raises(ValueError, match="nothing was measured"):
        Latency().quantile(0.5)
