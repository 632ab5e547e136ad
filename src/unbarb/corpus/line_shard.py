"""A shard of a line format: a stretch of a file, read record by record and written back."""

from __future__ import annotations

import io
from collections.abc import Iterator, Mapping, Sequence
from typing import IO, Protocol

from unbarb.corpus.fields import Path
from unbarb.corpus.jsonl import JsonLines
from unbarb.corpus.lines import Record, records
from unbarb.corpus.names import DAMAGED, packing, unpacked
from unbarb.corpus.places import reading
from unbarb.corpus.plain import PlainLines
from unbarb.corpus.plan import Shard
from unbarb.corpus.rows import CHUNK_CHARACTERS, CHUNK_ROWS, Chunk, Fate, Item, Row, Unread
from unbarb.corpus.settings import Settings
from unbarb.corpus.tabular import Tabular
from unbarb.errors import InputError

BUFFER = 1 << 20


class Grammar(Protocol):
    """What a record means, and how one is written again with other texts."""

    def read(self, raw: bytes, number: int) -> Item: ...

    def write(self, row: Row, new: Mapping[Path, str]) -> bytes: ...


class LineShard:
    """Reads and writes one shard of a line format."""

    def __init__(self, shard: Shard, settings: Settings) -> None:
        self._shard = shard
        self._grammar = grammar_of(shard, settings)

    def chunks(self) -> Iterator[Chunk]:
        """The shard's items, some at a time.

        Raises:
            InputError: the file cannot be read.
        """
        items: list[Item] = []
        size, number = 0, self._shard.line
        for record in self._records():
            item = self._item(record, number)
            number += record.lines
            items.append(item)
            size += record.length
            if len(items) == CHUNK_ROWS or size >= CHUNK_CHARACTERS:
                yield Chunk(items, size)
                items, size = [], 0
        if items:
            yield Chunk(items, size)

    def _records(self) -> Iterator[Record]:
        shard = self._shard
        with reading(shard.uri) as raw:
            try:
                stream = buffered(raw, shard.packed)
                if shard.packed:
                    stream.read(shard.start)
                else:
                    stream.seek(shard.start)
                left = shard.end - shard.start
                for record in records(stream, shard.format) if left else ():
                    yield record
                    left -= record.length
                    if left <= 0:
                        break
            except DAMAGED as error:
                raise InputError(f"{shard.uri}: cannot be read ({error}); has it changed?") from error
        if left:
            raise InputError(f"{shard.uri}: has changed since it was planned; begin anew with --overwrite")

    def _item(self, record: Record, number: int) -> Item:
        if record.fault is not None:
            return Unread(number, record.fault, record.raw if record.length == len(record.raw) else None)
        return self._grammar.read(record.raw, number)

    def sink(self, stream: IO[bytes]) -> LineSink:
        return LineSink(stream, self._shard, self._grammar)


class LineSink:
    """Writes what stays: bytes as they were, but for rows whose texts were replaced."""

    def __init__(self, stream: IO[bytes], shard: Shard, grammar: Grammar) -> None:
        self._stream = packing(stream, shard.packing)
        self._packs = shard.packing is not None
        self._grammar = grammar
        self._stream.write(shard.head)

    def write(self, chunk: Chunk, fates: Sequence[Fate]) -> None:
        self._stream.write(b"".join(self._kept(chunk, fates)))

    def _kept(self, chunk: Chunk, fates: Sequence[Fate]) -> Iterator[bytes]:
        for item, new in zip(chunk.items, fates, strict=True):
            if isinstance(item, Unread) or new is None:
                continue
            yield self._grammar.write(item, new) if new and isinstance(item, Row) else item.raw or b""

    def close(self) -> None:
        if self._packs:
            self._stream.close()


def grammar_of(shard: Shard, settings: Settings) -> Grammar:
    """What the records of a shard mean."""
    if shard.format == "jsonl":
        return JsonLines(settings)
    if shard.format == "text":
        return PlainLines()
    return Tabular(settings, shard.format, shard.head)


def buffered(raw: IO[bytes], packed: str | None) -> IO[bytes]:
    """`raw`, unpacked, with lines that can be read quickly."""
    stream = unpacked(raw, packed)
    if packed is None and not isinstance(raw, io.BufferedReader):
        return io.BufferedReader(raw, BUFFER)  # type: ignore[type-var]
    return stream
