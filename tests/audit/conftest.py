"""Records to test with: an empty one on each database, and a full one to tamper with."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from postgres import Postgres
from unbarb.audit.keys import Keyring
from unbarb.audit.log import AuditLog


@pytest.fixture(scope="session")
def postgres() -> Iterator[Postgres]:
    with Postgres() as server:
        yield server


@pytest.fixture(params=["sqlite", "postgresql"])
def url(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """Where an empty log can be made, on SQLite and on PostgreSQL."""
    if request.param == "sqlite":
        yield f"sqlite:///{tmp_path / 'audit.db'}"
    else:
        server: Postgres = request.getfixturevalue("postgres")
        fresh = server.database()
        yield fresh
        server.drop(fresh)


@pytest.fixture
def keys(tmp_path: Path) -> Path:
    """The file of a new keyring."""
    path = tmp_path / "audit.keys"
    Keyring.create(path)
    return path


@pytest.fixture
def log(url: str, keys: Path) -> Iterator[AuditLog]:
    """An empty log."""
    with AuditLog.open(url, keys=keys) as opened:
        yield opened
