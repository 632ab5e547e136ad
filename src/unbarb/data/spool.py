"""Rows on disk between the steps of a preparation; in memory are a few bytes for each."""

from __future__ import annotations

import hashlib
import json
from array import array
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

from unbarb.data.prepared import Kind, Row, source_key


@dataclass(slots=True)
class Spool:
    """Rows of one kind, and for each the digest of its normalised source, in their order."""

    path: Path
    kind: Kind
    keys: array[int] = field(default_factory=lambda: array("Q"))

    def fill(self, rows: Iterable[Row]) -> None:
        """Write all of `rows`."""
        with self.path.open("w", encoding="utf-8", newline="\n") as file:
            for row in rows:
                self.keys.append(short(source_key(row, self.kind)))
                file.write(json.dumps(row, ensure_ascii=False) + "\n")

    def rows(self) -> Iterator[Row]:
        """Read them back."""
        return read_rows(self.path)


def read_rows(path: Path) -> Iterator[Row]:
    """The objects of a file of JSON lines."""
    with path.open(encoding="utf-8", newline="\n") as file:
        yield from map(json.loads, file)


def short(text: str) -> int:
    """64 bits for a text: of a million texts two would be confused once in 37 million sets."""
    return int.from_bytes(hashlib.blake2b(text.encode("utf-8", "surrogatepass"), digest_size=8).digest())


def only_train(row: Row) -> bool:
    """Whether a row was made, not found: no such row is developed or tested on."""
    return "augmented" in row.get("meta", {})
