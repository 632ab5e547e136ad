"""The record, its sealed texts, its head and its checkpoints."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make the four tables."""
    op.create_table(
        "audit_records",
        sa.Column("sequence", sa.BigInteger, primary_key=True, autoincrement=False),
        *(
            _text(name, required=True)
            for name in ("event", "time", "recorded", "kind", "surface", "request")
        ),
        *map(_text, ("api_key", "stream")),
        sa.Column("piece", sa.BigInteger),
        *map(
            _text, ("text_id", "direction", "policy", "policy_digest", "models", "action", "step", "rule")
        ),
        *map(_text, ("scores", "scores_after", "unscored", "spans", "edits")),
        sa.Column("meaning", sa.Double),
        sa.Column("not_detoxifiable", sa.SmallInteger),
        sa.Column("coverage", sa.Double),
        _text("language"),
        sa.Column("warnings", sa.BigInteger),
        sa.Column("seconds", sa.Double),
        *map(_text, ("error", "details", "hash_key", "original_hash", "text_hash", "subject_hash")),
        *map(_text, ("text_expires", "text_digest")),
        *(_text(name, required=True) for name in ("marks", "previous", "digest")),
    )
    op.create_index("ix_audit_records_event", "audit_records", ["event"], unique=True)
    for column in ("time", "request", "original_hash", "subject_hash", "text_expires"):
        op.create_index(f"ix_audit_records_{column}", "audit_records", [column])
    op.create_table(
        "audit_texts",
        sa.Column("sequence", sa.BigInteger, primary_key=True, autoincrement=False),
        _text("text_key", required=True),
        sa.Column("data_key", sa.LargeBinary, nullable=False),
        sa.Column("sealed", sa.LargeBinary, nullable=False),
    )
    op.create_table(
        "audit_head",
        sa.Column("id", sa.SmallInteger, primary_key=True, autoincrement=False),
        sa.Column("number", sa.BigInteger, nullable=False),
        *_statement(),
    )
    op.create_table(
        "audit_checkpoints",
        sa.Column("number", sa.BigInteger, primary_key=True, autoincrement=False),
        *_statement(),
    )


def _text(name: str, required: bool = False) -> sa.Column[str]:
    return sa.Column(name, sa.Text, nullable=not required)


def _statement() -> list[sa.Column[str] | sa.Column[int]]:
    return [
        _text("purpose", required=True),
        _text("log", required=True),
        sa.Column("sequence", sa.BigInteger, nullable=False),
        _text("digest", required=True),
        sa.Column("records", sa.BigInteger, nullable=False),
        *(_text(name, required=True) for name in ("time", "key", "signature")),
    ]
