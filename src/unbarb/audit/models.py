"""The tables of the record, the same for SQLite and PostgreSQL.

Types are chosen so that a value reads back exactly as it was written, for the chain is over values:
times and JSON are text, yes and no are 1 and 0.
"""

from __future__ import annotations

from sqlalchemy import BigInteger, Double, LargeBinary, SmallInteger, Text
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column


class Base(DeclarativeBase):
    """What Alembic compares the migrations with."""


class Record(Base):
    """One event on record; never changed once written. The columns are told in docs/audit.md."""

    __tablename__ = "audit_records"

    sequence: Mapped[int] = mapped_column(BigInteger, primary_key=True, autoincrement=False)
    event: Mapped[str] = mapped_column(Text, unique=True, index=True)
    time: Mapped[str] = mapped_column(Text, index=True)
    recorded: Mapped[str] = mapped_column(Text)
    kind: Mapped[str] = mapped_column(Text)
    surface: Mapped[str] = mapped_column(Text)
    request: Mapped[str] = mapped_column(Text, index=True)
    api_key: Mapped[str | None] = mapped_column(Text)
    stream: Mapped[str | None] = mapped_column(Text)
    piece: Mapped[int | None] = mapped_column(BigInteger)
    text_id: Mapped[str | None] = mapped_column(Text)
    direction: Mapped[str | None] = mapped_column(Text)
    policy: Mapped[str | None] = mapped_column(Text)
    policy_digest: Mapped[str | None] = mapped_column(Text)
    models: Mapped[str | None] = mapped_column(Text)
    action: Mapped[str | None] = mapped_column(Text)
    step: Mapped[str | None] = mapped_column(Text)
    rule: Mapped[str | None] = mapped_column(Text)
    scores: Mapped[str | None] = mapped_column(Text)
    scores_after: Mapped[str | None] = mapped_column(Text)
    unscored: Mapped[str | None] = mapped_column(Text)
    spans: Mapped[str | None] = mapped_column(Text)
    edits: Mapped[str | None] = mapped_column(Text)
    meaning: Mapped[float | None] = mapped_column(Double)
    not_detoxifiable: Mapped[int | None] = mapped_column(SmallInteger)
    coverage: Mapped[float | None] = mapped_column(Double)
    language: Mapped[str | None] = mapped_column(Text)
    warnings: Mapped[int | None] = mapped_column(BigInteger)
    seconds: Mapped[float | None] = mapped_column(Double)
    error: Mapped[str | None] = mapped_column(Text)
    details: Mapped[str | None] = mapped_column(Text)
    hash_key: Mapped[str | None] = mapped_column(Text)
    original_hash: Mapped[str | None] = mapped_column(Text, index=True)
    text_hash: Mapped[str | None] = mapped_column(Text)
    subject_hash: Mapped[str | None] = mapped_column(Text, index=True)
    text_expires: Mapped[str | None] = mapped_column(Text, index=True)
    text_digest: Mapped[str | None] = mapped_column(Text)
    marks: Mapped[str] = mapped_column(Text)
    previous: Mapped[str] = mapped_column(Text)
    digest: Mapped[str] = mapped_column(Text)


class SealedText(Base):
    """The encrypted text of a record; erasing it leaves the record and the chain as they are."""

    __tablename__ = "audit_texts"

    sequence: Mapped[int] = mapped_column(BigInteger, primary_key=True, autoincrement=False)
    text_key: Mapped[str] = mapped_column(Text)
    data_key: Mapped[bytes] = mapped_column(LargeBinary)
    sealed: Mapped[bytes] = mapped_column(LargeBinary)


class Signed:
    """The columns of a signed statement on where the chain stood."""

    purpose: Mapped[str] = mapped_column(Text)
    log: Mapped[str] = mapped_column(Text)
    sequence: Mapped[int] = mapped_column(BigInteger)
    digest: Mapped[str] = mapped_column(Text)
    records: Mapped[int] = mapped_column(BigInteger)
    time: Mapped[str] = mapped_column(Text)
    key: Mapped[str] = mapped_column(Text)
    signature: Mapped[str] = mapped_column(Text)


class Head(Signed, Base):
    """The one row that says where the chain ends; writers lock it, and sign it anew."""

    __tablename__ = "audit_head"

    id: Mapped[int] = mapped_column(SmallInteger, primary_key=True, autoincrement=False)
    number: Mapped[int] = mapped_column(BigInteger)


class Checkpoint(Signed, Base):
    """What is also published elsewhere, as a JSON line."""

    __tablename__ = "audit_checkpoints"

    number: Mapped[int] = mapped_column(BigInteger, primary_key=True, autoincrement=False)
