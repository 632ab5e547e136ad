"""Records of any table: CSV, TSV, JSON and Parquet files, and folders that ``datasets`` saved.

A record is a dictionary with the place it stands in. One that cannot be read is a `Fault`, so that all of
them can be told at once.
"""

from __future__ import annotations

import csv
import gzip
import json
import zlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import partial
from importlib import import_module
from pathlib import Path
from typing import IO, Any, cast

from unbarb.data.table import LONGEST_FIELD
from unbarb.errors import InputError, MissingExtra

FORMATS = {
    ".csv": "csv",
    ".tsv": "tsv",
    ".jsonl": "jsonl",
    ".ndjson": "jsonl",
    ".json": "json",
    ".parquet": "parquet",
}
"""Ending of a name → format; all but Parquet may be gzipped and then end in ``.gz``."""

BATCH = 1024
SAVED = ("dataset_info.json", "dataset_dict.json")


@dataclass(frozen=True, slots=True)
class Record:
    """One record, and where it stands: ``file:line``, or ``file, row n`` where there are no lines."""

    place: str
    values: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Fault:
    """A record that cannot be used, where it stands and why."""

    place: str
    reason: str


@dataclass(frozen=True, slots=True)
class Records:
    """A table that is open: the names of its columns, and its records, to be gone through once."""

    path: Path
    columns: tuple[str, ...]
    rows: Iterator[Record | Fault]


def open_records(path: Path) -> Records:
    """Open a file by the ending of its name, or a folder that ``Dataset.save_to_disk`` wrote.

    Raises:
        InputError: there is nothing there, its format is not known, or it has no columns.
        MissingExtra: the format needs a package that is not installed.
    """
    if path.is_dir():
        return _saved(path)
    if not path.is_file():
        raise InputError(f"no file or folder {path}")
    name = path.name.lower().removesuffix(".gz")
    format = next((known for ending, known in FORMATS.items() if name.endswith(ending)), None)
    if format is None:
        raise InputError(
            f"{path}: cannot tell the format from the name; known are {', '.join(FORMATS)}"
            " (each but .parquet also with .gz), and folders that datasets saved"
        )
    if format == "parquet":
        return _parquet(path)
    if format == "jsonl":
        return _json_lines(path)
    if format == "json":
        return _json(path)
    return _delimited(path, "\t" if format == "tsv" else ",")


def _text(path: Path) -> IO[str]:
    # A byte that is not UTF-8 becomes �, which the eye sees; utf-8-sig drops the mark that Excel writes.
    opened = partial(gzip.open, path, "rt") if path.suffix == ".gz" else partial(open, path)
    try:
        return cast(IO[str], opened(encoding="utf-8-sig", errors="replace", newline=""))
    except OSError as error:
        raise InputError(f"{path} cannot be read: {error.strerror or error}") from error


def _delimited(path: Path, delimiter: str) -> Records:
    csv.field_size_limit(LONGEST_FIELD)
    try:
        with _text(path) as file:
            header = next(csv.reader(file, delimiter=delimiter), [])
    except (csv.Error, OSError, EOFError, zlib.error) as error:
        raise InputError(f"{path}: cannot be read ({error})") from error
    if not any(header):
        raise InputError(f"{path}:1: the file is empty; a header is needed")
    return Records(path, tuple(header), _fields(path, delimiter))


def _fields(path: Path, delimiter: str) -> Iterator[Record | Fault]:
    with _text(path) as file:
        reader = csv.reader(file, delimiter=delimiter)
        header = next(reader)
        try:
            for fields in reader:
                place = f"{path.name}:{reader.line_num}"
                if fields and len(fields) != len(header):
                    counted = f"{len(fields)} fields where the header has {len(header)}"
                    yield Fault(place, f"{counted}; quote what needs it")
                elif fields:
                    yield Record(place, dict(zip(header, fields, strict=True)))
        except (csv.Error, OSError, EOFError, zlib.error) as error:
            yield Fault(f"{path.name}:{reader.line_num + 1}", f"the rest cannot be read: {error}")


def _json_lines(path: Path) -> Records:
    with _text(path) as file:
        try:
            first: object = next((json.loads(line) for line in file if line.strip()), {})
        except (ValueError, OSError, EOFError, zlib.error):
            first = {}  # told with its line below
    return Records(path, _columns(first), _of_lines(path))


def _of_lines(path: Path) -> Iterator[Record | Fault]:
    number = 0
    with _text(path) as file:
        try:
            for number, line in enumerate(file, 1):
                if line.strip():
                    yield _object(line, f"{path.name}:{number}")
        except (OSError, EOFError, zlib.error) as error:
            yield Fault(f"{path.name}:{number + 1}", f"the rest cannot be read: {error}")


def _object(line: str, place: str) -> Record | Fault:
    try:
        values = json.loads(line)
    except ValueError as error:
        return Fault(place, f"not JSON: {error}")
    if not isinstance(values, dict):
        return Fault(place, f"a JSON object is needed, not {type(values).__name__}")
    return Record(place, values)


def _json(path: Path) -> Records:
    try:
        with _text(path) as file:
            loaded = json.load(file)
    except (ValueError, OSError, EOFError, zlib.error) as error:
        raise InputError(f"{path}: not JSON: {error}") from error
    if not isinstance(loaded, list):
        raise InputError(f"{path}: a list of objects is needed, not {type(loaded).__name__}")
    rows = (
        Record(f"{path.name}, row {number}", values)
        if isinstance(values, dict)
        else Fault(f"{path.name}, row {number}", f"an object is needed, not {type(values).__name__}")
        for number, values in enumerate(loaded, 1)
    )
    return Records(path, _columns(loaded[0] if loaded else {}), rows)


def _parquet(path: Path) -> Records:
    try:
        parquet = import_module("pyarrow.parquet")
    except ModuleNotFoundError as error:
        raise MissingExtra.for_feature(f"reading {path.name}", "pyarrow", "train") from error
    try:
        file = parquet.ParquetFile(path)
    except Exception as error:  # pyarrow's own classes
        raise InputError(f"{path}: cannot be read as Parquet ({error})") from error
    batches = (batch.to_pylist() for batch in file.iter_batches(BATCH))
    return Records(path, tuple(file.schema_arrow.names), _numbered(path.name, batches))


def _saved(path: Path) -> Records:
    if not any((path / name).is_file() for name in SAVED):
        raise InputError(f"{path}: no folder that datasets saved ({' or '.join(SAVED)} is missing)")
    try:
        datasets = import_module("datasets")
    except ModuleNotFoundError as error:
        raise MissingExtra.for_feature(f"reading {path}", "datasets", "train") from error
    try:
        loaded = datasets.load_from_disk(str(path))
    except Exception as error:  # classes of other packages, by what is damaged
        raise InputError(f"{path}: cannot be read ({type(error).__name__}: {error})") from error
    parts = list(loaded.values()) if isinstance(loaded, dict) else [loaded]
    columns = tuple(dict.fromkeys(column for part in parts for column in part.column_names))
    batches = (list(_rows(batch)) for part in parts for batch in part.iter(BATCH))
    return Records(path, columns, _numbered(path.name, batches))


def _rows(batch: Mapping[str, list[Any]]) -> Iterator[dict[str, Any]]:
    return (dict(zip(batch, values, strict=True)) for values in zip(*batch.values(), strict=True))


def _numbered(name: str, batches: Iterator[list[dict[str, Any]]]) -> Iterator[Record | Fault]:
    rows = (row for batch in batches for row in batch)
    return (Record(f"{name}, row {number}", row) for number, row in enumerate(rows, 1))


def _columns(first: object) -> tuple[str, ...]:
    """Names of the columns, those of inner objects as ``outer.inner`` too."""
    if not isinstance(first, dict):
        return ()
    found = []
    for name, value in first.items():
        found.append(name)
        if isinstance(value, dict):
            found += [f"{name}.{inner}" for inner in value]
    return tuple(found)
