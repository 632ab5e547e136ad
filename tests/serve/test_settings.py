"""Settings: what is refused, all at once, and that a worker gets what was said."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from unbarb.errors import ConfigError
from unbarb.serve.settings import VARIABLE, Settings, converted


def test_a_worker_gets_what_was_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    said = Settings(
        host="0.0.0.0",
        keys=tmp_path / "keys.json",
        policies=tmp_path,
        dialects=("native", "fms"),
        cors=("https://a.example",),
        rate=60,
        audit=None,
        options={"chat.upstream": "http://localhost:1/v1"},
    )
    monkeypatch.setenv(VARIABLE, said.to_json())
    assert Settings.from_environment() == said
    monkeypatch.delenv(VARIABLE)
    assert Settings.from_environment() == Settings()


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "192.168.0.1", "unbarb.example"])
def test_an_address_that_others_reach_needs_keys(host: str, tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="--unsafe-no-keys"):
        Settings(host=host)
    assert Settings(host=host, unsafe_no_keys=True).allowed_hosts == ()
    assert Settings(host=host, keys=tmp_path / "keys.json").allowed_hosts == ()


@pytest.mark.parametrize("host", ["127.0.0.1", "::1", "localhost", "127.8.9.1"])
def test_loopback_needs_none_and_answers_to_its_names(host: str) -> None:
    settings = Settings(host=host)
    assert settings.loopback
    assert "localhost" in settings.allowed_hosts


def test_all_that_is_wrong_is_told_at_once(tmp_path: Path) -> None:
    with pytest.raises(ConfigError) as found:
        Settings(
            host="0.0.0.0",
            port=70000,
            workers=0,
            deadline=0,
            queue=10,
            dialects=("nativ",),
            policies=tmp_path / "none",
            cors=("*",),
            options={"upstream": "x"},
        )
    told = str(found.value)
    for word in (
        "70000",
        "workers",
        "deadline",
        "queue",
        "nativ:",
        "no such folder",
        "CORS",
        "upstream",
        "--keys",
    ):
        assert word in told
    assert len(told.splitlines()) == 9


@pytest.mark.parametrize(
    ("given", "found"),
    [({"window": "0.5"}, {"window": 0.5}), ({"max_body": "10"}, {"max_body": 10}), ({}, {})],
)
def test_a_setting_becomes_what_its_field_is(given: dict[str, str], found: dict[str, Any]) -> None:
    assert converted(given) == found


def test_a_setting_that_is_not_there_or_no_number_is_told() -> None:
    with pytest.raises(ConfigError) as found:
        converted({"windw": "1", "batch": "many", "cors": "x"})
    first, second, third = str(found.value).splitlines()
    assert "windw: no such setting; there are host, " in first
    assert "batch=many: it must be a number" in second
    assert "cors" in third


def test_cores_are_shared_out_among_workers() -> None:
    assert Settings(workers=1000).threads_each == 1
    assert Settings(threads=3, workers=1000).threads_each == 3
