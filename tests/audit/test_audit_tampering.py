"""Every tampering with the record is found and named, and an honest one is never accused."""

from __future__ import annotations

import random
import shutil
from collections.abc import Iterator
from pathlib import Path

import audit_events
import pytest
import tamper

from postgres import Postgres
from unbarb.audit.checkpoint import Statement
from unbarb.audit.keys import Keyring
from unbarb.audit.log import AuditLog
from unbarb.audit.verify import verify

RECORDS = 60
SEEDS = range(5)


class Original:
    """A full log, of which each test gets a copy."""

    def __init__(self, folder: Path, postgres: Postgres | None) -> None:
        self.folder, self.postgres = folder, postgres
        self.keys = folder / "keys"
        Keyring.create(self.keys)
        self.url = postgres.database() if postgres else f"sqlite:///{folder / 'original.db'}"
        made = audit_events.mixed(RECORDS)
        with AuditLog.open(self.url, keys=self.keys) as log:
            log.append(made[:20])
            log.checkpoint()
            log.append(made[20:45])
            log.checkpoint()
            log.append(made[45:])
            self.published: list[Statement] = [log.checkpoint()]

    def copy(self) -> str:
        if self.postgres:
            return self.postgres.database(self.url.rsplit("/", 1)[1])
        target = self.folder / "copy.db"
        shutil.copy(self.folder / "original.db", target)
        return f"sqlite:///{target}"


@pytest.fixture(scope="module", params=["sqlite", "postgresql"])
def original(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Original:
    server = request.getfixturevalue("postgres") if request.param == "postgresql" else None
    return Original(tmp_path_factory.mktemp("original"), server)


@pytest.fixture
def copy(original: Original) -> Iterator[AuditLog]:
    url = original.copy()
    with AuditLog.open(url, keys=original.keys) as log:
        yield log
    if original.postgres:
        original.postgres.drop(url)


def test_an_honest_log_is_intact(copy: AuditLog, original: Original) -> None:
    found = verify(copy, original.published)
    assert found.tamperings == ()
    assert (found.records, found.first, found.last, found.vouched) == (RECORDS, 1, RECORDS, RECORDS)
    assert (found.checkpoints, found.published) == (3, 1)
    assert found.texts > 10


@pytest.mark.parametrize("seed", SEEDS)
@pytest.mark.parametrize("way", tamper.WAYS[2:], ids=lambda way: way.__name__)
def test_every_tampering_is_found_and_named(
    copy: AuditLog, original: Original, way: tamper.Way, seed: int
) -> None:
    with copy.database.writing() as connection:
        done = way(connection, random.Random(seed))
    found = verify(copy, original.published)
    assert any(map(done.named_by, found.tamperings)), f"{done.what}: {[str(t) for t in found.tamperings]}"


@pytest.mark.parametrize("column", tamper.COLUMNS)
def test_a_changed_column_is_named_and_nothing_else(copy: AuditLog, column: str) -> None:
    with copy.database.writing() as connection:
        done = tamper.edit(connection, random.Random(column), column)
    found = verify(copy)
    assert [str(one) for one in found.tamperings if not done.named_by(one)] == []
    assert len(found.tamperings) == 1, done.what
