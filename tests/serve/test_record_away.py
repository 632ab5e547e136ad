"""The record is away for a while: workers wait for it, and what happened meanwhile is told afterwards."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from serving import Kept
from unbarb.audit import Event
from unbarb.errors import AuditError
from unbarb.serve import app
from unbarb.serve.keys import Key, Keyfile, made, new_id
from unbarb.serve.settings import VARIABLE, Settings

POLICY = """
schema: 1
name: forum
labels:
  insult: {threshold: %s, action: block}
"""


class Away(Kept):
    """A record that cannot be written for now."""

    away = True

    def append(self, events: Sequence[Event]) -> list[int]:
        if self.away:
            raise AuditError("the database is gone")
        return super().append(events)


def test_a_service_starts_without_its_record_and_gives_nothing_out(serve: Any) -> None:
    record = Away()
    client = serve(record)
    assert client.post("/v1/check", json={"text": "hello"}).status_code == 503
    assert client.get("/health/ready").json()["reasons"] == ["the record cannot be written"]
    record.away = False
    client.portal.call(client.app.state.service.refresh)
    client.portal.call(client.app.state.service.refresh)
    assert [event.kind for event in record.events] == ["policy"]
    assert client.post("/v1/check", json={"text": "hello"}).status_code == 200


def test_policies_that_change_meanwhile_are_recorded_later_and_once(serve: Any, tmp_path: Path) -> None:
    record = Away()
    record.away = False
    client = serve(record, policies=tmp_path)
    service = client.app.state.service
    record.events.clear()
    record.away = True
    for threshold in (0.5, 0.6):
        (tmp_path / "forum.yaml").write_text(POLICY % threshold)
        with pytest.raises(Exception, match="could not be recorded"):
            client.portal.call(service.refresh)
    record.away = False
    client.portal.call(service.refresh)
    first, second = record.events
    assert first.policy
    assert second.details["before"] == first.policy["digest"]


def test_a_key_that_is_revoked_meanwhile_is_refused(serve: Any, tmp_path: Path) -> None:
    key, token = made(Key(id=new_id(), name="web", scopes=("check",), created="2026-01-01T00:00:00+00:00"))
    path = tmp_path / "keys.json"
    with Keyfile(path, create=True) as file:
        file.keys[key.id] = key
    record = Away()
    client = serve(record, keys=path)
    asked = {"json": {"text": "hello"}, "headers": {"x-api-key": token}}
    assert client.post("/v1/check", **asked).status_code == 503
    with Keyfile(path) as file:
        del file.keys[key.id]
    with pytest.raises(Exception, match="could not be recorded"):
        client.portal.call(client.app.state.service.refresh)
    assert client.post("/v1/check", **asked).status_code == 401


@pytest.fixture
def later(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The folder of the record, which is not there yet."""
    folder = tmp_path / "later"
    settings = Settings(audit=f"sqlite:///{folder}/audit.db", dialects=("native",))
    monkeypatch.setenv(VARIABLE, settings.to_json())
    monkeypatch.setattr(app, "AGAIN", 0.01)
    return folder


def test_a_worker_waits_for_the_record(later: Path) -> None:
    timer = threading.Timer(0.2, later.mkdir)
    timer.start()
    application = app.from_environment()
    timer.join()
    assert (later / "audit.db").exists()
    application.state.service.recorder._log.close()


def test_a_worker_waits_no_longer_than_it_says(later: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(app, "PATIENCE", 0.05)
    with pytest.raises(AuditError, match="cannot be made"):
        app.from_environment()
