"""Parquet: shards are row groups, or stretches of a large one; schema and packing stay as they are."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import IO, Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from unbarb.corpus.arrow_texts import as_bytes, holds_texts, is_string, plain, replaced
from unbarb.corpus.fields import FieldError, texts_of
from unbarb.corpus.lines import Cut
from unbarb.corpus.missing import missing
from unbarb.corpus.places import reading
from unbarb.corpus.plan import Shard
from unbarb.corpus.rows import CHUNK_ROWS, Chunk, Fate, Item, Row, Unread, id_of, not_utf8
from unbarb.corpus.settings import Settings
from unbarb.errors import InputError

GROUP_BYTES = 64 << 20
"""A row group is written at so many bytes, though that of the input be larger: memory stays flat."""
CHUNK_BYTES = 8 << 20
"""Rows that are longer on average are worked on fewer at a time."""
BUFFER = 1 << 20


def parquet_cuts(uri: str, settings: Settings, size: int) -> tuple[list[Cut], list[str]]:
    """Where a Parquet file can be cut into shards of about `size` bytes, and what is wrong with it.

    Small row groups go together; one that is larger than two shards is cut into stretches of rows.
    """
    with _opened(uri) as file:
        problems = [f"{uri}: {problem}" for problem in _problems(file.schema_arrow, settings)]
        cuts: list[Cut] = []
        start = at = filled = 0
        for number in range(file.metadata.num_row_groups):
            group = file.metadata.row_group(number)
            pieces = max(1, group.total_byte_size // size)
            edges = [at + group.num_rows * piece // pieces for piece in range(1, pieces + 1)]
            filled += group.total_byte_size
            if pieces > 1:
                edges = [at, *edges] if at > start else edges
            elif filled < size:
                edges = []
            for edge in edges:
                cuts.append(Cut(start, edge, start + 1))
                start, filled = edge, 0
            at += group.num_rows
    if at > start or not cuts:
        cuts.append(Cut(start, at, start + 1))
    return cuts, problems


def _problems(schema: Any, settings: Settings) -> Iterator[str]:
    for column in settings.columns:
        kind = _type_of(schema, column)
        if kind is None:
            yield missing(column, schema.names)
        elif not holds_texts(kind):
            texts = [field.name for field in schema if holds_texts(field.type)]
            shown = ", ".join(map(repr, texts)) or "none"
            yield f"column {column!r} holds {kind}, no texts; columns with texts are {shown}"
        elif settings.roles is not None and is_string(kind):
            yield f"column {column!r} holds strings; roles are chosen among chat messages"
    if settings.id_column is not None:
        kind = _type_of(schema, settings.id_column) if settings.id_column in schema.names else None
        if kind is None:
            yield missing(settings.id_column, schema.names)
        elif not (is_string(kind) or pa.types.is_integer(kind)):
            yield f"column {settings.id_column!r} holds {kind}; an id is a string or a whole number"


def _type_of(schema: Any, column: str) -> Any:
    """The type of a column, ``a.b`` inside of structs; None where there is none."""
    if column in schema.names:
        return schema.field(column).type
    top, *rest = column.split(".")
    kind = schema.field(top).type if top in schema.names else None
    for part in rest:
        if kind is None or not pa.types.is_struct(kind) or kind.get_field_index(part) < 0:
            return None
        kind = kind.field(part).type
    return kind


class ParquetShard:
    """Reads and writes rows ``[start, end)`` of a Parquet file."""

    def __init__(self, shard: Shard, settings: Settings) -> None:
        self._shard = shard
        self._settings = settings
        with _opened(shard.uri) as file:
            self._schema, self._metadata = file.schema_arrow, file.metadata
        names = self._schema.names
        self._paths: dict[str, list[list[str]]] = defaultdict(list)
        for column in settings.columns:
            top, *rest = [column] if column in names else column.split(".")
            self._paths[top].append(rest)
        id_name = settings.id_column or "id"
        self._id = id_name if id_name in names and self._is_id(id_name) else None

    def _is_id(self, name: str) -> bool:
        kind = self._schema.field(name).type
        return is_string(kind) or bool(pa.types.is_integer(kind))

    def chunks(self) -> Iterator[Chunk]:
        """The shard's rows, some at a time; a chunk never spans two row groups of the file.

        Raises:
            InputError: the file cannot be read.
        """
        at, start, end = 0, self._shard.start, self._shard.end
        with _opened(self._shard.uri) as file:
            for number in range(self._metadata.num_row_groups):
                rows = self._metadata.row_group(number).num_rows
                if at < end and at + rows > start:
                    yield from self._of_group(file, number, at)
                at += rows

    def _of_group(self, file: Any, number: int, at: int) -> Iterator[Chunk]:
        start, end = self._shard.start, self._shard.end
        group = self._metadata.row_group(number)
        average = max(1, group.total_byte_size // max(1, group.num_rows))
        rows = min(CHUNK_ROWS, max(1, CHUNK_BYTES // average))
        for batch in file.iter_batches(rows, row_groups=[number], use_threads=False):
            first, last = max(start, at), min(end, at + batch.num_rows)
            if first < last:
                kept = batch.slice(first - at, last - first)
                yield Chunk(self._items(kept, first), kept.num_rows, (number, kept))
            at += batch.num_rows
            if at >= end:
                return

    def _items(self, batch: Any, first: int) -> list[Item]:
        try:
            return self._read(batch, first)
        except UnicodeDecodeError:
            # Row by row, so that only those are kept aside in which a string is not UTF-8.
            return [self._item(batch.slice(at, 1), first + at) for at in range(batch.num_rows)]

    def _item(self, batch: Any, at: int) -> Item:
        try:
            (item,) = self._read(batch, at)
        except UnicodeDecodeError as error:
            return Unread(at + 1, not_utf8(error), _whole(batch, 0))
        return item

    def _read(self, batch: Any, first: int) -> list[Item]:
        columns = {name: plain(batch.column(name), paths) for name, paths in self._paths.items()}
        ids = batch.column(self._id).to_pylist() if self._id else [None] * batch.num_rows
        items: list[Item] = []
        for at in range(batch.num_rows):
            row = {name: values[at] for name, values in columns.items()}
            number = first + at + 1
            try:
                texts = texts_of(row, self._settings.columns, self._settings.roles)
                items.append(Row(number, id_of({"id": ids[at]}, None), texts))
            except FieldError as error:
                items.append(Unread(number, str(error), _whole(batch, at)))
        return items

    def sink(self, stream: IO[bytes]) -> ParquetSink:
        return ParquetSink(stream, self._schema, self._metadata)


def _whole(batch: Any, at: int) -> bytes:
    """All of one row."""
    names = batch.schema.names
    return as_bytes({name: batch.column(number)[at] for number, name in enumerate(names)})


class ParquetSink:
    """Writes the rows that stay with the schema, packing and row groups of the input."""

    def __init__(self, stream: IO[bytes], schema: Any, metadata: Any) -> None:
        self._writer = pq.ParquetWriter(stream, schema, **_options(metadata))
        self._schema = schema
        self._group = -1
        self._waiting: list[Any] = []
        self._bytes = 0

    def write(self, chunk: Chunk, fates: Sequence[Fate]) -> None:
        number, batch = chunk.batch
        if number != self._group or self._bytes >= GROUP_BYTES:
            self._flush()
            self._group = number
        kept = np.array([fate is not None for fate in fates], bool)
        tops: dict[str, dict[int, dict[Any, str]]] = {}
        for row, fate in enumerate(fates):
            for path, text in (fate or {}).items():
                tops.setdefault(str(path[0]), {}).setdefault(row, {})[path[1:]] = text
        for name, new in tops.items():
            at = batch.schema.get_field_index(name)
            batch = batch.set_column(at, batch.schema.field(at), replaced(batch.column(at), new))
        if not kept.all():
            batch = batch.filter(pa.array(kept))
        self._waiting.append(batch)
        self._bytes += batch.nbytes

    def _flush(self) -> None:
        rows = sum(batch.num_rows for batch in self._waiting)
        if rows:
            self._writer.write_table(
                pa.Table.from_batches(self._waiting, self._schema), row_group_size=rows
            )
        self._waiting, self._bytes = [], 0

    def close(self) -> None:
        self._flush()
        self._writer.close()


def _options(metadata: Any) -> dict[str, Any]:
    """How the file of this metadata was written, as far as a writer can be told."""
    if not metadata.num_row_groups:
        return {}
    group = metadata.row_group(0)
    columns = [group.column(at) for at in range(group.num_columns)]
    packing = {one.path_in_schema: one.compression.replace("UNCOMPRESSED", "NONE") for one in columns}
    return {
        "compression": packing,
        "version": metadata.format_version,
        "use_deprecated_int96_timestamps": any(one.physical_type == "INT96" for one in columns),
        "use_dictionary": [
            one.path_in_schema for one in columns if any("DICTIONARY" in name for name in one.encodings)
        ],
        "store_schema": b"ARROW:schema" in (metadata.metadata or {}),
    }


@contextmanager
def _opened(uri: str) -> Iterator[Any]:
    """A Parquet file, of which only some pages are in memory at a time.

    Raises:
        InputError: it cannot be read, now or later.
    """
    with reading(uri) as raw:
        try:
            yield pq.ParquetFile(raw, buffer_size=BUFFER, pre_buffer=False)
        except (pa.ArrowException, OSError) as error:
            told = " ".join(str(error).split())
            raise InputError(f"{uri}: not a Parquet file that can be read ({told})") from error
