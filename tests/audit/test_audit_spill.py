"""What cannot be recorded waits on the disk and is recorded later: all of it, once, as it was."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from audit_events import ENCRYPTED, decision, mixed
from sqlalchemy import text

from unbarb.audit.log import A_FEW, AuditLog
from unbarb.audit.read import records
from unbarb.audit.spill import Drained
from unbarb.audit.verify import verify
from unbarb.errors import AuditError


@pytest.fixture
def log(url: str, keys: Path, tmp_path: Path) -> Iterator[AuditLog]:
    with AuditLog.open(url, keys=keys, spill=tmp_path / "spill") as opened:
        yield opened


def recorded(log: AuditLog) -> list[str]:
    return [record["event"] for record in records(log)]


def broken(log: AuditLog, is_broken: bool) -> None:
    """Have the table of records away, or put it back."""
    old, new = ("audit_records", "away") if is_broken else ("away", "audit_records")
    with log.database.writing() as connection:
        connection.execute(text(f"ALTER TABLE {old} RENAME TO {new}"))


def test_what_is_spilled_is_recorded_with_the_next_events(log: AuditLog) -> None:
    before, during, after = mixed(3), mixed(4), mixed(2)
    log.append(before)
    broken(log, True)
    with pytest.raises(AuditError):
        log.append(during)
    log.spill(during[:2])
    log.spill(during[2:])
    broken(log, False)
    log.append(after)
    expected = [event.id for event in (*before, *after, *during)]
    assert recorded(log) == expected
    assert log.spilled.files == []
    assert verify(log).intact


def test_a_file_that_is_drained_twice_is_recorded_once(log: AuditLog, tmp_path: Path) -> None:
    events = mixed(5)
    log.append(events[:1])  # it was written after all, though the caller was told otherwise
    log.spill(events)
    (file,) = log.spilled.files
    shutil.copy(file, tmp_path / "again")
    assert log.drain() == Drained(recorded=5)
    shutil.copy(tmp_path / "again", file)  # as if the process had died before it was deleted
    assert log.drain() == Drained(recorded=5)
    assert recorded(log) == [event.id for event in events]
    assert verify(log).intact


def test_what_waits_is_recorded_by_the_next_process(url: str, keys: Path, tmp_path: Path) -> None:
    folder = tmp_path / "spill"
    waiting = decision(1)
    with AuditLog.open(url, keys=keys, spill=folder) as log:
        log.spill([waiting])
    with AuditLog.open(url, keys=keys, spill=folder) as log:
        log.append([decision(2)])
        assert waiting.id in recorded(log)


def test_a_drain_that_fails_loses_nothing_and_fails_no_append(log: AuditLog) -> None:
    log.spill([decision(1)])
    broken(log, True)
    with pytest.raises(AuditError):
        log.drain()
    assert len(log.spilled.files) == 1
    broken(log, False)
    unreadable = log.spilled.folder / "0.jsonl"
    unreadable.mkdir()
    log.append([decision(2)])
    assert len(recorded(log)) == 1
    unreadable.rmdir()
    log.append([decision(3)])
    assert [record["request"] for record in records(log)] == ["request-2", "request-3", "request-1"]


def test_a_long_outage_is_recorded_a_little_at_a_time(log: AuditLog) -> None:
    for number in range(A_FEW + 2):
        log.spill([decision(number)])
    log.append([decision()])
    assert (len(recorded(log)), len(log.spilled.files)) == (A_FEW + 1, 2)
    log.append([decision()])
    assert (len(recorded(log)), len(log.spilled.files)) == (A_FEW + 4, 0)


def test_no_text_is_spilled_in_clear_and_nobody_else_may_read_it(log: AuditLog) -> None:
    log.spill([decision(1, rules=ENCRYPTED, subject="Ann Example")])
    (file,) = log.spilled.files
    content = file.read_bytes()
    assert b"idiot" not in content
    assert b"Ann Example" not in content
    assert file.stat().st_mode & 0o777 == 0o600
    log.drain()
    (record,) = records(log, texts=True)
    assert record["text"]["original"] == "you are an idiot, number 1"


def test_a_line_that_was_changed_is_refused_and_the_record_says_so(log: AuditLog) -> None:
    log.spill([decision(1), decision(2)])
    (file,) = log.spilled.files
    first, second = file.read_text().splitlines()
    file.write_text(f"{first.replace('rewrite', 'allowed')}\n{second}\n")
    assert log.drain() == Drained(recorded=1, refused=1)
    one, told = records(log)
    assert one["request"] == "request-2"
    assert told["details"] == {"what": "spilled entries refused", "file": file.name, "lines": 1}
    assert log.spilled.files == []
    assert file.with_suffix(".refused").is_file()


def test_a_file_that_was_not_finished_is_not_read(log: AuditLog) -> None:
    log.spill([decision(1)])
    (file,) = log.spilled.files
    file.rename(file.with_suffix(".jsonl.part"))
    assert log.drain() == Drained()


def test_a_disk_that_fails_too_is_told(log: AuditLog, tmp_path: Path) -> None:
    (tmp_path / "spill").write_text("a file where the folder should be")
    with pytest.raises(AuditError, match="cannot be spilled"):
        log.spill([decision(1)])
