"""A first look through a file: its digest, where it can be cut, and whether it has the columns."""

from __future__ import annotations

import io
from collections.abc import Sequence
from dataclasses import dataclass, field
from hashlib import sha256
from itertools import islice
from typing import IO, Any

from unbarb.corpus.fields import FieldError
from unbarb.corpus.json_strings import parse
from unbarb.corpus.jsonl import JsonLines
from unbarb.corpus.lines import BOM, Cut, cuts, delimiter_of, records
from unbarb.corpus.missing import missing
from unbarb.corpus.names import DAMAGED, unpacked
from unbarb.corpus.places import reading
from unbarb.corpus.rows import Row, Unread
from unbarb.corpus.settings import Settings
from unbarb.corpus.sources import Source
from unbarb.corpus.tabular import header
from unbarb.errors import InputError, MissingExtra

BLOCK = 1 << 20
TRIED = 100
"""Rows of JSONL in which a column is looked for before it is taken to be missing."""


@dataclass(frozen=True, slots=True)
class Survey:
    """What was seen of a file: the digest of its bytes, its head and its cuts, or what is wrong with it."""

    sha256: str = ""
    head: bytes = b""
    cuts: Sequence[Cut] = ()
    problems: Sequence[str] = field(default=())


def survey(source: Source, settings: Settings, size: int) -> Survey:
    """Read all of a file once; shards have about `size` bytes."""
    try:
        if source.named.format == "parquet":
            return _parquet(source, settings, size)
        return _lines(source, settings, size)
    except InputError as error:
        return Survey(problems=[str(error)])


def _lines(source: Source, settings: Settings, size: int) -> Survey:
    format = source.named.format
    with reading(source.uri) as raw:
        hashing = Hashing(raw)
        stream = unpacked(io.BufferedReader(hashing, BLOCK), source.named.packed)
        try:
            head, found = cuts(stream, format, size)
        except DAMAGED as error:
            told = f"{source.uri}: cannot be read to its end ({error}); mend it, or leave it out"
            return Survey(problems=[told])
        while hashing.read(BLOCK):
            """What an unpacker leaves unread behind the end of its data belongs to the digest too."""
    if delimiter_of(format):
        problems = _missing_in_table(source, head, settings)
    else:
        problems = _missing_in_rows(source, settings) if format == "jsonl" else []
    return Survey(hashing.digest, head, found, problems)


def _parquet(source: Source, settings: Settings, size: int) -> Survey:
    try:
        from unbarb.corpus.parquet import parquet_cuts
    except ModuleNotFoundError as error:
        raise MissingExtra.for_feature("Parquet", "pyarrow", "corpus") from error
    found, problems = parquet_cuts(source.uri, settings, size)
    with reading(source.uri) as raw:
        hashing = Hashing(raw)
        while hashing.read(BLOCK):
            """Only the digest is wanted."""
    return Survey(hashing.digest, b"", found, problems)


class Hashing(io.RawIOBase):
    """A stream that digests what is read through it, from start to end."""

    def __init__(self, raw: IO[bytes]) -> None:
        self._raw = raw
        self._sha256 = sha256()

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        read = self._raw.read(len(buffer))
        buffer[: len(read)] = read
        self._sha256.update(read)
        return len(read)

    @property
    def digest(self) -> str:
        return f"sha256:{self._sha256.hexdigest()}"


def _missing_in_table(source: Source, head: bytes, settings: Settings) -> list[str]:
    if settings.roles is not None:
        return [f"{source.uri}: roles are chosen among chat messages, and a table has none"]
    try:
        names = header(head, source.named.format)
    except FieldError as error:
        return [f"{source.uri}: {error}"]
    wanted = [*settings.columns, *([settings.id_column] if settings.id_column else [])]
    problems = [f"{source.uri}: {missing(name, names)}" for name in wanted if head and name not in names]
    twice = [name for name in wanted if names.count(name) > 1]
    return problems + [f"{source.uri}: the column {name!r} stands twice in the header" for name in twice]


def _missing_in_rows(source: Source, settings: Settings) -> list[str]:
    """What is wrong where none of the first rows has the columns."""
    grammar = JsonLines(settings)
    reason: str | None = None
    with reading(source.uri) as raw:
        stream = unpacked(io.BufferedReader(Hashing(raw), BLOCK), source.named.packed)
        for number, record in enumerate(islice(records(stream, "jsonl"), TRIED), 1):
            line = record.raw.removeprefix(BOM)
            item = grammar.read(line, number)
            if isinstance(item, Row):
                return []
            if isinstance(item, Unread) and item.reason.startswith("no field") and reason is None:
                reason = missing(item.reason.split("'")[1], list(parse(line.decode())))
    return [] if reason is None else [f"{source.uri}: {reason}"]
