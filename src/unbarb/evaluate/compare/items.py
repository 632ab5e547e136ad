"""What systems are compared on: one side of a prepared set, or a file of pairs or of labelled texts."""

from __future__ import annotations

import csv
import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Literal

from unbarb.data.prepared import MANIFEST, Prepared
from unbarb.data.split import group_key
from unbarb.data.table import LONGEST_FIELD
from unbarb.errors import InputError
from unbarb.evaluate.results import WHOLE_FILE, digest_of

SOURCES = ("source", "toxic", "toxic_sentence", "en_toxic_comment")
REFERENCES = ("target", "reference", "neutral", "neutral1", "neutral_sentence", "en_neutral_comment")
DELIMITERS = {".csv": ",", ".tsv": "\t"}

Kind = Literal["pairs", "labelled"]


@dataclass(frozen=True, slots=True)
class Items:
    """Texts with what is right about them: rewrites (`references`) or `labels`, as `kind` says.

    `ids` holds every id that a prediction of the text may carry: a source with three references is one
    text with three. All columns are equally long. `prepared` is the digest of the set they are a side of.
    """

    name: str
    kind: Kind
    side: str
    ids: tuple[tuple[str, ...], ...]
    texts: tuple[str, ...]
    references: tuple[str, ...] = ()
    labels: tuple[Mapping[str, float], ...] = ()
    prepared: str | None = None

    @property
    def digest(self) -> str:
        return digest_of([self.texts, self.references, [dict(one) for one in self.labels]])

    @property
    def label_names(self) -> tuple[str, ...]:
        """The labels that any text knows, in the order in which they first occur."""
        return tuple(dict.fromkeys(label for one in self.labels for label in one))

    def first(self, limit: int | None) -> Items:
        """The first `limit` texts, all for `None`."""
        cut = slice(limit)
        return Items(
            self.name,
            self.kind,
            self.side,
            self.ids[cut],
            self.texts[cut],
            self.references[cut],
            self.labels[cut],
            self.prepared,
        )


def load_items(path: Path, side: str) -> Items:
    """The `side` of the prepared set in `path`, or all rows of the file `path`.

    Raises:
        InputError: there is neither, a row is wrong, the set is one of preferences, or nothing is in it.
    """
    digest = None
    if path.is_dir():
        if not (path / MANIFEST).is_file():
            raise InputError(f"{path} is no prepared set (no {MANIFEST}); `unbarb data prepare` makes one")
        prepared = Prepared.load(path)
        rows: Iterable[Mapping[str, Any]] = prepared.rows(side)
        digest = prepared.digest
    else:
        rows, side = _file_rows(path), WHOLE_FILE
    found = replace(_items(path, side, list(rows)), prepared=digest)
    if not found.texts:
        raise InputError(f"{path}: no rows in {side}; choose another split or another file")
    return found


def _items(path: Path, side: str, rows: Sequence[Mapping[str, Any]]) -> Items:
    if rows and isinstance(rows[0].get("labels"), Mapping) and "text" in rows[0]:
        ids = tuple((str(row.get("id", at)),) for at, row in enumerate(rows))
        texts, labels = tuple(row["text"] for row in rows), tuple(row["labels"] for row in rows)
        return Items(path.name, "labelled", side, ids, texts, labels=labels)
    names: dict[str, list[str]] = {}
    pairs: dict[str, tuple[str, str]] = {}
    problems = []
    for at, row in enumerate(rows):
        source, reference = _first(row, SOURCES), _first(row, REFERENCES)
        if source is None or reference is None:
            problems.append(
                f"row {at + 1} has no source or no reference; it has {', '.join(row) or 'nothing'}"
            )
            continue
        key = group_key(source)
        names.setdefault(key, []).append(str(row.get("id", at)))
        pairs.setdefault(key, (source, reference))
    if problems:
        raise InputError(
            f"{path}: {'; '.join(problems[:5])}. Name columns source and target, or give text and labels"
        )
    every = tuple(tuple(names[key]) for key in pairs)
    return Items(
        path.name,
        "pairs",
        side,
        every,
        tuple(s for s, _ in pairs.values()),
        tuple(r for _, r in pairs.values()),
    )


def _first(row: Mapping[str, Any], names: Sequence[str]) -> str | None:
    return next((row[name] for name in names if isinstance(row.get(name), str) and row[name].strip()), None)


def _file_rows(path: Path) -> Iterator[dict[str, Any]]:
    if not path.is_file():
        raise InputError(f"no file or prepared set at {path}")
    if path.suffix in DELIMITERS:
        yield from delimited_rows(path)
    else:
        yield from json_rows(path)


def delimited_rows(path: Path) -> Iterator[dict[str, Any]]:
    """The rows of a CSV or TSV file with a header, quoted as RFC 4180 has it.

    Raises:
        InputError: a quote is out of place, a row has more fields than the header, or it is not UTF-8.
    """
    csv.field_size_limit(LONGEST_FIELD)
    with path.open(encoding="utf-8-sig", newline="") as file:
        reader = csv.DictReader(file, delimiter=DELIMITERS[path.suffix], strict=True)
        try:
            for row in reader:
                if None in row:
                    raise InputError(f"{path}, line {reader.line_num}: more fields than the header has")
                yield row
        except (csv.Error, UnicodeDecodeError) as error:
            raise InputError(
                f'{path}, line {reader.line_num}: {error}; in a quoted field write "" for ", or give JSONL'
            ) from error


def json_rows(path: Path) -> Iterator[dict[str, Any]]:
    """The objects of a JSONL file.

    Raises:
        InputError: a line is no JSON object, or the file is not UTF-8.
    """
    try:
        lines = path.read_text(encoding="utf-8").split("\n")
    except (OSError, UnicodeDecodeError) as error:
        raise InputError(f"{path} cannot be read: {error}") from error
    for at, line in enumerate(lines, 1):
        if not line.strip():
            continue
        try:
            row = json.loads(line)
        except ValueError as error:
            raise InputError(f"{path}, line {at}: not JSON ({error}); give one object a line") from error
        if not isinstance(row, dict):
            raise InputError(f"{path}, line {at}: not an object; give one JSON object a line")
        yield row
