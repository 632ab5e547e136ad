"""How long an endpoint asks to be left alone, and what is wrong with an address."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from unbarb.wire.address import problems
from unbarb.wire.again import retry_after

NOW = datetime(2026, 1, 1, 12, 0, 0, tzinfo=UTC)
EXAMPLE = "http://localhost:8000"


@pytest.mark.parametrize(
    ("given", "seconds"),
    [
        ("7", 7.0),
        (" 0 ", 0.0),
        ("Thu, 01 Jan 2026 12:00:30 GMT", 30.0),
        ("Thu, 01 Jan 2026 11:59:00 GMT", 0.0),
        ("Thu, 01 Jan 2026 12:00:30 -0000", 30.0),
        ("Thu, 01 Jan 2026 13:00:30 +0100", 30.0),
        ("soon", None),
        ("-3", None),
        ("1.5", None),
        ("٣", None),
        ("", None),
    ],
)
def test_seconds_or_a_date(given: str, seconds: float | None) -> None:
    assert retry_after({"Content-Type": "x", "Retry-After": given}, NOW) == seconds
    assert retry_after({"retry-after": given}, NOW) == seconds


def test_no_header_asks_for_nothing() -> None:
    assert retry_after({}) is None


@pytest.mark.parametrize("url", ["http://h", "https://h:1/v1", "http://[::1]:8000"])
def test_addresses_that_will_do(url: str) -> None:
    assert problems(url, None, EXAMPLE) == []


@pytest.mark.parametrize("url", ["h:8000", "ftp://h", "http://", "", "/v1"])
def test_addresses_that_will_not(url: str) -> None:
    [wrong] = problems(url, None, EXAMPLE)
    assert wrong.endswith(f"such as {EXAMPLE}")


def test_no_secret_is_quoted(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("EMPTY_FOR_THE_TEST", "")
    found = [
        *problems("ftp://me:s3cret@h", "sk-s3cret", EXAMPLE),
        *problems("http://h", "EMPTY_FOR_THE_TEST", EXAMPLE),
    ]
    assert len(found) == 4
    assert "s3cret" not in " ".join(found)
