"""Rows of text from arguments, standard input or a file; one that cannot be read is told, not fatal."""

from __future__ import annotations

import gzip
import json
import os
import sys
import zlib
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from pathlib import Path
from types import TracebackType
from typing import IO, Self, cast

from unbarb.cli.delimited import records
from unbarb.errors import InputError

FORMATS = {".txt": "text", ".jsonl": "jsonl", ".ndjson": "jsonl", ".csv": "csv", ".tsv": "tsv"}
"""Ending of a file's name → its format; a further ``.gz`` is unpacked."""


@dataclass(frozen=True, slots=True)
class Row:
    """A text with its caller's id, and where it stands (``file:line``)."""

    text: str
    id: str | None
    place: str


@dataclass(frozen=True, slots=True)
class BadRow:
    """A row that cannot be read, where it stands and why."""

    place: str
    reason: str


@dataclass(frozen=True, slots=True)
class Columns:
    """The names of the text and of the id in CSV and JSONL; `id` None takes ``id`` where there is one."""

    text: str = "text"
    id: str | None = None


class Rows:
    """The rows of an input, to be gone through once; closes the file behind itself.

    `size` is that of the file in bytes, 0 where it is not known; `share` is how much of it has been
    read, 0…1, or None.
    """

    def __init__(self, rows: Iterator[Row | BadRow], raw: IO[bytes] | None = None) -> None:
        self._rows = rows
        self._raw = raw
        self.size = os.fstat(raw.fileno()).st_size if raw is not None else 0

    @property
    def share(self) -> float | None:
        return self._raw.tell() / self.size if self._raw is not None and self.size else None

    def __iter__(self) -> Iterator[Row | BadRow]:
        return self._rows

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._raw is not None:
            self._raw.close()


def from_arguments(texts: Sequence[str]) -> Rows:
    """Each argument is a text."""
    return Rows(_row(text, None, f"argument {number}") for number, text in enumerate(texts, 1))


def from_stdin(format: str | None = None, columns: Columns = Columns()) -> Rows:
    """Rows of standard input, by default one text a line."""
    return Rows(_parsed(sys.stdin.buffer, "stdin", format or "text", columns))


def from_file(path: Path, format: str | None = None, columns: Columns = Columns()) -> Rows:
    """Rows of a file; its format is told by its name or by `format`.

    Raises:
        InputError: the file cannot be opened, its format is not known, or it has no column of that name.
    """
    suffixes = [suffix.lower() for suffix in path.suffixes]
    packed = suffixes[-1:] == [".gz"]
    ending = (suffixes[:-1] if packed else suffixes)[-1:]
    known = format or (FORMATS.get(ending[0]) if ending else None)
    if known is None:
        raise InputError(
            f"{path}: cannot tell the format from the name; known are {', '.join(FORMATS)}"
            " (each also with .gz); give --format text, jsonl, csv or tsv"
        )
    try:
        raw = path.open("rb")
    except OSError as error:
        raise InputError(f"{path}: cannot be read ({error.strerror}); give a readable file") from error
    try:
        stream: IO[bytes] = cast(IO[bytes], gzip.GzipFile(fileobj=raw)) if packed else raw
        return Rows(_parsed(stream, str(path), known, columns), raw)
    except InputError:
        raw.close()
        raise


def _parsed(stream: IO[bytes], name: str, format: str, columns: Columns) -> Iterator[Row | BadRow]:
    lines = _lines(stream, name)
    if format == "text":
        return _of_lines(lines, name, lambda line, place: _row(line, None, place))
    if format == "jsonl":
        return _of_lines(lines, name, lambda line, place: _of_json(line, place, columns))
    return _of_table(lines, name, "\t" if format == "tsv" else ",", columns)


def _lines(stream: IO[bytes], name: str) -> Iterator[tuple[int, bytes] | BadRow]:
    """Numbered lines without their ends; a file that is damaged part-way ends in a bad row."""
    number = 1
    while True:
        try:
            line = stream.readline()
        except (OSError, EOFError, zlib.error) as error:
            yield BadRow(f"{name}:{number}", f"the rest of the file cannot be read: {error}")
            return
        if not line:
            return
        if number == 1:
            line = line.removeprefix(b"\xef\xbb\xbf")
        yield number, line
        number += 1


def _of_lines(
    lines: Iterator[tuple[int, bytes] | BadRow], name: str, parse: Callable[[str, str], Row | BadRow | None]
) -> Iterator[Row | BadRow]:
    for line in lines:
        if isinstance(line, BadRow):
            yield line
            continue
        number, content = line
        place = f"{name}:{number}"
        try:
            row = parse(content.removesuffix(b"\n").removesuffix(b"\r").decode("utf-8"), place)
        except UnicodeDecodeError as error:
            row = BadRow(place, f"not UTF-8: byte 0x{content[error.start]:02x} at byte {error.start + 1}")
        if row is not None:
            yield row


def _of_json(line: str, place: str, columns: Columns) -> Row | BadRow | None:
    if not line.strip():
        return None
    try:
        found = json.loads(line)
    except json.JSONDecodeError as error:
        return BadRow(place, f"not JSON: {error.msg} at column {error.colno}")
    except (ValueError, RecursionError) as error:
        return BadRow(place, f"not JSON that can be read: {error}")
    if not isinstance(found, dict):
        return BadRow(place, f"a JSON object is needed, not {_kind(found)}")
    if columns.text not in found:
        return BadRow(place, f"no field {columns.text!r}{_near(columns.text, found)}")
    text, key = found[columns.text], columns.id or "id"
    if not isinstance(text, str):
        return BadRow(place, f"field {columns.text!r} must be a string, not {_kind(text)}")
    if columns.id is not None and key not in found:
        return BadRow(place, f"no field {key!r}{_near(key, found)}")
    name = found.get(key)
    if name is not None and (isinstance(name, bool) or not isinstance(name, str | int)):
        return BadRow(place, f"field {key!r} must be a string or a whole number, not {_kind(name)}")
    return _row(text, None if name is None else str(name), place)


def _of_table(
    lines: Iterator[tuple[int, bytes] | BadRow], name: str, delimiter: str, columns: Columns
) -> Iterator[Row | BadRow]:
    """The header is read now, so that a wrong column is told before anything is loaded."""
    cut: list[BadRow] = []
    found = records(_decoded(lines, cut), delimiter)
    _, header = next(found, (1, ""))
    if not isinstance(header, list):
        reason = cut[0].reason if cut else header or "the file is empty; a header is needed"
        raise InputError(f"{name}:1: {reason}")
    for wanted in (columns.text, *([columns.id] if columns.id else [])):
        if wanted not in header:
            shown = ", ".join(map(repr, header))
            raise InputError(f"{name}:1: no column {wanted!r}{_near(wanted, header)}; it has {shown}")
    text_at = header.index(columns.text)
    key = columns.id or "id"
    id_at = header.index(key) if key in header else None
    return _of_records(found, cut, name, len(header), text_at, id_at)


def _of_records(
    found: Iterator[tuple[int, list[str] | str]],
    cut: list[BadRow],
    name: str,
    width: int,
    text_at: int,
    id_at: int | None,
) -> Iterator[Row | BadRow]:
    for number, fields in found:
        place = f"{name}:{number}"
        if isinstance(fields, str):
            yield BadRow(place, fields)
        elif len(fields) != width:
            yield BadRow(place, f"{len(fields)} columns where the header has {width}; quote what needs it")
        else:
            yield _row(fields[text_at], None if id_at is None else fields[id_at], place)
    yield from cut


def _decoded(lines: Iterator[tuple[int, bytes] | BadRow], cut: list[BadRow]) -> Iterator[tuple[int, str]]:
    for line in lines:
        if isinstance(line, BadRow):
            cut.append(line)
        else:
            # Bytes that are not UTF-8 become surrogates, which _row tells of, in the field they stand in.
            yield line[0], line[1].decode("utf-8", "surrogateescape")


def _row(text: str, id: str | None, place: str) -> Row | BadRow:
    for value in (text, id or ""):
        try:
            value.encode()
        except UnicodeEncodeError as error:
            code, at = ord(value[error.start]), error.start + 1
            if 0xDC80 <= code <= 0xDCFF:
                return BadRow(place, f"not UTF-8: byte 0x{code - 0xDC00:02x} at character {at}")
            return BadRow(place, f"not Unicode text: lone surrogate at character {at}")
    return Row(text, id, place)


def _kind(value: object) -> str:
    names = {dict: "an object", list: "a list", str: "a string", bool: "a truth value", type(None): "null"}
    return names.get(type(value), "a number")


def _near(wanted: str, known: Sequence[str] | dict[str, object]) -> str:
    near = get_close_matches(wanted, list(known), n=1)
    return f"; did you mean {near[0]!r}?" if near else ""
