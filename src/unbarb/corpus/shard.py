"""Do one shard: read it, clean it, write what comes of it, and say last of all that it is done.

A shard that is done twice gives the same bytes under the same names, so a worker may die at any moment and
another do its shard again.
"""

from __future__ import annotations

import io
import json
from collections.abc import Callable
from dataclasses import asdict, dataclass
from hashlib import sha256
from typing import IO, Any, Self, cast

from unbarb.corpus.line_shard import LineShard
from unbarb.corpus.lists import Lists, thinned
from unbarb.corpus.places import join, read_bytes, write_bytes, writing
from unbarb.corpus.plan import Shard, work
from unbarb.corpus.rows import Chunk, Fate, Reader, Row
from unbarb.corpus.settings import Settings
from unbarb.corpus.stage import CleanRows

Moved = Callable[[int, int], None]
"""Is told of so many more rows that are done, and how much of the shard they are, in units of its cut."""


@dataclass(slots=True)
class ShardDone:
    """What came of a shard: its output and lists, counts, some samples, and the models used."""

    number: int
    output: dict[str, Any]
    lists: list[str]
    counts: dict[str, int]
    tallies: dict[str, dict[str, int]]
    samples: dict[str, list[dict[str, Any]]]
    models: dict[str, str]

    def to_bytes(self) -> bytes:
        return json.dumps(asdict(self), ensure_ascii=False).encode() + b"\n"

    @classmethod
    def from_bytes(cls, content: bytes) -> Self:
        return cls(**json.loads(content))


def marker(shard: Shard) -> str:
    """The place of the file that says that a shard is done."""
    return work(shard.out, f"done/{shard.number:06d}.json")


def finished(shard: Shard) -> ShardDone | None:
    """What came of a shard that an earlier run finished, None for one that is still to be done."""
    content = read_bytes(marker(shard))
    return None if content is None else ShardDone.from_bytes(content)


def clean_shard(
    shard: Shard, settings: Settings, cleaner: CleanRows, moved: Moved | None = None
) -> ShardDone:
    """Clean one shard and write its outputs, its marker last.

    Raises:
        InputError: it cannot be read, or its outputs cannot be written; there is no marker then.
    """
    reader = reader_of(shard, settings)
    with Lists(shard, cleaner) as lists, writing(join(shard.out, f"data/{shard.name}")) as file:
        counted = Counting(file)
        sink = reader.sink(cast(IO[bytes], counted))
        for chunk in reader.chunks():
            sink.write(chunk, _fates(chunk, cleaner, lists))
            if moved is not None:
                moved(sum(isinstance(item, Row) for item in chunk.items), chunk.size)
        sink.close()
    done = ShardDone(
        number=shard.number,
        output={"file": f"data/{shard.name}", "rows": lists.counts["kept"], **counted.told()},
        lists=lists.written,
        counts=dict(lists.counts),
        tallies={name: dict(tally) for name, tally in lists.tallies.items()},
        samples={name: thinned(found) for name, found in lists.samples.items()},
        models={**cleaner.models, **lists.models},
    )
    write_bytes(marker(shard), done.to_bytes())
    return done


def _fates(chunk: Chunk, cleaner: CleanRows, lists: Lists) -> list[Fate]:
    cleaned = iter(cleaner.rows([item.texts for item in chunk.items if isinstance(item, Row)]))
    return [lists.noted(item, next(cleaned) if isinstance(item, Row) else None) for item in chunk.items]


def reader_of(shard: Shard, settings: Settings) -> Reader:
    """What reads and writes the shard's format; pyarrow is loaded only for Parquet."""
    if shard.format == "parquet":
        from unbarb.corpus.parquet import ParquetShard

        return ParquetShard(shard, settings)
    return LineShard(shard, settings)


class Counting(io.RawIOBase):
    """A stream that digests and counts what is written through it."""

    def __init__(self, stream: IO[bytes]) -> None:
        self._stream = stream
        self._sha256 = sha256()
        self._bytes = 0

    def writable(self) -> bool:
        return True

    def tell(self) -> int:
        return self._bytes

    def write(self, content: Any) -> int:
        self._stream.write(content)
        self._sha256.update(content)
        self._bytes += len(content)
        return len(content)

    def told(self) -> dict[str, Any]:
        return {"bytes": self._bytes, "sha256": f"sha256:{self._sha256.hexdigest()}"}
