"""Records read back: chosen, in order, as plain values, and their texts decrypted for those who may."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, select

from unbarb.audit.keys import Keyring
from unbarb.audit.log import AuditLog
from unbarb.audit.models import Record, SealedText
from unbarb.audit.text import Sealed, unseal
from unbarb.audit.written import stamp
from unbarb.errors import AuditError

AT_ONCE = 500

COLUMNS = tuple(column.name for column in Record.__table__.columns)

AS_JSON = ("models", "scores", "scores_after", "unscored", "spans", "edits", "details")
"""Columns that hold JSON."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Choice:
    """Which records: all conditions that are given must hold.

    `since` is included, `until` is not. `original` and `subject` are found by their keyed hashes, with
    every key there ever was.
    """

    first: int | None = None
    last: int | None = None
    since: datetime | None = None
    until: datetime | None = None
    kind: str | None = None
    action: str | None = None
    surface: str | None = None
    request: str | None = None
    original: str | None = None
    subject: str | None = None

    def conditions(self, keys: Keyring) -> Iterator[ColumnElement[bool]]:
        """As SQL conditions."""
        if self.first is not None:
            yield Record.sequence >= self.first
        if self.last is not None:
            yield Record.sequence <= self.last
        if self.since is not None:
            yield Record.time >= stamp(self.since)
        if self.until is not None:
            yield Record.time < stamp(self.until)
        for column, value in (
            (Record.kind, self.kind),
            (Record.action, self.action),
            (Record.surface, self.surface),
            (Record.request, self.request),
        ):
            if value is not None:
                yield column == value
        if self.original is not None:
            yield Record.original_hash.in_(keys.hashes(self.original))
        if self.subject is not None:
            yield Record.subject_hash.in_(keys.hashes(self.subject))


def records(
    log: AuditLog,
    choice: Choice | None = None,
    *,
    limit: int | None = None,
    texts: bool = False,
    raw: bool = False,
) -> Iterator[dict[str, Any]]:
    """The chosen records in order, columns that hold JSON as values unless `raw`; the last `limit` of them.

    With `texts` each has a ``text``: what was encrypted, or None where nothing is kept.

    Raises:
        AuditError: the database failed, or a text cannot be decrypted.
    """
    keys = log.keys
    chosen = (
        select(Record.__table__, SealedText.text_key, SealedText.data_key, SealedText.sealed)
        .outerjoin(SealedText, SealedText.sequence == Record.sequence)
        .where(*(choice or Choice()).conditions(keys))
    )
    if limit is not None:
        newest = (
            select(Record.sequence)
            .where(*(choice or Choice()).conditions(keys))
            .order_by(Record.sequence.desc())
            .limit(limit)
        )
        chosen = chosen.where(Record.sequence.in_(newest))
    with log.database.reading() as connection:
        ordered = chosen.order_by(Record.sequence).execution_options(yield_per=AT_ONCE)
        for row in connection.execute(ordered).mappings():
            yield _plain(row, keys, texts=texts, raw=raw)


def _plain(row: Mapping[Any, Any], keys: Keyring, *, texts: bool, raw: bool) -> dict[str, Any]:
    plain = {name: row[name] for name in COLUMNS}
    try:
        for name in () if raw else AS_JSON:
            plain[name] = json.loads(plain[name]) if plain[name] else None
    except ValueError as error:
        raise AuditError(
            f"record {row['sequence']} was tampered with; run 'unbarb audit verify'"
        ) from error
    if texts:
        sealed = row["sealed"] and Sealed(row["text_key"], row["data_key"], row["sealed"])
        plain["text"] = json.loads(unseal(sealed, row["event"], keys)) if sealed else None
    return plain
