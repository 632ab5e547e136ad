"""The entrance: ids, keys, scopes, rates, bodies, hosts, origins, and clients that went away."""

from __future__ import annotations

import asyncio
import json
import threading
from pathlib import Path
from typing import Any

import pytest
from starlette.testclient import TestClient

from serving import Kept
from unbarb.serve.app import create_app
from unbarb.serve.keys import Key, Keyfile, made, new_id
from unbarb.serve.settings import Settings

HELLO = {"text": "the train leaves at nine"}


def key_in(path: Path, **options: Any) -> str:
    """A fresh key in the file at `path`."""
    with Keyfile(path, create=True) as file:
        key, token = made(Key(id=new_id(), name="test", **options))
        file.keys[key.id] = key
    return token


def bearing(token: str) -> dict[str, str]:
    return {"authorization": f"Bearer {token}"}


@pytest.mark.parametrize("given", ["abc-123", "01J:x/y+z=.", "f" * 128])
def test_a_sane_request_id_comes_back(service: TestClient, given: str) -> None:
    assert service.get("/health/live", headers={"x-request-id": given}).headers["x-request-id"] == given


@pytest.mark.parametrize("given", ["", "a b", "é", "x" * 129, "<script>"])
def test_any_other_is_replaced(service: TestClient, given: str) -> None:
    answer = service.post("/v1/check", json=HELLO, headers={"x-request-id": given.encode()})
    assert len(answer.headers["x-request-id"]) == 32
    assert answer.status_code == 200


def test_errors_carry_an_id_too(service: TestClient) -> None:
    ids = {
        service.post(path, content=b"{").headers["x-request-id"]
        for path in ("/v1/check", "/nowhere", "/docs")
    }
    assert len(ids) == 3


def test_a_key_is_asked_for_before_the_body_is_read(serve: Any, tmp_path: Path) -> None:
    token = key_in(tmp_path / "keys.json")
    client: TestClient = serve(keys=tmp_path / "keys.json")
    for headers in (
        {},
        bearing("unbarb_0_wrong"),
        bearing(token + "x"),
        {"authorization": f"Basic {token}"},
    ):
        answer = client.post("/v1/check", content=b"{not json", headers=headers)
        assert (answer.status_code, answer.json()["code"]) == (401, "unauthorized")
        assert answer.headers["www-authenticate"] == "Bearer"
    for headers in (bearing(token), {"x-api-key": token}, {"authorization": f"bearer {token}"}):
        assert client.post("/v1/check", json=HELLO, headers=headers).status_code == 200
    assert client.get("/health/live").status_code == 200


@pytest.mark.parametrize("path", ["/v1/check%0A", "/v1/check/", "//v1/check", "/V1/check", "/v1/./check"])
def test_no_spelling_of_a_path_gets_round_the_key(serve: Any, tmp_path: Path, path: str) -> None:
    key_in(tmp_path / "keys.json")
    client: TestClient = serve(keys=tmp_path / "keys.json")
    assert client.post(path, json=HELLO).status_code in (401, 404)


def test_a_key_may_do_what_its_scopes_say(serve: Any, tmp_path: Path) -> None:
    path = tmp_path / "keys.json"
    check, admin = key_in(path, scopes=("check",)), key_in(path, scopes=("admin",))
    figures = key_in(path, scopes=("metrics",))
    client: TestClient = serve(keys=path)
    assert client.post("/v1/check", json=HELLO, headers=bearing(check)).status_code == 200
    refused = client.post("/v1/rewrite", json=HELLO, headers=bearing(check))
    assert (refused.status_code, refused.json()["code"]) == (403, "forbidden")
    assert client.post("/v1/rewrite", json=HELLO, headers=bearing(admin)).status_code == 200
    assert client.get("/metrics").status_code == 401
    assert client.get("/metrics", headers=bearing(check)).status_code == 403
    assert client.get("/metrics", headers=bearing(figures)).status_code == 200


def test_a_key_has_its_policy_and_may_name_those_it_may(serve: Any, tmp_path: Path) -> None:
    path = tmp_path / "keys.json"
    token = key_in(path, policy="moderation", policies=("strict",))
    kept = Kept()
    client: TestClient = serve(kept, keys=path)
    headers = bearing(token)
    names = [
        client.post("/v1/check", json=HELLO | more, headers=headers).json()["policy"]["name"]
        for more in ({}, {"policy": "strict"}, {"policy": "moderation"})
    ]
    assert names == ["moderation", "strict", "moderation"]
    refused = client.post("/v1/check", json=HELLO | {"policy": "lenient"}, headers=headers)
    assert refused.status_code == 403
    told = client.get("/v1/policies", headers=headers).json()
    assert told["default"] == "moderation"
    assert [one["name"] for one in told["policies"]] == ["moderation", "strict"]
    ids = {event.key for event in kept.events if event.kind == "decision"}
    assert ids == {token.split("_")[1]}, "the record knows the key's id, and nothing more of it"


def test_keys_are_read_again_and_a_broken_file_changes_nothing(serve: Any, tmp_path: Path) -> None:
    path = tmp_path / "keys.json"
    token, kept = key_in(path), Kept()
    client: TestClient = serve(kept, keys=path)
    refresh = client.app.state.service.refresh  # type: ignore[attr-defined]

    def asked(with_token: str) -> int:
        client.portal.call(refresh)  # type: ignore[union-attr]
        return client.post("/v1/check", json=HELLO, headers=bearing(with_token)).status_code

    later = key_in(path)
    assert [asked(token), asked(later)] == [200, 200]
    good = path.read_bytes()
    path.write_text("{")
    assert asked(token) == 200
    path.write_bytes(good)
    with Keyfile(path) as file:
        for name, key in file.keys.items():
            file.keys[name] = key.as_revoked()
    assert asked(token) == 401
    path.unlink()
    assert asked(token) == 401
    first, second = (one.split("_")[1] for one in (token, later))
    assert [event.details for event in kept.events if event.kind == "admin"] == [
        {"what": "API keys changed", "added": [second], "changed": [], "gone": []},
        {"what": "API keys changed", "added": [], "changed": sorted([first, second]), "gone": []},
    ]


def test_a_rate_is_told_and_held(serve: Any, tmp_path: Path) -> None:
    path = tmp_path / "keys.json"
    slow, fast = key_in(path, rate=2), key_in(path)
    client: TestClient = serve(keys=path, rate=100)
    answers = [client.post("/v1/check", json=HELLO, headers=bearing(slow)) for _ in range(3)]
    assert [answer.status_code for answer in answers] == [200, 200, 429]
    assert answers[0].headers["ratelimit-policy"] == '"key";q=2;w=60'
    assert answers[0].headers["ratelimit"].startswith('"key";r=1;')
    assert 1 <= int(answers[2].headers["retry-after"]) <= 30
    assert answers[2].json()["code"] == "rate_limited"
    assert client.post("/v1/check", json=HELLO, headers=bearing(fast)).status_code == 200


def test_a_body_over_the_limit_is_refused_however_it_comes(serve: Any) -> None:
    client: TestClient = serve(max_body=1000)
    big = json.dumps({"text": "x" * 2000}).encode()
    kind = {"content-type": "application/json"}
    assert client.post("/v1/check", content=big, headers=kind).status_code == 413
    chunked = client.post(
        "/v1/check", content=(big[at : at + 100] for at in range(0, len(big), 100)), headers=kind
    )
    assert (chunked.status_code, chunked.json()["code"]) == (413, "too_large")
    lying = kind | {"content-length": "1000000000"}
    assert client.post("/v1/check", content=b"{}", headers=lying).status_code == 413
    assert client.post("/v1/check", content=b'{"text": "x"}', headers=kind).status_code == 200


def test_without_keys_only_loopback_names_are_answered_to(serve: Any) -> None:
    client: TestClient = serve()
    for host in ("127.0.0.1", "localhost:8000", "[::1]:80", "LOCALHOST"):
        assert client.post("/v1/check", json=HELLO, headers={"host": host}).status_code == 200
    for host in ("evil.example", "evil.example:8000", "127.0.0.1.evil.example", "127.0.0.1@evil.example"):
        answer = client.post("/v1/check", json=HELLO, headers={"host": host})
        assert (answer.status_code, answer.json()["code"]) == (403, "host_not_allowed")


def test_origins_are_let_in_only_when_named(serve: Any) -> None:
    origin = {"origin": "https://page.example"}
    asked = origin | {
        "access-control-request-method": "POST",
        "access-control-request-headers": "content-type,unbarb-policy,unbarb-subject",
    }
    closed: TestClient = serve()
    assert "access-control-allow-origin" not in closed.post("/v1/check", json=HELLO, headers=origin).headers
    assert closed.options("/v1/check", headers=asked).status_code == 405
    opened: TestClient = serve(cors=("https://page.example",))
    preflight = opened.options("/v1/check", headers=asked)
    assert preflight.status_code == 200
    assert preflight.headers["access-control-allow-origin"] == "https://page.example"
    other = opened.post("/v1/check", json=HELLO, headers={"origin": "https://other.example"})
    assert "access-control-allow-origin" not in other.headers


def test_a_text_that_would_keep_the_others_waiting_is_refused(serve: Any) -> None:
    client: TestClient = serve(max_text=20)
    for body in ({"text": "a" * 21}, {"texts": ["a", {"text": "a" * 11, "context": "b" * 10}]}):
        answer = client.post("/v1/check", json=body)
        assert (answer.status_code, answer.json()["code"]) == (413, "too_large")
        assert "20 characters" in answer.json()["detail"]
    assert client.post("/v1/check", json={"texts": ["a" * 20] * 3}).status_code == 200
    assert client.post("/v1/rewrite/stream", json={"text": "We met. " * 9}).status_code == 200


class Wire:
    """One request by hand, to an application without a server."""

    def __init__(
        self, app: Any, body: bytes = b"{}", headers: tuple[tuple[bytes, bytes], ...] = ()
    ) -> None:
        self.app, self.body = app, body
        self.sent: list[Any] = []
        self.left = asyncio.Event()
        self.whole = True
        kind = (b"content-type", b"application/json")
        self.scope = {
            "type": "http", "method": "POST", "path": "/v1/rewrite", "raw_path": b"/v1/rewrite",
            "query_string": b"", "root_path": "", "scheme": "http", "http_version": "1.1",
            "headers": [(b"host", b"127.0.0.1"), kind, (b"content-length", b"%d" % len(body)), *headers],
        }  # fmt: skip
        self._read = False

    async def receive(self) -> dict[str, Any]:
        if not self._read and self.whole:
            self._read = True
            return {"type": "http.request", "body": self.body, "more_body": False}
        await self.left.wait()
        return {"type": "http.disconnect"}

    async def send(self, message: Any) -> None:
        self.sent.append(message)

    async def run(self) -> None:
        await self.app(self.scope, self.receive, self.send)

    @property
    def status(self) -> int | None:
        return self.sent[0]["status"] if self.sent else None


class Slow:
    """Stands for a guard's work: begins, and goes on when it is let."""

    def __init__(self) -> None:
        self.begun, self.go = threading.Event(), threading.Event()
        self.texts: list[str] = []

    def __call__(self, guard: Any, items: Any, direction: Any) -> Any:
        self.begun.set()
        assert self.go.wait(10)
        self.texts += [item.text for item in items]
        return guard.batch([item.text for item in items])


def by_hand(work: Slow, kept: Kept, **settings: Any) -> Any:
    """An application whose rewriting waits for the test."""
    app = create_app(Settings(**{"dialects": ("native",), "audit": None, **settings}), audit=kept)
    app.state.service.lanes["rewrite"]._work = work
    return app


def test_the_work_for_a_client_that_went_away_is_dropped() -> None:
    work, kept = Slow(), Kept()
    app = by_hand(work, kept)

    async def leaves() -> Wire:
        first, gone, stays = (Wire(app, json.dumps({"text": text}).encode()) for text in "abc")
        tasks = [asyncio.create_task(first.run())]
        assert await asyncio.to_thread(work.begun.wait, 10)
        tasks += [asyncio.create_task(gone.run()), asyncio.create_task(stays.run())]
        lane = app.state.service.lanes["rewrite"]
        async with asyncio.timeout(10):
            while lane._waiting < 2:
                await asyncio.sleep(0)
        gone.left.set()
        await tasks[1]
        work.go.set()
        await asyncio.gather(*tasks)
        assert (first.status, stays.status) == (200, 200)
        return gone

    gone = asyncio.run(leaves())
    assert gone.sent == []
    assert work.texts == ["a", "c"]
    assert [event.error for event in kept.events if event.kind == "failure"] == ["client_gone"]


def test_a_request_over_its_deadline_is_told_and_recorded() -> None:
    work, kept = Slow(), Kept()
    app = by_hand(work, kept, deadline=0.05)

    async def late() -> Wire:
        wire = Wire(app, b'{"text": "a"}')
        await wire.run()
        work.go.set()
        return wire

    wire = asyncio.run(late())
    assert wire.status == 504
    assert json.loads(wire.sent[1]["body"])["code"] == "deadline_exceeded"
    assert [(event.kind, event.error) for event in kept.events] == [("failure", "deadline_exceeded")]


def test_a_guard_that_fails_lets_nothing_through() -> None:
    kept = Kept()
    app = by_hand(Slow(), kept)

    def breaks(guard: Any, items: Any, direction: Any) -> Any:
        raise RuntimeError("you are an idiot")

    app.state.service.lanes["rewrite"]._work = breaks

    async def failing() -> Wire:
        wire = Wire(app, b'{"text": "a"}')
        await wire.run()
        return wire

    wire = asyncio.run(failing())
    told = json.loads(wire.sent[1]["body"])
    assert (wire.status, told["code"]) == (503, "detector_failed")
    assert "idiot" not in told["detail"]
    assert [event.error for event in kept.events] == ["detector_failed"]


def test_what_breaks_here_is_told_and_logged_without_its_words(caplog: pytest.LogCaptureFixture) -> None:
    kept = Kept()
    app = by_hand(Slow(), kept)
    app.state.service.lanes["rewrite"]._work = lambda guard, items, direction: guard.batch(
        [item.text for item in items]
    )

    def breaks(*_: Any) -> None:
        raise RuntimeError(HELLO["text"])

    app.state.service.meters.decided = breaks

    async def failing() -> Wire:
        wire = Wire(app, b'{"text": "a"}', ((b"x-request-id", b"abc"),))
        await wire.run()
        return wire

    wire = asyncio.run(failing())
    assert (wire.status, json.loads(wire.sent[1]["body"])["code"]) == (500, "internal_error")
    assert (b"x-request-id", b"abc") in wire.sent[0]["headers"]
    assert [event.error for event in kept.events] == ["internal_error"]
    assert "RuntimeError in /v1/rewrite" in caplog.text
    assert HELLO["text"] not in caplog.text


def test_a_body_that_does_not_come_is_not_waited_for() -> None:
    app = by_hand(Slow(), Kept(), body_timeout=0.05)

    async def waiting() -> Wire:
        wire = Wire(app)
        wire.whole = False
        await wire.run()
        return wire

    assert asyncio.run(waiting()).status == 408


def test_a_client_that_leaves_while_it_speaks_is_let_go() -> None:
    app = by_hand(Slow(), Kept())

    async def leaving() -> Wire:
        wire = Wire(app)
        wire.whole = False
        wire.left.set()
        await wire.run()
        return wire

    assert asyncio.run(leaving()).status in (None, 499)
