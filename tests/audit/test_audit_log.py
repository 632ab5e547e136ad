"""Writing the record: durable, once, by many at a time, and without a text in clear."""

from __future__ import annotations

import multiprocessing
import sqlite3
import time
from concurrent.futures import ProcessPoolExecutor, ThreadPoolExecutor
from contextlib import closing
from itertools import repeat
from pathlib import Path
from uuid import UUID

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from audit_events import ENCRYPTED, decision, mixed, verdict
from audit_writers import write, write_until_killed
from sqlalchemy import delete, select, text

from postgres import Postgres, binary
from unbarb.audit import Event
from unbarb.audit.database import VERSIONS
from unbarb.audit.event import new_id
from unbarb.audit.keys import Keyring
from unbarb.audit.log import AuditLog
from unbarb.audit.models import Base, Head
from unbarb.audit.read import Choice, records
from unbarb.audit.verify import verify
from unbarb.errors import AuditError, ConfigError
from unbarb.policy import Policy

WRITERS, EACH = 4, 25
PROCESSES = multiprocessing.get_context("forkserver")
PROCESSES.set_forkserver_preload(["audit_writers"])


def ids(log: AuditLog) -> list[str]:
    return [record["event"] for record in records(log)]


def test_events_get_numbers_in_their_order(log: AuditLog) -> None:
    assert log.append(mixed(3)) == [1, 2, 3]
    assert log.append([]) == []
    assert log.append(mixed(2)) == [4, 5]


def test_an_event_is_recorded_once_however_often_it_is_written(log: AuditLog) -> None:
    one, two = decision(1), decision(2)
    assert log.append([one, one]) == [1, 1]
    assert log.append([two, one]) == [2, 1]
    assert ids(log) == [one.id, two.id]
    assert verify(log).intact


def test_a_decision_is_recorded_with_all_that_led_to_it(log: AuditLog, keys: Path) -> None:
    given = verdict()
    event = Event.of_verdict(
        given, surface="chat", request="r", key="k", stream="s", piece=4, subject="ann", seconds=0.25
    )
    log.append([event])
    (record,) = records(log)
    ring = Keyring.load(keys)
    expected = {
        "event": event.id, "kind": "decision", "surface": "chat", "request": "r", "api_key": "k",
        "stream": "s", "piece": 4, "text_id": "comment-7", "direction": "output", "policy": "default",
        "policy_digest": "sha256:ab", "models": {"embedded": "sha256:cd"}, "action": "rewrite",
        "step": "edit", "rule": given.rule, "scores": given.scores, "scores_after": given.scores_after,
        "spans": [["insult", 11, 16, 0.9, "lexicon"]], "edits": [[8, 16, 5]], "meaning": 0.9,
        "not_detoxifiable": 0, "coverage": 1.0, "language": "en", "warnings": 0, "seconds": 0.25,
        "hash_key": ring.current("hash").id, "original_hash": ring.hashed(given.original),
        "text_hash": ring.hashed("you are wrong"), "subject_hash": ring.hashed("ann"),
        "text_digest": None, "text_expires": None, "error": None,
    }  # fmt: skip
    assert {name: record[name] for name in expected} == expected


def test_failures_and_changes_of_policy_are_recorded(log: AuditLog) -> None:
    policy = Policy.load("default")
    log.append(
        [
            Event.failure("DeadlineExceeded", surface="chat", request="r", seconds=2.0),
            Event.policy_change(policy, before="sha256:00"),
        ]
    )
    failure, change = records(log)
    assert (failure["kind"], failure["error"], failure["action"]) == ("failure", "DeadlineExceeded", None)
    assert change["policy_digest"] == policy.digest
    assert change["details"] == {"before": "sha256:00", "content": policy.to_dict()}


@pytest.mark.parametrize("subject", [None, "Ann Example"])
def test_no_text_and_no_person_stands_in_the_database_in_clear(tmp_path: Path, subject: str | None) -> None:
    url = tmp_path / "audit.db"
    with AuditLog.open(str(url)) as log:
        log.append([decision(n, rules=ENCRYPTED, subject=subject) for n in range(5)])
        assert verify(log).texts == 5
        written = b"".join(path.read_bytes() for path in tmp_path.glob("audit.db*"))
    assert b"labels.insult" in written
    for secret in (b"idiot", b"you are wrong", b"Ann Example"):
        assert secret not in written


def test_text_is_kept_only_where_the_policy_says_so_and_the_caller_does_not_forbid_it(
    log: AuditLog,
) -> None:
    kept = decision(1, rules=ENCRYPTED)
    log.append([kept, decision(2, rules=ENCRYPTED, store_text=False), decision(3)])
    texts = [record["text"] for record in records(log, texts=True)]
    assert texts[0]["original"] == "you are an idiot, number 1"
    assert texts[0]["text"] == "you are wrong"
    assert texts[1:] == [None, None]


@pytest.mark.parametrize("given", ["a\0b", "lone \ud800 surrogate", "x" * 5000, "", "ünï 😀"])
def test_ids_of_callers_are_taken_as_they_come(log: AuditLog, given: str) -> None:
    log.append([Event.of_verdict(verdict(given + " text", id=given), surface="native", request=given)])
    (record,) = records(log)
    assert len(record["request"]) <= 256
    assert record["request"] == record["text_id"]
    assert verify(log).intact


@pytest.mark.parametrize("seconds", [2, 0.1, -0.0, 1e300, float("nan"), float("inf"), 5e-324])
def test_numbers_read_back_as_they_were_chained(log: AuditLog, seconds: float) -> None:
    log.append([decision(seconds=seconds), Event.of_verdict(verdict(meaning=1), surface="a", request="b")])
    assert verify(log).intact


def test_a_file_that_is_no_database_is_told(tmp_path: Path) -> None:
    path = tmp_path / "audit.db"
    path.write_text("no database " * 100)
    with pytest.raises(AuditError, match="not a database"):
        AuditLog.open(str(path))
    with pytest.raises(AuditError, match="cannot be made"):
        AuditLog.open(str(tmp_path / "nowhere" / "audit.db"))


def test_processes_that_write_at_once_lose_and_double_nothing(url: str, keys: Path) -> None:
    """They open it at once too: one makes the tables, the others wait."""
    with ProcessPoolExecutor(WRITERS, mp_context=PROCESSES) as pool:
        written = pool.map(write, repeat(url), repeat(keys), range(WRITERS), repeat(EACH))
        acknowledged = [event for events in written for event in events]
    with AuditLog.open(url, keys=keys) as log:
        assert sorted(ids(log)) == sorted(acknowledged)
        assert len(acknowledged) == WRITERS * EACH
        found = verify(log)
    assert (found.records, found.tamperings) == (WRITERS * EACH, ())


def test_threads_that_write_at_once_lose_and_double_nothing(log: AuditLog) -> None:
    with ThreadPoolExecutor(8) as pool:
        places = list(pool.map(lambda n: log.append([decision(n)])[0], range(80)))
    assert sorted(places) == list(range(1, 81))
    assert verify(log).intact


def test_what_a_killed_writer_had_acknowledged_is_on_record(url: str, keys: Path, tmp_path: Path) -> None:
    acknowledged = tmp_path / "acknowledged"
    acknowledged.touch()
    writer = PROCESSES.Process(target=write_until_killed, args=(url, keys, acknowledged))
    writer.start()
    while len(acknowledged.read_text().splitlines()) < 30:
        assert writer.is_alive()
        time.sleep(0.01)
    writer.kill()
    writer.join()
    with AuditLog.open(url, keys=keys) as log:
        on_record = ids(log)
        assert set(acknowledged.read_text().split()) <= set(on_record)
        assert len(set(on_record)) == len(on_record)
        log.append([decision()])
        assert verify(log).intact


def test_a_restart_of_the_database_is_survived(postgres: Postgres, keys: Path) -> None:
    with AuditLog.open(postgres.database(), keys=keys) as log:
        log.append(mixed(2))
        postgres.stop()
        with pytest.raises(AuditError, match="cannot be written"):
            log.append(mixed(1))
        postgres.start()
        log.append(mixed(2))
        postgres.stop()
        postgres.start()
        log.append(mixed(2))  # the pooled connection is dead; nobody need know
        assert verify(log).records == 6


def test_the_migrations_make_what_the_models_say(log: AuditLog) -> None:
    with log.database.reading() as connection:
        context = MigrationContext.configure(
            connection, opts={"version_table": VERSIONS, "compare_type": True}
        )
        assert compare_metadata(context, Base.metadata) == []


def test_a_log_without_tables_is_not_opened_unless_it_may_be_made(url: str, keys: Path) -> None:
    with pytest.raises(AuditError, match=r"there is no audit log|run 'unbarb audit migrate'"):
        AuditLog.open(url, keys=keys, create=False)
    AuditLog.open(url, keys=keys).close()
    AuditLog.open(url, keys=keys, create=False).close()


def test_a_log_of_a_later_release_is_refused(log: AuditLog, url: str, keys: Path) -> None:
    with log.database.writing() as connection:
        connection.execute(text(f"UPDATE {VERSIONS} SET version_num = '9999'"))
    for create in (True, False):
        with pytest.raises(AuditError, match="later release"):
            AuditLog.open(url, keys=keys, create=create)


def test_nothing_is_added_to_a_log_that_lost_its_head(log: AuditLog) -> None:
    with log.database.writing() as connection:
        connection.execute(delete(Head))
    with pytest.raises(AuditError, match="lost its head"):
        log.append([decision()])


def test_an_error_says_nothing_of_what_was_to_be_written(log: AuditLog) -> None:
    with log.database.writing() as connection:
        connection.execute(text("DROP TABLE audit_records"))
    with pytest.raises(AuditError) as caught:
        log.append([decision(rules=ENCRYPTED, request="secret-request")])
    told = f"{caught.value} {caught.value.__cause__}"
    assert "secret-request" not in told
    assert "sha256:ab" not in told


@pytest.mark.parametrize("given", ["mysql://x/y", "sqlite://", "nothing://[", "oracle://x"])
def test_other_databases_are_refused(given: str) -> None:
    with pytest.raises(ConfigError, match="cannot be"):
        AuditLog.open(given)


def test_postgresql_needs_keys_that_its_replicas_share(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="unbarb audit keys create"):
        AuditLog.open("postgresql://nobody@127.0.0.1:1/none")
    with pytest.raises(ConfigError, match="make them with"):
        AuditLog.open("postgresql://nobody@127.0.0.1:1/none", keys=tmp_path / "missing")


def test_ids_are_of_version_7_and_sort_by_time() -> None:
    before = time.time_ns() // 1_000_000
    made = [new_id() for _ in range(200)]
    after = time.time_ns() // 1_000_000
    for one in map(UUID, made):
        assert (one.version, one.variant) == (7, "specified in RFC 4122")
        assert before <= one.int >> 80 <= after
    assert len(set(made)) == len(made)


def test_records_are_chosen_by_what_is_known_of_them(log: AuditLog) -> None:
    log.append(mixed(30))

    def numbers(**given: object) -> list[int]:
        return [record["sequence"] for record in records(log, Choice(**given))]  # type: ignore[arg-type]

    assert numbers(kind="failure") == [8, 18, 28]
    assert numbers(kind="policy") == [4, 29]
    assert numbers(request="request-12") == [13]
    assert numbers(original="you are an idiot, number 12") == [13]
    assert numbers(original="you are an idiot") == []
    assert numbers(first=5, last=6) == [5, 6]
    assert numbers(subject="person-1", last=10) == [2, 6, 10]
    assert [record["sequence"] for record in records(log, limit=2)] == [29, 30]


def test_the_head_is_signed_with_every_append(log: AuditLog, keys: Path) -> None:
    signatures = []
    for _ in range(2):
        log.append([decision()])
        with log.database.reading() as connection:
            signatures.append(connection.execute(select(Head.signature)).scalar_one())
    assert signatures[0] != signatures[1]


def test_a_log_is_verified_while_it_is_written_to(log: AuditLog) -> None:
    with ThreadPoolExecutor(1) as pool:
        writing = pool.submit(lambda: [log.append([decision(n)]) for n in range(60)])
        seen = [verify(log)]
        while not writing.done():
            seen.append(verify(log))
        writing.result()
    seen.append(verify(log))
    assert [found.tamperings for found in seen] == [()] * len(seen)
    assert seen[-1].records == 60


def test_a_writer_waits_for_another_and_not_for_ever(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "audit.db"
    with AuditLog.open(str(path)) as log, closing(sqlite3.connect(path, isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        with ThreadPoolExecutor(1) as pool:
            waiting = pool.submit(log.append, [decision(1)])
            with pytest.raises(TimeoutError):
                waiting.result(timeout=0.1)
            other.execute("ROLLBACK")
            assert waiting.result() == [1]
        other.execute("BEGIN IMMEDIATE")
        monkeypatch.setattr("unbarb.audit.database.PATIENCE", 0.02)
        with pytest.raises(AuditError, match="locked"):
            log.append([decision(2)])
        other.execute("ROLLBACK")
        assert log.append([decision(3)]) == [2]


def test_a_missing_postgresql_is_told_with_how_to_install_it() -> None:
    with pytest.raises(RuntimeError, match="apt-get install postgresql"):
        binary("no-such-program")
