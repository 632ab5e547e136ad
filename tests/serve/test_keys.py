"""Keys: hashed at rest, looked up, rotated, revoked, and never half written."""

from __future__ import annotations

import json
import os
import threading
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from unbarb.errors import ConfigError
from unbarb.serve.keys import Key, Keyfile, find, made, new_id, read, rotated, write

NOW = datetime(2026, 1, 1, tzinfo=UTC)


def keyring(**options: object) -> tuple[dict[str, Key], str]:
    key, token = made(Key(id=new_id(), name="web", **options))  # type: ignore[arg-type]
    return {key.id: key}, token


def test_a_key_is_found_by_its_secret_alone() -> None:
    keys, token = keyring()
    found = find(keys, token)
    assert found is not None
    assert found.name == "web"
    other = token[:-1] + ("a" if token[-1] != "a" else "b")
    for wrong in (other, "", "unbarb_", token + "x", token.replace("unbarb", "unbArb"), "é" * 10):
        assert find(keys, wrong) is None


def test_the_file_holds_no_secret_and_is_the_owners_alone(tmp_path: Path) -> None:
    keys, token = keyring(scopes=("check",), policies=("strict",), rate=60)
    path = tmp_path / "keys.json"
    write(path, keys.values())
    assert path.stat().st_mode & 0o777 == 0o600
    assert token.rpartition("_")[2] not in path.read_text()
    assert read(path) == keys
    assert find(read(path), token) == next(iter(keys.values()))
    assert os.listdir(tmp_path) == ["keys.json"]


def test_a_rotated_key_is_good_under_both_secrets_for_its_grace() -> None:
    keys, old = keyring()
    (key,) = keys.values()
    turned, new = rotated(key, timedelta(hours=1), NOW)
    after = {turned.id: turned}
    assert turned.id == key.id
    assert find(after, old, NOW + timedelta(minutes=59)) is turned
    assert find(after, old, NOW + timedelta(minutes=61)) is None
    assert find(after, new, NOW + timedelta(days=999)) is turned
    at_once, newest = rotated(turned, timedelta(0), NOW)
    assert find({at_once.id: at_once}, new, NOW) is None
    assert find({at_once.id: at_once}, newest, NOW) is at_once
    assert len(at_once.secrets) == 1


def test_rotating_twice_does_not_lengthen_a_grace() -> None:
    keys, old = keyring()
    (key,) = keys.values()
    once, _ = rotated(key, timedelta(hours=1), NOW)
    twice, _ = rotated(once, timedelta(hours=5), NOW + timedelta(minutes=30))
    assert find({twice.id: twice}, old, NOW + timedelta(minutes=61)) is None


def test_a_revoked_key_is_good_for_nothing() -> None:
    keys, token = keyring()
    (key,) = keys.values()
    assert find({key.id: key.as_revoked()}, token) is None


def test_admin_may_do_all_and_others_what_they_may() -> None:
    key = Key(id="0", name="n", scopes=("check",), policies=("strict",), policy="lenient")
    assert [key.may(scope) for scope in ("check", "rewrite")] == [True, False]
    assert Key(id="0", name="n", scopes=("admin",)).may("proxy")
    assert [key.may_use(name) for name in ("strict", "lenient", "default")] == [True, True, False]


@pytest.mark.parametrize(
    ("content", "told"),
    [
        ("{", "not a file of keys"),
        ("[]", "not a file of keys"),
        ('{"schema": 2, "keys": []}', "schema 1"),
        ('{"schema": 1, "keys": [{"id": "1"}]}', "not a file of keys"),
        ('{"schema": 1, "keys": [{"id": "1", "name": "n", "secrets": [], "colour": 1}]}', "unknown colour"),
        (
            '{"schema": 1, "keys": [{"id": "1", "name": "n", "secrets": [], "scopes": ["all"]}]}',
            "all; known",
        ),
    ],
)
def test_what_is_no_file_of_keys_is_told(tmp_path: Path, content: str, told: str) -> None:
    path = tmp_path / "keys.json"
    path.write_text(content)
    path.chmod(0o600)
    with pytest.raises(ConfigError, match=told):
        read(path)


@pytest.mark.parametrize("mode", [0o604, 0o620, 0o660, 0o644])
def test_a_file_that_others_may_read_is_refused(tmp_path: Path, mode: int) -> None:
    path = tmp_path / "keys.json"
    write(path, [])
    path.chmod(mode)
    with pytest.raises(ConfigError, match="chmod 600"):
        read(path)
    with pytest.raises(ConfigError, match="unbarb keys create"):
        read(tmp_path / "none.json")


@pytest.mark.parametrize("mode", [0o400, 0o440, 0o600, 0o640])
def test_a_group_may_read_the_file_as_it_does_a_secret_of_kubernetes(tmp_path: Path, mode: int) -> None:
    path = tmp_path / "keys.json"
    write(path, [])
    path.chmod(mode)
    assert read(path) == {}


def test_changes_at_the_same_time_are_all_kept(tmp_path: Path) -> None:
    path = tmp_path / "keys.json"

    def add() -> None:
        for _ in range(5):
            with Keyfile(path, create=True) as file:
                key, _ = made(Key(id=new_id(), name="n"))
                file.keys[key.id] = key

    threads = [threading.Thread(target=add) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(json.loads(path.read_text())["keys"]) == 20


def test_a_change_that_fails_leaves_the_file_as_it_was(tmp_path: Path) -> None:
    path = tmp_path / "keys.json"
    write(path, keyring()[0].values())
    before = path.read_bytes()

    def fail() -> None:
        with Keyfile(path) as file:
            file.keys.clear()
            raise RuntimeError

    with pytest.raises(RuntimeError):
        fail()
    assert path.read_bytes() == before
