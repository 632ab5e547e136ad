"""Texts and old records go, the chain stays; what goes without a word shows."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from audit_events import ENCRYPTED, decision, mixed
from sqlalchemy import delete, func, select

from unbarb.audit.erase import erase, prune_records, prune_texts
from unbarb.audit.event import now
from unbarb.audit.log import AuditLog
from unbarb.audit.models import Checkpoint, Record, SealedText
from unbarb.audit.read import Choice, records
from unbarb.audit.verify import verify
from unbarb.errors import AuditError, InputError
from unbarb.policy import AuditRules

MONTH = timedelta(30)


def texts(log: AuditLog) -> list[int]:
    with log.database.reading() as connection:
        return list(connection.execute(select(SealedText.sequence).order_by(SealedText.sequence)).scalars())


def test_a_persons_texts_are_erased_and_the_chain_stays_valid(log: AuditLog) -> None:
    log.append([decision(n, rules=ENCRYPTED, subject=f"person-{n % 2}") for n in range(6)])
    done = erase(log, Choice(subject="person-1"))
    assert (done.texts, done.records) == (3, 3)
    assert texts(log) == [1, 3, 5]
    found = verify(log)
    assert found.intact
    assert (found.records, found.texts, found.erased) == (7, 3, 3)
    told = list(records(log))[-1]
    assert told["details"] == {"what": "texts erased", "sequences": [2, 4, 6]}
    assert erase(log, Choice(subject="person-1")).texts == 0
    assert verify(log).records == 7


def test_erasing_in_one_place_permits_no_erasure_in_another(log: AuditLog) -> None:
    log.append([decision(n, rules=ENCRYPTED) for n in range(4)])
    erase(log, Choice(first=2, last=2))
    with log.database.writing() as connection:
        connection.execute(delete(SealedText).where(SealedText.sequence == 3))
    (found,) = verify(log).tamperings
    assert (found.kind, found.first) == ("text", 3)


def test_all_is_not_erased_by_an_empty_choice(log: AuditLog) -> None:
    with pytest.raises(InputError, match="whose texts"):
        erase(log, Choice())


def test_an_erased_text_is_gone_from_the_file_too(tmp_path: Path) -> None:
    with AuditLog.open(str(tmp_path / "audit.db")) as log:
        log.append([decision(1, rules=ENCRYPTED)])
        with log.database.reading() as connection:
            sealed = connection.execute(select(SealedText.sealed)).scalar_one()
        log.database.forget()
        assert sealed[:64] in (tmp_path / "audit.db").read_bytes()
        erase(log, Choice(first=1, last=1))
        left = b"".join(path.read_bytes() for path in tmp_path.glob("audit.db*"))
    assert sealed[:64] not in left


def test_texts_go_when_their_own_time_is_over(log: AuditLog) -> None:
    short = AuditRules(text="encrypted", retention_days=2)
    log.append([decision(1, rules=ENCRYPTED), decision(2, rules=short), decision(3, rules=short)])
    assert prune_texts(log, now()) == 0
    assert prune_texts(log, now() + timedelta(3)) == 2
    assert texts(log) == [1]
    found = verify(log)
    assert found.intact
    assert (found.texts, found.erased, found.records) == (1, 2, 4)
    with log.database.writing() as connection:
        connection.execute(delete(SealedText))
    assert [one.first for one in verify(log).tamperings] == [1]


def test_old_records_go_behind_a_signed_anchor(log: AuditLog) -> None:
    log.append(mixed(30))
    early = log.checkpoint()
    later = now()
    log.append(mixed(5))
    prune_texts(log, now() + 2 * MONTH)
    anchor = prune_records(log, later)
    assert anchor is not None
    assert (anchor.purpose, anchor.sequence) == ("anchor", 30)
    found = verify(log, [early, anchor])
    assert found.tamperings == ()
    assert (found.first, found.last, found.records) == (31, 37, 7)
    assert log.append(mixed(1)) == [38]
    log.checkpoint()
    assert verify(log, [anchor]).intact
    assert prune_records(log, datetime(2020, 1, 1, tzinfo=UTC)) is None


def test_records_whose_texts_are_to_be_kept_are_not_pruned(log: AuditLog) -> None:
    log.append(mixed(5))
    with pytest.raises(AuditError, match="still have encrypted texts"):
        prune_records(log, now())
    assert verify(log).records == 5


def test_no_more_is_missing_at_the_beginning_than_the_anchor_says(log: AuditLog) -> None:
    log.append([decision(n) for n in range(10)])
    later = now()
    log.append([decision(n) for n in range(10)])
    prune_records(log, later)
    with log.database.writing() as connection:
        connection.execute(delete(Record).where(Record.sequence <= 13))
    (found,) = verify(log).tamperings
    assert (found.kind, found.first, found.last) == ("deleted", 11, 13)


def test_a_log_without_its_anchor_is_not_taken_for_whole(log: AuditLog) -> None:
    log.append([decision(n) for n in range(10)])
    later = now()
    log.append([decision()])
    prune_records(log, later)
    with log.database.writing() as connection:
        connection.execute(delete(Checkpoint))
        assert connection.execute(select(func.count()).select_from(Checkpoint)).scalar_one() == 0
    kinds = [(one.kind, one.first, one.last) for one in verify(log).tamperings]
    assert ("deleted", 1, 10) in kinds
    assert ("checkpoint", 1, 1) in kinds
