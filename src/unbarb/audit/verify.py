"""Verification: reads the whole record once and names every tampering that it finds."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from sqlalchemy import Connection, func, select, type_coerce
from sqlalchemy.types import NullType

from unbarb.audit.checkpoint import Statement
from unbarb.audit.kept_texts import KeptTexts
from unbarb.audit.keys import Keyring
from unbarb.audit.log import AuditLog
from unbarb.audit.models import Checkpoint, Head, Record, SealedText
from unbarb.audit.statements import Statements
from unbarb.audit.tampering import Verification
from unbarb.audit.walk import Walk

AT_ONCE = 500
"""Records held in memory at a time."""


def verify(log: AuditLog, published: Iterable[Statement] = (), keys: Keyring | None = None) -> Verification:
    """Check every record, text and signature of the log, as it is at one moment.

    `published` are checkpoints that were kept elsewhere: with them a log that was cut or rebuilt as a
    whole shows too. `keys`, of which public halves are enough, are those to check signatures with,
    where the log's own keyring is not to be trusted.

    Raises:
        AuditError: the database failed.
    """
    with log.database.reading() as connection:
        return _verified(connection, keys or log.keys, list(published))


def _verified(connection: Connection, keys: Keyring, published: Sequence[Statement]) -> Verification:
    head = connection.execute(select(Head.__table__)).mappings().first()
    stored = connection.execute(select(Checkpoint.__table__).order_by(Checkpoint.number)).mappings()
    statements = Statements(
        Statement.from_row(head) if head else None,
        [Statement.from_row(row) for row in stored],
        published,
        keys,
    )
    highest = (
        connection.execute(select(func.count()).select_from(Record)).scalar_one() + statements.beginning[0]
    )
    walk = Walk(statements, max(highest, statements.end))
    texts = KeptTexts(connection)
    for record in walk.over(_records(connection)):
        texts.look(record)
    tamperings = [
        *walk.tamperings(),
        *statements.rebuilt(walk.digests, walk.blamed),
        *statements.unsound(walk.digests, walk.last, walk.digest),
        *texts.tamperings(walk.missing, walk.elsewhere),
    ]
    return Verification(
        log=statements.log,
        records=walk.seen,
        first=walk.start + 1,
        last=walk.last,
        digest=walk.digest or "",
        vouched=max((one.sequence for one in statements.matched(walk.digests)), default=0),
        checkpoints=len(statements.checkpoints),
        published=statements.confirmed(walk.digests),
        texts=texts.kept,
        erased=texts.erased,
        tamperings=tuple(tamperings),
    )


def _records(connection: Connection) -> Iterator[dict[Any, Any]]:
    """Every record in order, its encrypted text beside it."""
    # Ciphertexts as they stand: what is no bytes any more must not stop the reading.
    sealed = [type_coerce(column, NullType()) for column in (SealedText.data_key, SealedText.sealed)]
    named = [column.label(name) for column, name in zip(sealed, ("data_key", "sealed"), strict=True)]
    chosen = (
        select(Record.__table__, SealedText.text_key, *named)
        .outerjoin(SealedText, SealedText.sequence == Record.sequence)
        .order_by(Record.sequence)
        .execution_options(yield_per=AT_ONCE)
    )
    for row in connection.execute(chosen).mappings():
        yield dict(row)
