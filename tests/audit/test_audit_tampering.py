"""Every tampering with the record is found and named, and an honest one is never accused."""

from __future__ import annotations

import random
import shutil
from collections.abc import Iterator
from pathlib import Path

import audit_events
import pytest
import tamper
from sqlalchemy import delete, select, update

from postgres import Postgres
from unbarb.audit.chain import FIELDS, digest, genesis, marks
from unbarb.audit.checkpoint import Statement
from unbarb.audit.keys import Keyring
from unbarb.audit.log import AuditLog
from unbarb.audit.models import Base, Checkpoint, Head, Record, SealedText
from unbarb.audit.verify import verify

RECORDS = 60
SEEDS = range(4)


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
def test_a_changed_column_is_named_and_nothing_else(file: AuditLog, column: str) -> None:
    with file.database.writing() as connection:
        done = tamper.edit(connection, random.Random(column), column)
    found = verify(file)
    assert [str(one) for one in found.tamperings if not done.named_by(one)] == []
    assert len(found.tamperings) == 1, done.what


@pytest.fixture
def file(tmp_path: Path) -> Iterator[AuditLog]:
    """A log in a file of SQLite, which lets any value stand in any column."""
    with AuditLog.open(str(tmp_path / "audit.db")) as log:
        log.append(audit_events.mixed(12))
        log.checkpoint()
        log.append(audit_events.mixed(3))
        yield log


ANYTHING = ("x'00ff'", "'text'", "9000000000000000000")
TABLES = {
    table.name: [column.name for column in table.columns if column.name != "id"]
    for table in Base.metadata.sorted_tables
}


@pytest.mark.parametrize(
    ("table", "column"), [(table, column) for table, columns in TABLES.items() for column in columns]
)
def test_no_value_that_somebody_puts_anywhere_stops_the_verification(
    file: AuditLog, table: str, column: str
) -> None:
    row = "sequence = 1" if table in ("audit_records", "audit_texts") else "1"
    with file.database.reading() as connection:
        found = f"SELECT rowid, {column} FROM {table} WHERE {row}"
        rowid, before = connection.exec_driver_sql(found).one()
    change = f"UPDATE {table} SET {column} = {{}} WHERE rowid = {rowid}"
    for value in ANYTHING:
        with file.database.writing() as connection:
            connection.exec_driver_sql(change.format(value))
        assert not verify(file).intact, value
    with file.database.writing() as connection:
        connection.exec_driver_sql(change.format("?"), (before,))
    assert verify(file).intact


def test_an_old_head_that_is_put_back_shows(file: AuditLog) -> None:
    with file.database.reading() as connection:
        old = dict(connection.execute(select(Head.__table__)).mappings().one())
    file.append(audit_events.mixed(2))
    with file.database.writing() as connection:
        connection.execute(update(Head).values(old))
    assert [(one.kind, one.first, one.last) for one in verify(file).tamperings] == [("added", 16, 17)]
    with file.database.writing() as connection:
        connection.execute(delete(Record).where(Record.sequence > 15))
        connection.execute(delete(SealedText).where(SealedText.sequence > 15))
    assert verify(file).intact  # an old copy of everything: only a published checkpoint could tell


def test_an_old_head_shows_against_a_later_checkpoint(file: AuditLog) -> None:
    with file.database.reading() as connection:
        old = dict(connection.execute(select(Head.__table__)).mappings().one())
    file.append(audit_events.mixed(2))
    file.checkpoint()
    with file.database.writing() as connection:
        connection.execute(update(Head).values(old))
    assert "head" in {one.kind for one in verify(file).tamperings}


def test_a_checkpoint_of_another_log_with_the_same_keys_is_not_ours(file: AuditLog, tmp_path: Path) -> None:
    with AuditLog.open(str(tmp_path / "other.db"), keys=file.keys.path) as other:
        other.append(audit_events.mixed(15))
        foreign = other.checkpoint()
    (found,) = verify(file, [foreign]).tamperings
    assert (found.kind, found.fields) == ("checkpoint", ("log",))
    with file.database.writing() as connection:
        connection.execute(update(Checkpoint).values(foreign.to_dict()))
    assert [one.kind for one in verify(file).tamperings] == ["checkpoint"]


def test_the_chain_is_made_as_it_was_when_it_was_released() -> None:
    """A change to the columns or their order would make every older record look tampered with."""
    values = {name: index if index % 3 else f"ü{index}" for index, name in enumerate(FIELDS)}
    values |= {"meaning": 0.1, "error": None}
    assert marks(values)[:24] == "80435a278e4aa8a84f8dc0fe"
    assert digest(values, marks(values), genesis("log")) == (
        "acc2d0177667c425b90eec9a4ee28cf41ee290248527d75d8b4bded434efa24b"
    )
