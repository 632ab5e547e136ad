"""CSV and TSV records, quoted as in RFC 4180 and read strictly."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Mapping

from unbarb.corpus.fields import FieldError, Path
from unbarb.corpus.lines import BOM, LONGEST, UNBALANCED, delimiter_of
from unbarb.corpus.rows import Empty, Item, Row, Unread, id_of, not_utf8
from unbarb.corpus.settings import Settings


class Tabular:
    """Reads records under one header and writes records in which only the texts' fields have changed."""

    def __init__(self, settings: Settings, format: str, head: bytes) -> None:
        self._delimiter = delimiter_of(format) or ","
        self._header = header(head, format)
        self._settings = settings
        quoted = r'"(?:[^"]++|"")*+"'
        self._field = re.compile(rf"{quoted}|[^{re.escape(self._delimiter)}\r\n]*+")

    def read(self, raw: bytes, number: int) -> Item:
        if not raw.strip(b"\r\n"):
            return Empty(raw)
        try:
            values = fields(raw.decode(), self._delimiter)
            if len(values) != len(self._header):
                raise FieldError(
                    f"{len(values)} columns where the header has {len(self._header)}; quote what needs it"
                )
            row = dict(zip(self._header, values, strict=True))
            columns, wanted = self._settings.columns, self._settings.id_column
            return Row(number, id_of(row, wanted), [((name,), row[name]) for name in columns], raw)
        except UnicodeDecodeError as error:
            reason = not_utf8(error)
        except FieldError as error:
            reason = str(error)
        return Unread(number, reason, raw)

    def write(self, row: Row, new: Mapping[Path, str]) -> bytes:
        line = row.raw.decode()
        columns = {self._header.index(str(path[0])): text for path, text in new.items()}
        pieces: list[str] = []
        at = copied = 0
        for column in range(len(self._header)):
            found = self._field.match(line, at)
            assert found is not None  # the pattern matches everything
            if column in columns:
                pieces += line[copied : found.start()], self._written(columns[column], found.group())
                copied = found.end()
            at = found.end() + 1
        return "".join([*pieces, line[copied:]]).encode()

    def _written(self, text: str, before: str) -> str:
        """`text` as a field, quoted where the one before it was or where it must be."""
        needs = before.startswith('"') or any(mark in text for mark in (self._delimiter, '"', "\r", "\n"))
        return '"' + text.replace('"', '""') + '"' if needs else text


def header(head: bytes, format: str) -> list[str]:
    """The column names in the header record `head`.

    Raises:
        FieldError: it is not a record.
    """
    try:
        return fields(head.removeprefix(BOM).decode(), delimiter_of(format) or ",")
    except UnicodeDecodeError as error:
        raise FieldError(f"the header is not UTF-8 at byte {error.start + 1}") from None


def fields(record: str, delimiter: str) -> list[str]:
    """The fields of one record.

    Raises:
        FieldError: it is not one.
    """
    csv.field_size_limit(LONGEST)  # csv's own limit, 131,072, is shorter than some comments
    try:
        found: list[list[str]] = [
            *csv.reader(io.StringIO(record, newline=""), delimiter=delimiter, strict=True)
        ]
    except csv.Error as error:
        told = str(error)
        if "expected after" in told:
            raise FieldError('unbalanced quote: inside a quoted field write "" for "') from None
        raise FieldError(UNBALANCED if "unexpected end" in told else f"not CSV: {told}") from None
    if len(found) != 1:
        raise FieldError(f"not CSV: {len(found)} records where one is due")
    return found[0]
