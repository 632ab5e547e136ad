"""What a piece of a corpus is read as: rows with their texts, rows that cannot be read, and empty lines."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import IO, Any, Protocol

from unbarb.corpus.fields import FieldError, Number, Path, kind_of

CHUNK_ROWS, CHUNK_CHARACTERS = 1024, 1_000_000
"""Rows worked on at a time, and the characters at which a chunk ends however few they are."""


@dataclass(slots=True)
class Row:
    """A row that was read: its `number` in its file (from 1), its id, its texts, and its bytes as they are.

    `raw` is empty where the format has no lines.
    """

    number: int
    id: str | None
    texts: Sequence[tuple[Path, str]]
    raw: bytes = b""


@dataclass(slots=True)
class Unread:
    """A row that cannot be read, why, and its bytes; `raw` is None where it is too long to be kept."""

    number: int
    reason: str
    raw: bytes | None


@dataclass(slots=True)
class Empty:
    """An empty line; it is no row and stays where it is."""

    raw: bytes


Item = Row | Unread | Empty


@dataclass(slots=True)
class Chunk:
    """Items in order, how much of the shard they are (bytes or rows), and what else their format needs."""

    items: Sequence[Item]
    size: int
    batch: Any = None


Fate = Mapping[Path, str] | None
"""What becomes of an item: its texts at these paths are replaced (none: it stays), or it is left out."""


class Sink(Protocol):
    """Writes the items that stay."""

    def write(self, chunk: Chunk, fates: Sequence[Fate]) -> None: ...

    def close(self) -> None:
        """All is written; what it wrote to stays open."""
        ...


class Reader(Protocol):
    """Reads one shard."""

    def chunks(self) -> Iterator[Chunk]: ...

    def sink(self, stream: IO[bytes]) -> Sink:
        """What writes the same kind of file to `stream`, only while chunks are being read."""
        ...


def not_utf8(error: UnicodeDecodeError) -> str:
    """What is said of bytes that are no text."""
    return f"not UTF-8: byte 0x{error.object[error.start]:02x} at byte {error.start + 1}"


def id_of(row: Mapping[str, Any], column: str | None) -> str | None:
    """The row's id: in `column`, or in ``id`` where there is one.

    Raises:
        FieldError: there is no such column, or it holds no id.
    """
    if column is not None and column not in row:
        raise FieldError(f"no field {column!r}")
    value = row.get(column or "id")
    if value is None or isinstance(value, bool):
        usable = value is None
    else:
        usable = isinstance(value, str | int | Number)
    if usable:
        return None if value is None else str(value)
    if column is None:
        return None
    raise FieldError(f"{column} must be a string or a whole number, not {kind_of(value)}")
