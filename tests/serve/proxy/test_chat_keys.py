"""Whose key goes where: this service's own, the server's key upstream, and the caller's own."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest
from proxying import Record
from scripted_upstream import ScriptedUpstream
from starlette.testclient import TestClient

from serving import client as client_of
from unbarb.errors import ConfigError
from unbarb.serve.dialects.chat import router
from unbarb.serve.keys import Key, Keyfile, made, new_id
from unbarb.serve.settings import Settings

CHAT = "/v1/chat/completions"
HELLO: Any = {"model": "toy", "messages": [{"role": "user", "content": "Hello."}]}
REPLY = {"id": "c", "choices": [{"index": 0, "message": {"role": "assistant", "content": "Hi."}}]}

Make = Callable[..., TestClient]


@pytest.fixture
def make(upstream: ScriptedUpstream, monkeypatch: pytest.MonkeyPatch) -> Iterator[Make]:
    """Makes services in front of the upstream; options of the dialect by name."""
    monkeypatch.setenv("UNBARB_UPSTREAM_KEY", "of-the-server")
    upstream.answers(REPLY)
    with ExitStack() as stack:

        def one(file: Path | None = None, **options: str) -> TestClient:
            named = {f"chat.{name}": value for name, value in options.items()}
            settings = {
                "dialects": ("chat",),
                "keys": file,
                "options": {"chat.upstream": upstream.address} | named,
            }
            return stack.enter_context(client_of(Record(), **settings))

        yield one


@pytest.fixture
def keys(tmp_path: Path) -> tuple[Path, dict[str, str]]:
    """A file of keys, and a secret of each scope."""
    found = {}
    with Keyfile(tmp_path / "keys.json", create=True) as file:
        for scope in ("proxy", "check"):
            key, found[scope] = made(Key(id=new_id(), name=scope, scopes=(scope,)))
            file.keys[key.id] = key
    return tmp_path / "keys.json", found


def sent(upstream: ScriptedUpstream) -> dict[str, str]:
    """The headers that say who asks."""
    names = ("authorization", "x-api-key", "openai-organization", "cookie")
    (seen,) = upstream.seen
    return {name: value for name, value in seen.headers.items() if name in names}


def test_the_servers_key_goes_upstream_and_nothing_of_the_caller(
    make: Make, upstream: ScriptedUpstream
) -> None:
    given = {"authorization": "Bearer of-the-caller", "openai-organization": "org", "cookie": "a=b"}
    assert make().post(CHAT, json=HELLO, headers=given).status_code == 200
    assert sent(upstream) == {"authorization": "Bearer of-the-server"}


def test_a_key_may_come_from_another_variable(
    make: Make, upstream: ScriptedUpstream, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MY_KEY", "mine")
    make(key_variable="MY_KEY").post(CHAT, json=HELLO)
    assert sent(upstream) == {"authorization": "Bearer mine"}


def test_a_server_without_a_key_sends_none(
    make: Make, upstream: ScriptedUpstream, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("UNBARB_UPSTREAM_KEY")
    make().post(CHAT, json=HELLO, headers={"authorization": "Bearer of-the-caller"})
    assert sent(upstream) == {}


def test_the_callers_own_key_goes_upstream_where_the_server_says_so(
    make: Make, upstream: ScriptedUpstream
) -> None:
    given = {"authorization": "Bearer of-the-caller", "openai-organization": "org", "cookie": "a=b"}
    assert make(keys="caller").post(CHAT, json=HELLO, headers=given).status_code == 200
    assert sent(upstream) == {"authorization": "Bearer of-the-caller", "openai-organization": "org"}


def test_this_services_key_opens_the_proxy_and_stays_here(
    make: Make, upstream: ScriptedUpstream, keys: tuple[Path, dict[str, str]]
) -> None:
    path, secrets = keys
    service = make(path)
    assert service.post(CHAT, json=HELLO).status_code == 401
    answer = service.post(CHAT, json=HELLO, headers={"authorization": f"Bearer {secrets['check']}"})
    assert (answer.status_code, answer.json()["error"]["type"]) == (403, "permission_error")
    assert upstream.seen == []
    assert (
        service.post(CHAT, json=HELLO, headers={"authorization": f"Bearer {secrets['proxy']}"}).status_code
        == 200
    )
    assert sent(upstream) == {"authorization": "Bearer of-the-server"}


def test_both_keys_find_their_way(
    make: Make, upstream: ScriptedUpstream, keys: tuple[Path, dict[str, str]]
) -> None:
    path, secrets = keys
    given = {"authorization": "Bearer of-the-caller", "x-api-key": secrets["proxy"]}
    assert make(path, keys="caller").post(CHAT, json=HELLO, headers=given).status_code == 200
    assert sent(upstream) == {"authorization": "Bearer of-the-caller"}


@pytest.mark.parametrize("with_keys", [True, False])
def test_this_services_key_is_never_sent_as_the_callers(
    make: Make, upstream: ScriptedUpstream, keys: tuple[Path, dict[str, str]], with_keys: bool
) -> None:
    path, secrets = keys
    service = make(path if with_keys else None, keys="caller")
    answer = service.post(CHAT, json=HELLO, headers={"authorization": f"Bearer {secrets['proxy']}"})
    assert answer.status_code == 401
    assert "x-api-key" in answer.json()["error"]["message"]
    assert upstream.seen == []


@pytest.mark.parametrize("status", [401, 403])
def test_that_the_servers_key_is_refused_is_no_fault_of_the_caller(
    make: Make, upstream: ScriptedUpstream, status: int
) -> None:
    upstream.answers({"error": {"message": "Incorrect API key: of-the-se****"}}, status)
    answer = make().post(CHAT, json=HELLO)
    assert (answer.status_code, answer.json()["error"]["code"]) == (502, "upstream_key_refused")
    assert "of-the" not in answer.text


def test_that_the_callers_key_is_refused_is_told_to_the_caller(
    make: Make, upstream: ScriptedUpstream
) -> None:
    upstream.answers({"error": {"message": "That key is not known.", "code": "invalid_api_key"}}, 401)
    answer = make(keys="caller").post(CHAT, json=HELLO, headers={"authorization": "Bearer x"})
    assert (answer.status_code, answer.json()["error"]["code"]) == (401, "invalid_api_key")


def test_without_an_upstream_the_answer_says_how_to_set_one() -> None:
    with client_of(Record(), dialects=("chat",)) as service:
        answer = service.post(CHAT, json=HELLO)
    assert answer.status_code == 404
    assert "--set chat.upstream=URL" in answer.json()["error"]["message"]


def test_everything_that_is_wrong_with_the_options_is_told() -> None:
    options = {"chat.upstream": "example.org", "chat.keys": "both", "chat.timeout": "0", "chat.x": "1"}
    with pytest.raises(ConfigError) as raised:
        router(Settings(dialects=("chat",), audit=None, options=options))
    message = str(raised.value)
    assert [name for name in ("upstream", "keys", "timeout", "x:") if f"chat.{name}" not in message] == []
