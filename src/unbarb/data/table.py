"""Rows of a CSV or TSV file, gzipped or not, with the columns checked first."""

from __future__ import annotations

import csv
import gzip
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import IO

from unbarb.errors import InputError

LONGEST_FIELD = 10_000_000


def opened(path: Path) -> IO[str]:
    """The text of `path`, UTF-8, unpacked when its name ends in ``.gz``.

    Raises:
        InputError: there is no such file.
    """
    if not path.is_file():
        raise InputError(f"no file {path}; see docs/data.md for where each corpus comes from")
    if path.suffix == ".gz":
        return gzip.open(path, "rt", encoding="utf-8", newline="")
    return path.open(encoding="utf-8", newline="")


def rows(path: Path, columns: Sequence[str], delimiter: str = ",") -> Iterator[dict[str, str]]:
    """Each row as a dictionary; other columns than `columns` may stand beside them.

    Raises:
        InputError: the file is missing, lacks a column, or a row is shorter than the header.
    """
    csv.field_size_limit(LONGEST_FIELD)
    with opened(path) as file:
        reader = csv.DictReader(file, delimiter=delimiter, restval=None)
        missing = [column for column in columns if column not in (reader.fieldnames or ())]
        if missing:
            raise InputError(
                f"{path}: no column {', '.join(missing)}; found {', '.join(reader.fieldnames or ())}"
            )
        for row in reader:
            if any(row[column] is None for column in columns):
                raise InputError(
                    f"{path}, line {reader.line_num}: fewer fields than the header has columns"
                )
            yield row


def number(row: dict[str, str], column: str, path: Path) -> float:
    """A field as a number.

    Raises:
        InputError: it is not one.
    """
    try:
        return float(row[column])
    except ValueError as error:
        raise InputError(f"{path}: column {column} holds {row[column]!r}, which is not a number") from error
