"""The chain: each record's digest is over all its values and the digest of the record before.

Beside the digest stands a short mark of each value. Marks are under the digest too; they are there to
name the value that was changed when a digest does not fit.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from functools import lru_cache
from hashlib import blake2b, sha256
from typing import Any

from unbarb.audit.models import Record

CHAINING = ("marks", "previous", "digest")
FIELDS = tuple(column.name for column in Record.__table__.columns if column.name not in CHAINING)
"""The values of a record that the chain is over, in the order of the first migration."""

MARK = 8
"""Characters of a mark: 32 bits in hex."""


def genesis(log: str) -> str:
    """What the first record of the log with this id has for the digest of the one before."""
    return sha256(f"unbarb audit log {log}".encode()).hexdigest()


@lru_cache(4096, typed=True)  # most columns hold the same few values, record after record
def mark(name: str, value: Any) -> str:
    """The mark of one value."""
    return blake2b(_plain([name, value]), digest_size=MARK // 2).hexdigest()


def marks(values: Mapping[str, Any]) -> str:
    """The marks of all `FIELDS`, one after the other."""
    return "".join(mark(name, values[name]) for name in FIELDS)


def digest(values: Mapping[str, Any], marks: str, previous: str) -> str:
    """SHA-256, in hex, of the record that has these values, marks and predecessor."""
    return sha256(
        _plain(["unbarb audit record 1", previous, marks, *(values[name] for name in FIELDS)])
    ).hexdigest()


def _plain(values: list[Any]) -> bytes:
    """ASCII JSON without spaces: one form for each list of strings, whole numbers, doubles and nulls.

    Bytes, which no value is unless somebody put them there, are told apart from the string they spell.
    """
    return _PLAIN.encode(values).encode()


# Made once: `json.dumps` would make one for every value of every record.
_PLAIN = json.JSONEncoder(separators=(",", ":"), default=lambda value: [repr(value)])
