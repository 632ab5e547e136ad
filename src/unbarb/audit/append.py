"""Entries become records: each gets its place in the chain, and the head is signed anew."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from sqlalchemy import Connection, bindparam, insert, select, update

from unbarb.audit.chain import digest, marks
from unbarb.audit.checkpoint import Statement
from unbarb.audit.event import now
from unbarb.audit.keys import Keyring
from unbarb.audit.models import Checkpoint, Head, Record, SealedText
from unbarb.audit.written import Entry, stamp
from unbarb.errors import AuditError

_SOME = 500
"""Event ids looked up in one statement: databases limit the parameters of one."""

# Made once: every decision waits for these, and to make them anew takes longer than the database does.
# On SQLite the transaction holds the lock, and FOR UPDATE is left out.
_LOCKED_HEAD = select(Head.__table__).with_for_update()
_STORE_HEAD = update(Head.__table__)  # type: ignore[arg-type]
_ADD_RECORDS = insert(Record.__table__)  # type: ignore[arg-type]
_ADD_TEXTS = insert(SealedText.__table__)  # type: ignore[arg-type]
_ON_RECORD = select(Record.__table__.c.event, Record.__table__.c.sequence).where(
    Record.__table__.c.event.in_(bindparam("events", expanding=True))
)


def locked_head(connection: Connection) -> Statement:
    """The head, locked until the transaction ends, so that writers take turns.

    Raises:
        AuditError: there is none: somebody has removed it.
    """
    row = connection.execute(_LOCKED_HEAD).mappings().first()
    if row is None:
        raise AuditError(
            "the audit log has lost its head; run 'unbarb audit verify' and see what else is gone"
        )
    return Statement.from_row(row)


def store_head(connection: Connection, head: Statement, keys: Keyring) -> None:
    """Sign the head and put it in place of the one there is."""
    connection.execute(_STORE_HEAD, head.signed(keys).to_dict())


def extend(connection: Connection, entries: Sequence[Entry], keys: Keyring) -> list[int]:
    """Write entries after the last record; sequence numbers in order of the entries.

    An entry whose event is on record already, or comes twice, is not written again.
    """
    head = locked_head(connection)
    places = _on_record(connection, [entry.event for entry in entries])
    recorded = stamp(now())
    records: list[dict[str, Any]] = []
    texts: list[dict[str, Any]] = []
    last, end = head.digest, head.sequence
    for entry in entries:
        if entry.event in places:
            continue
        end += 1
        places[entry.event] = end
        values = {"sequence": end, "recorded": recorded, **entry.values}
        marked = marks(values)
        record = {**values, "marks": marked, "previous": last, "digest": digest(values, marked, last)}
        records.append(record)
        last = record["digest"]
        if entry.text is not None:
            sealed = entry.text
            texts.append(
                {
                    "sequence": end,
                    "text_key": sealed.text_key,
                    "data_key": sealed.data_key,
                    "sealed": sealed.sealed,
                }
            )
    if records:
        connection.execute(_ADD_RECORDS, records)
        if texts:
            connection.execute(_ADD_TEXTS, texts)
        grown = replace(head, sequence=end, digest=last, records=head.records + len(records), time=recorded)
        store_head(connection, grown, keys)
    return [places[entry.event] for entry in entries]


def _on_record(connection: Connection, events: Sequence[str]) -> dict[str, int]:
    """Event → sequence number, of those that are on record."""
    found: dict[str, int] = {}
    for start in range(0, len(events), _SOME):
        chosen = {"events": events[start : start + _SOME]}
        found.update((row.event, row.sequence) for row in connection.execute(_ON_RECORD, chosen))
    return found


def checkpoint(connection: Connection, keys: Keyring, at: tuple[int, str] | None = None) -> Statement:
    """Sign where the chain stands now, keep that in the log, and give it for publication.

    With `at`, the number and digest of a record, it is an anchor: the log may begin behind that.
    """
    head = locked_head(connection)
    time = stamp(now())
    stands = replace(head, purpose="checkpoint", number=head.number + 1, time=time)
    if at is not None:
        stands = replace(stands, purpose="anchor", sequence=at[0], digest=at[1], records=0)
    signed = stands.signed(keys)
    connection.execute(insert(Checkpoint).values(signed.to_dict()))
    store_head(connection, replace(head, number=signed.number, time=time), keys)
    return signed
