"""Lanes: what shares a batch, what is refused, what is dropped, and that nothing is mixed up."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Coroutine, Sequence
from typing import Any, TypeVar

import pytest

from unbarb import Guard, Verdict
from unbarb.errors import DetectionError
from unbarb.serve.batching import CHARACTERS, LONGEST_WAIT, Item, Lane, give_up_unawaited
from unbarb.serve.errors import Draining, Overloaded
from unbarb.serve.service import LANES
from unbarb.text import Direction

T = TypeVar("T")


class Meter:
    """Keeps what a lane tells."""

    def __init__(self) -> None:
        self.batches: list[int] = []
        self.depths: list[int] = []
        self.waits = 0

    def queued(self, lane: str, texts: int) -> None:
        self.depths.append(texts)

    def waited(self, lane: str, seconds: float) -> None:
        self.waits += 1

    def batched(self, lane: str, texts: int, seconds: float) -> None:
        self.batches.append(texts)


class Work:
    """Judges in the lane's thread; holds every batch until it is let go, when it is told to."""

    def __init__(self, held: bool = False) -> None:
        self.batches: list[list[str]] = []
        self.threads: set[str] = set()
        self.begun = threading.Event()
        self.go = threading.Event()
        if not held:
            self.go.set()

    def __call__(self, guard: Guard, items: Sequence[Item], direction: Direction) -> list[Verdict]:
        self.batches.append([item.text for item in items])
        self.threads.add(threading.current_thread().name)
        self.begun.set()
        assert self.go.wait(10)
        if any(item.text == "break" for item in items):
            raise ValueError("cannot")
        return [verdict(item.text, item.id) for item in items]


def verdict(text: str, name: str | None = None) -> Verdict:
    return Verdict(id=name, action="allow", original=text, text=text, scores={}, rule="none", policy={})


def texts(*given: str) -> list[Item]:
    return [Item(text, f"id of {text}") for text in given]


def lane(work: Work, meter: Meter | None = None, **options: Any) -> Lane:
    shape = {"window": 0.0, "batch": 8, "queue": 16, **options}
    return Lane("check", work, meter or Meter(), **shape)


def run(work: Coroutine[Any, Any, T]) -> T:
    return asyncio.run(asyncio.wait_for(work, 20))


GUARD: Any = object()
OTHER: Any = object()


async def begun(work: Work) -> None:
    """Wait until the thread is at a batch."""
    assert await asyncio.to_thread(work.begun.wait, 10)


def test_requests_at_the_same_time_share_a_batch_and_get_their_own_back() -> None:
    work, meter = Work(), Meter()

    async def all_at_once() -> list[list[Verdict]]:
        door = lane(work, meter)
        asked = [("a",), ("b", "c"), ("d",)]
        found = await asyncio.gather(*(door.submit(GUARD, texts(*one)) for one in asked))
        await door.close()
        return list(found)

    found = run(all_at_once())
    assert [[one.original for one in part] for part in found] == [["a"], ["b", "c"], ["d"]]
    assert [one.id for part in found for one in part] == [f"id of {text}" for text in "abcd"]
    assert work.batches == [["a", "b", "c", "d"]]
    assert (meter.batches, meter.waits) == ([4], 3)
    assert (max(meter.depths), meter.depths[-1]) == (4, 0)
    assert all(name.startswith("unbarb-check") for name in work.threads)


def test_what_comes_during_a_batch_makes_the_next_one() -> None:
    work = Work(held=True)

    async def in_turn() -> None:
        door = lane(work)
        first = asyncio.create_task(door.submit(GUARD, texts("a")))
        await begun(work)
        later = [asyncio.create_task(door.submit(GUARD, texts(text))) for text in "bcd"]
        await asyncio.sleep(0)
        work.go.set()
        await asyncio.gather(first, *later)

    run(in_turn())
    assert work.batches == [["a"], ["b", "c", "d"]]


def test_other_guards_and_directions_have_batches_of_their_own() -> None:
    work = Work()

    async def mixed() -> None:
        door = lane(work)
        await asyncio.gather(
            door.submit(GUARD, texts("a")),
            door.submit(OTHER, texts("b")),
            door.submit(GUARD, texts("c"), "input"),
            door.submit(GUARD, texts("d")),
        )

    run(mixed())
    assert work.batches == [["a", "d"], ["b"], ["c"]]


def test_a_batch_is_bounded_in_texts_and_characters() -> None:
    work = Work()
    long = "x" * (CHARACTERS // 2 + 1)

    async def much() -> list[Verdict]:
        door = lane(work, batch=3)
        found = await door.submit(GUARD, texts(*"abcdefg"))
        await asyncio.gather(*(door.submit(GUARD, texts(long + text)) for text in "ab"))
        return found

    assert [one.original for one in run(much())] == list("abcdefg")
    assert [len(batch) for batch in work.batches] == [3, 3, 1, 1, 1]


def test_one_requests_failure_is_not_anothers() -> None:
    work = Work()

    async def three() -> Sequence[Any]:
        door = lane(work)
        asked = (door.submit(GUARD, texts(text)) for text in ("a", "break", "b"))
        return await asyncio.gather(*asked, return_exceptions=True)

    first, failed, last = run(three())
    assert [first[0].original, last[0].original] == ["a", "b"]
    assert isinstance(failed, ValueError)


@pytest.mark.parametrize("wrong", [StopIteration, SystemExit, KeyboardInterrupt])
def test_a_lane_goes_on_whatever_is_raised(wrong: type[BaseException]) -> None:
    broken = True

    def work(guard: Guard, items: Sequence[Item], direction: Direction) -> list[Verdict]:
        if broken:
            raise wrong
        return [verdict(item.text) for item in items]

    async def twice() -> list[Verdict]:
        nonlocal broken
        door = Lane("check", work, Meter(), window=0.0, batch=8, queue=8)
        with pytest.raises(DetectionError, match=wrong.__name__):
            await door.submit(GUARD, texts("a"))
        broken = False
        return await door.submit(GUARD, texts("b"))

    assert [one.original for one in run(twice())] == ["b"]


def test_too_few_verdicts_are_none() -> None:
    def work(guard: Guard, items: Sequence[Item], direction: Direction) -> list[Verdict]:
        return [verdict("other")]

    async def asked() -> list[Verdict]:
        return await Lane("check", work, Meter(), window=0.0, batch=8, queue=8).submit(
            GUARD, texts("a", "b")
        )

    with pytest.raises(DetectionError, match="1 verdicts for 2 texts"):
        run(asked())


def test_a_full_queue_refuses_and_says_when_to_come_again() -> None:
    work = Work(held=True)

    async def full() -> Overloaded:
        door = lane(work, queue=4)
        first = asyncio.create_task(door.submit(GUARD, texts("a")))
        await begun(work)
        waiting = asyncio.create_task(door.submit(GUARD, texts(*"bcde")))
        await asyncio.sleep(0)
        with pytest.raises(Overloaded) as refused:
            await door.submit(GUARD, texts("f"))
        work.go.set()
        await asyncio.gather(first, waiting)
        await door.submit(GUARD, texts("g"))
        return refused.value

    error = run(full())
    assert error.status == 503
    assert error.retry_after is not None
    assert error.retry_after >= 1
    assert ["f"] not in work.batches


def test_one_long_text_makes_nobody_wait_for_minutes() -> None:
    """The time of the last text says little about those that wait, and none of them waits for ever."""
    work = Work(held=True)

    async def full() -> Overloaded:
        door = lane(work, queue=2)
        door._pace = 100.0
        first = asyncio.create_task(door.submit(GUARD, texts("a")))
        await begun(work)
        waiting = asyncio.create_task(door.submit(GUARD, texts("b", "c")))
        await asyncio.sleep(0)
        with pytest.raises(Overloaded) as refused:
            await door.submit(GUARD, texts("d"))
        work.go.set()
        await asyncio.gather(first, waiting)
        return refused.value

    assert run(full()).retry_after == LONGEST_WAIT


def test_a_cancelled_request_is_dropped_from_the_queue() -> None:
    work, meter = Work(held=True), Meter()

    async def given_up() -> None:
        door = lane(work, meter)
        first = asyncio.create_task(door.submit(GUARD, texts("a")))
        await begun(work)
        gone = asyncio.create_task(door.submit(GUARD, texts("b")))
        stays = asyncio.create_task(door.submit(GUARD, texts("c")))
        await asyncio.sleep(0)
        gone.cancel()
        work.go.set()
        await asyncio.gather(first, stays)

    run(given_up())
    assert work.batches == [["a"], ["c"]]
    assert meter.depths[-1] == 0


def test_a_request_cancelled_at_work_takes_nobody_along() -> None:
    work = Work(held=True)

    async def given_up() -> list[Verdict]:
        door = lane(work)
        gone = asyncio.create_task(door.submit(GUARD, texts("a")))
        stays = asyncio.create_task(door.submit(GUARD, texts("b")))
        await begun(work)
        gone.cancel()
        work.go.set()
        return await stays

    assert [one.original for one in run(given_up())] == ["b"]
    assert work.batches == [["a", "b"]]


def test_a_closing_lane_finishes_what_it_has_and_takes_no_more() -> None:
    work = Work(held=True)

    async def closing() -> list[Verdict]:
        door = lane(work)
        asked = asyncio.create_task(door.submit(GUARD, texts("a")))
        await begun(work)
        closed = asyncio.create_task(door.close())
        await asyncio.sleep(0)
        with pytest.raises(Draining):
            await door.submit(GUARD, texts("b"))
        work.go.set()
        await closed
        return await asked

    assert [one.original for one in run(closing())] == ["a"]


def test_the_loop_is_free_while_the_thread_works() -> None:
    work = Work(held=True)

    async def meanwhile() -> int:
        door = lane(work)
        asked = asyncio.create_task(door.submit(GUARD, texts("a")))
        await begun(work)
        turns = 0
        for _ in range(100):
            await asyncio.sleep(0)
            turns += 1
        assert not asked.done()
        work.go.set()
        await asked
        return turns

    assert run(meanwhile()) == 100


def test_a_verdict_is_the_same_alone_and_in_company(tiny_guard: Guard) -> None:
    many = ["you are an idiot", "what a day", "", "you idiot. we will meet at nine."] * 3

    async def together() -> list[Verdict]:
        door = Lane("rewrite", LANES["rewrite"], Meter(), window=0.0, batch=64, queue=64)
        found = await asyncio.gather(*(door.submit(tiny_guard, texts(text)) for text in many))
        await door.close()
        return [one for part in found for one in part]

    assert run(together()) == [tiny_guard(text, id=f"id of {text}") for text in many]


def test_work_that_nobody_waits_for_stops_at_its_next_step() -> None:
    """The lane is free again though the long text is far from done, whatever thread it is worked on in."""
    begun, go = threading.Event(), threading.Event()
    steps: list[str] = []

    def step(name: str, seconds: float) -> None:
        steps.append(name)
        if name != "detect":
            begun.set()
            assert go.wait(10)
        give_up_unawaited()

    guard = Guard(threads=2, timer=step)
    long = "You are an idiot. " * 20

    async def given_up() -> list[Verdict]:
        door = Lane("rewrite", LANES["rewrite"], Meter(), window=0.0, batch=8, queue=16)
        gone = asyncio.create_task(door.submit(guard, texts(long, long)))
        assert await asyncio.to_thread(begun.wait, 10)
        gone.cancel()
        await asyncio.sleep(0)
        go.set()
        return await door.submit(guard, texts("see you at nine"))

    assert [one.action for one in run(given_up())] == ["allow"]
    # Two texts are at work side by side: each ends with the step that it is at.
    assert len(steps) <= 4, steps
