"""What may be taken out of the record without breaking the chain: texts, and whole old records.

Each removal is on record itself, so that a text that is gone without one shows as tampering.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from sqlalchemy import Connection, delete, func, select

from unbarb.audit.append import checkpoint, extend, locked_head, store_head
from unbarb.audit.checkpoint import Statement
from unbarb.audit.event import Event
from unbarb.audit.kept_texts import ERASED, PRUNED
from unbarb.audit.log import AuditLog
from unbarb.audit.models import Record, SealedText
from unbarb.audit.read import Choice
from unbarb.audit.written import stamp, written
from unbarb.errors import AuditError, InputError

RECORDS_PRUNED = "records pruned"

_SOME = 500
"""Records named in one statement, and in one record of their erasure."""


@dataclass(frozen=True, slots=True)
class Erased:
    """How many texts are gone, and of how many records that were chosen."""

    texts: int
    records: int


def erase(log: AuditLog, choice: Choice) -> Erased:
    """Erase the texts of the chosen records: a person's, by `subject`, or of a request, or of a range.

    The records stay, with hashes, scores and spans, and so does the chain.

    Raises:
        InputError: nothing was chosen by: that would be all.
        AuditError: the database failed; then nothing was erased.
    """
    if choice == Choice():
        raise InputError(
            "say whose texts to erase: a subject, an original, a request, or records from and to"
        )
    with log.database.writing() as connection:
        locked_head(connection)
        conditions = list(choice.conditions(log.keys))
        chosen = connection.execute(select(Record.sequence).where(*conditions)).scalars().all()
        gone: list[int] = []
        for start in range(0, len(chosen), _SOME):
            gone += _erased(connection, log, chosen[start : start + _SOME])
    if gone:
        log.database.forget()
    return Erased(len(gone), len(chosen))


def _erased(connection: Connection, log: AuditLog, chosen: Sequence[int]) -> list[int]:
    there = select(SealedText.sequence).where(SealedText.sequence.in_(chosen)).order_by(SealedText.sequence)
    found = list(connection.execute(there).scalars())
    if found:
        connection.execute(delete(SealedText).where(SealedText.sequence.in_(found)))
        event = Event.admin(ERASED, {"sequences": found})
        extend(connection, [written(event, log.keys)], log.keys)
    return found


def prune_texts(log: AuditLog, before: datetime) -> int:
    """Erase the texts that were to be kept until `before` and no longer; how many those were.

    Raises:
        AuditError: the database failed; then nothing was erased.
    """
    limit = stamp(before)
    with log.database.writing() as connection:
        head = locked_head(connection)
        due = select(Record.sequence).where(Record.text_expires < limit, Record.sequence <= head.sequence)
        gone = connection.execute(delete(SealedText).where(SealedText.sequence.in_(due))).rowcount
        if gone:
            details = {"through": head.sequence, "expired_before": limit, "texts": gone}
            extend(connection, [written(Event.admin(PRUNED, details), log.keys)], log.keys)
    if gone:
        log.database.forget()
    return gone


def prune_records(log: AuditLog, before: datetime) -> Statement | None:
    """Delete all records up to the last one in a row that is older than `before`, behind a signed anchor.

    The anchor, which is given, is where the chain begins from then on: publish it. None where there is
    nothing to delete.

    Raises:
        AuditError: the database failed, or a text still stands that was to be kept longer; then
            nothing was deleted.
    """
    limit = stamp(before)
    with log.database.writing() as connection:
        head = locked_head(connection)
        younger = select(func.min(Record.sequence)).where(Record.recorded >= limit)
        end = (connection.execute(younger).scalar_one_or_none() or head.sequence + 1) - 1
        old = connection.execute(select(func.count()).where(Record.sequence <= end)).scalar_one()
        if not old:
            return None
        kept = select(func.count()).select_from(SealedText).where(SealedText.sequence <= end)
        if connection.execute(kept).scalar_one():
            raise AuditError("records to be deleted still have encrypted texts; prune or erase those first")
        digest = connection.execute(select(Record.digest).where(Record.sequence == end)).scalar_one()
        anchor = checkpoint(connection, log.keys, at=(end, digest))
        connection.execute(delete(Record).where(Record.sequence <= end))
        head = locked_head(connection)
        store_head(connection, replace(head, records=head.records - old), log.keys)
        details = {"through": end, "records": old, "checkpoint": anchor.number}
        extend(connection, [written(Event.admin(RECORDS_PRUNED, details), log.keys)], log.keys)
    log.database.forget()
    return anchor
