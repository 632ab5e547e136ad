"""Putting events on record: together, in order, durable first; and what happens when it cannot be done."""

from __future__ import annotations

import asyncio
import sqlite3
import threading
from collections.abc import Coroutine, Sequence
from importlib.resources import files
from pathlib import Path
from typing import Any, TypeVar

import pytest
from starlette.testclient import TestClient

from serving import Kept
from unbarb.audit import AuditLog, Event
from unbarb.audit.read import Choice, records
from unbarb.audit.verify import verify
from unbarb.errors import AuditError
from unbarb.policy import AuditRules
from unbarb.serve import recording
from unbarb.serve.errors import AuditFailed
from unbarb.serve.metrics import Meters
from unbarb.serve.recording import LARGEST, Recorder

T = TypeVar("T")


class Disk(Kept):
    """A record that can be slow, broken, or unable to write one event."""

    def __init__(self, *, held: bool = False, broken: bool = False, full: bool = False) -> None:
        super().__init__()
        self.groups: list[int] = []
        self.spilled: list[Event] = []
        self.broken, self.full = broken, full
        self.begun, self.go = threading.Event(), threading.Event()
        if not held:
            self.go.set()

    def append(self, events: Sequence[Event]) -> list[int]:
        self.begun.set()
        assert self.go.wait(10)
        if self.broken:
            raise AuditError("the database is gone")
        if any(event.request == "poison" for event in events):
            raise ValueError("cannot be written")
        self.groups.append(len(events))
        return super().append(events)

    def spill(self, events: Sequence[Event]) -> None:
        if self.full:
            raise AuditError("the disk is full")
        self.spilled.extend(events)


def event(request: str = "r", on_failure: Any = "fail") -> Event:
    rules = AuditRules(on_failure=on_failure)
    return Event(kind="failure", surface="native", request=request, error="e", rules=rules)


def run(work: Coroutine[Any, Any, T]) -> T:
    return asyncio.run(asyncio.wait_for(work, 20))


def test_events_of_many_requests_share_a_group_in_order() -> None:
    disk = Disk(held=True)

    async def many() -> None:
        recorder = Recorder(disk, Meters())
        first = asyncio.create_task(recorder.record([event("0")]))
        assert await asyncio.to_thread(disk.begun.wait, 10)
        later = [asyncio.create_task(recorder.record([event(str(number))])) for number in range(1, 40)]
        await asyncio.sleep(0)
        assert not first.done()
        disk.go.set()
        await asyncio.gather(first, *later)
        await recorder.close()

    run(many())
    assert disk.groups == [1, 39]
    assert [one.request for one in disk.events] == [str(number) for number in range(40)]


def test_a_group_is_bounded() -> None:
    disk = Disk()

    async def many() -> None:
        recorder = Recorder(disk, Meters())
        await asyncio.gather(*(recorder.record([event()] * 400) for _ in range(5)))

    run(many())
    assert sum(disk.groups) == 2000
    assert max(disk.groups) <= LARGEST


def test_a_record_that_is_not_written_is_a_failure_that_shows() -> None:
    disk = Disk(broken=True)

    async def failing() -> tuple[bool, bool]:
        recorder = Recorder(disk, Meters())
        with pytest.raises(AuditFailed) as failed:
            await recorder.record([event()])
        assert failed.value.status == 503
        assert failed.value.retry_after == 1
        down = recorder.failing
        disk.broken = False
        await recorder.record([event()])
        return down, recorder.failing

    assert run(failing()) == (True, False)
    assert disk.spilled == []


def test_a_write_that_does_not_end_shows_and_piles_nothing_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(recording, "UNREADY", 0.0)
    monkeypatch.setattr(recording, "WAITING", 3)
    disk = Disk(held=True)

    async def stuck() -> list[Any]:
        recorder = Recorder(disk, Meters())
        assert not recorder.failing
        first = asyncio.create_task(recorder.record([event("0")]))
        assert await asyncio.to_thread(disk.begun.wait, 10)
        assert recorder.failing
        later = [asyncio.create_task(recorder.record([event(str(number))])) for number in range(1, 4)]
        await asyncio.sleep(0)
        with pytest.raises(AuditFailed):
            await recorder.record([event("4")])
        with pytest.raises(AuditFailed):
            await recorder.later([event("5")])
        disk.go.set()
        await asyncio.gather(first, *later)
        await recorder.close()
        return [recorder.failing, [one.request for one in disk.events]]

    assert run(stuck()) == [False, ["0", "1", "2", "3"]]


def test_a_policy_may_have_it_spilled() -> None:
    disk = Disk(broken=True)

    async def both() -> list[Any]:
        recorder = Recorder(disk, Meters())
        asked = (recorder.record([event(name, name)]) for name in ("spill", "fail"))
        return await asyncio.gather(*asked, return_exceptions=True)

    spilled, failed = run(both())
    assert spilled is None
    assert isinstance(failed, AuditFailed)
    assert [one.request for one in disk.spilled] == ["spill"]
    disk.full = True
    assert isinstance(run(both())[0], AuditFailed)


def test_what_may_be_spilled_waits_for_no_database_that_hangs(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(recording, "SLOW", 0.01)
    disk = Disk(held=True)

    async def stuck() -> list[bool]:
        recorder = Recorder(disk, Meters())
        first = asyncio.create_task(recorder.record([event("0", "spill"), event("1", "spill")]))
        assert await asyncio.to_thread(disk.begun.wait, 10)
        fails = asyncio.create_task(recorder.record([event("2")]))
        behind = asyncio.create_task(recorder.record([event("3", "spill")]))
        await asyncio.gather(first, behind)
        waited = fails.done()
        disk.go.set()
        await fails
        await recorder.close()
        return [waited]

    assert run(stuck()) == [False]
    assert sorted(one.request for one in disk.spilled) == ["0", "1", "3"]
    # What was being written came through after all; an event is recorded once by its id.
    assert [one.request for one in disk.events] == ["0", "1", "2"]


def test_a_locked_log_lets_what_may_be_spilled_be_spilled(
    serve: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(recording, "SLOW", 0.01)
    text = files("unbarb").joinpath("models/policies/default.yaml").read_text("utf-8")
    text = text.replace("name: default", "name: patient", 1)
    (tmp_path / "patient.yaml").write_text(text + "audit:\n  on_failure: spill\n")
    log = AuditLog.open(f"sqlite:///{tmp_path / 'audit.db'}")
    client: TestClient = serve(log, policies=tmp_path)
    other = sqlite3.connect(tmp_path / "audit.db", isolation_level=None)
    other.execute("BEGIN EXCLUSIVE")

    answer = client.post("/v1/check", json={"text": "see you", "policy": "patient"})

    assert answer.status_code == 200
    assert len(log.spilled.files) == 1
    other.execute("ROLLBACK")
    other.close()
    assert client.post("/v1/check", json={"text": "see you"}).status_code == 200
    log.drain()
    found = [one["request"] for one in records(log, Choice(kind="decision"))]
    assert found.count(answer.headers["x-request-id"]) == 1
    assert verify(log).tamperings == ()


def test_what_cannot_be_written_takes_nobody_along() -> None:
    disk = Disk(held=True)

    async def three() -> list[Any]:
        recorder = Recorder(disk, Meters())
        first = asyncio.create_task(recorder.record([event("a")]))
        assert await asyncio.to_thread(disk.begun.wait, 10)
        later = asyncio.gather(
            *(recorder.record([event(name)]) for name in ("b", "poison", "c")), return_exceptions=True
        )
        await asyncio.sleep(0)
        disk.go.set()
        await first
        return await later

    outcomes = run(three())
    assert [type(one) for one in outcomes] == [type(None), AuditFailed, type(None)]
    assert [one.request for one in disk.events] == ["a", "b", "c"]


def test_a_cancelled_request_is_recorded_all_the_same() -> None:
    disk = Disk(held=True)

    async def given_up() -> None:
        recorder = Recorder(disk, Meters())
        first = asyncio.create_task(recorder.record([event("a")]))
        assert await asyncio.to_thread(disk.begun.wait, 10)
        gone = asyncio.create_task(recorder.record([event("b")]))
        await asyncio.sleep(0)
        gone.cancel()
        disk.go.set()
        await first
        await recorder.close()

    run(given_up())
    assert [one.request for one in disk.events] == ["a", "b"]


def test_a_decision_that_cannot_be_recorded_is_not_given_out(serve: Any) -> None:
    client: TestClient = serve(Disk())
    disk = client.app.state.service.recorder._log  # type: ignore[attr-defined]
    assert client.post("/v1/check", json={"text": "you are an idiot"}).status_code == 200
    disk.broken = True
    answer = client.post("/v1/rewrite", json={"text": "you are an idiot"})
    assert (answer.status_code, answer.json()["code"]) == (503, "audit_failed")
    assert answer.headers["retry-after"] == "1"
    assert "idiot" not in answer.text
    ready = client.get("/health/ready")
    assert ready.status_code == 503
    assert ready.json()["reasons"] == ["the record cannot be written"]
    stream = client.post("/v1/rewrite/stream", json={"text": "We met. You idiot. Bye."})
    assert stream.text.startswith("event: error")
    assert "idiot" not in stream.text
    assert "unbarb_audit_failures_total 0.0" not in client.get("/metrics").text
    disk.broken = False
    assert client.post("/v1/check", json={"text": "hello"}).status_code == 200
    assert client.get("/health/ready").status_code == 200


def test_a_record_that_hangs_keeps_nobody_past_the_deadline(serve: Any) -> None:
    disk = Disk()
    client: TestClient = serve(disk, deadline=0.5)
    disk.go.clear()
    try:
        answer = client.post("/v1/rewrite", json={"text": "you are an idiot"})
    finally:
        disk.go.set()
    # What is late is the record and not the guard: sending less would not help.
    assert (answer.status_code, answer.json()["code"]) == (503, "audit_failed")
    assert "could not be recorded in time" in answer.json()["detail"]
    assert answer.headers["retry-after"] == "1"
    assert "idiot" not in answer.text
    assert client.post("/v1/check", json={"text": "hello"}).status_code == 200
    kinds = [event.kind for event in disk.events if event.kind != "policy"]
    assert kinds == ["decision", "failure", "decision"], "what was decided is written all the same"


def test_all_that_a_service_decided_stands_in_its_log(serve: Any, tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path}/audit.db"
    client: TestClient = serve(AuditLog.open(url))
    ids = [client.post("/v1/check", json={"text": f"text {at}"}).headers["x-request-id"] for at in range(5)]
    assert client.post("/v1/check", json={"text": "x", "policy": "nowhere"}).status_code == 404
    with AuditLog.open(url, create=False) as log:
        decided = [record["request"] for record in records(log, Choice(kind="decision"))]
        assert decided == ids
        assert verify(log).tamperings == ()
