"""What is to be done, cut into shards: a list that depends on the input alone, never on who works on it."""

from __future__ import annotations

import base64
import io
import shutil
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass
from typing import Any, Self

from unbarb.corpus.names import DAMAGED, unpacked
from unbarb.corpus.places import join, reading, writing
from unbarb.corpus.settings import Settings
from unbarb.corpus.sources import Found, Source, find
from unbarb.corpus.survey import Survey, survey
from unbarb.errors import InputError

LEAST, MOST, SHARDS = 4 << 20, 256 << 20, 1024
"""Bytes of the smallest and of the largest shard; in between there are about so many shards."""
SURVEYED = 4
"""Files looked through at a time."""
WORK = ".work"
"""Folder inside OUT with what a run needs to go on; gone when all is done."""


@dataclass(frozen=True, slots=True)
class Shard:
    """Which rows of which file, and where what comes of them goes; plain values, for any worker.

    `file` is what the input is called, `uri` where to read it (an unpacked copy, for a large packed file).
    Of line formats it is bytes ``[start, end)`` of the unpacked content, the first of them in line `line`,
    and `head` is what is written before them; of Parquet it is rows ``[start, end)``. `name` is what the
    cleaned piece is called, `packing` how it is packed.
    """

    number: int
    file: str
    uri: str
    format: str
    packed: str | None
    packing: str | None
    start: int
    end: int
    line: int
    head: bytes
    out: str
    name: str

    def to_dict(self) -> dict[str, Any]:
        return {**asdict(self), "head": base64.b64encode(self.head).decode()}

    @classmethod
    def from_dict(cls, plain: dict[str, Any]) -> Self:
        return cls(**{**plain, "head": base64.b64decode(plain["head"])})


@dataclass(frozen=True, slots=True)
class Plan:
    """All shards in order, the input files with their digests, and names of files of no known format."""

    shards: Sequence[Shard]
    inputs: Sequence[dict[str, Any]]
    passed_over: Sequence[str]


def plan(
    source: str | Sequence[str] | Found,
    out: str,
    settings: Settings,
    *,
    format: str | None = None,
    shard_bytes: int | None = None,
) -> Plan:
    """Look through the whole input once and cut it.

    A file of lines is cut between records, a Parquet file between rows. A packed file that makes more
    than one shard is unpacked into OUT's work folder, for nothing can be found in the middle of it.

    Args:
        shard_bytes: bytes of a shard; default by the size of the input, from `LEAST` to `MOST`.

    Raises:
        InputError: files cannot be read, or lack a column, or two would write one file; every problem is
            told.
    """
    found = source if isinstance(source, Found) else find(source, format)
    size = shard_bytes or min(MOST, max(LEAST, found.bytes // SHARDS))
    with ThreadPoolExecutor(SURVEYED) as pool:
        surveys = list(pool.map(lambda one: survey(one, settings, size), found.sources))
    problems = [problem for one in surveys for problem in one.problems]
    problems += _collisions(found.sources, surveys)
    if problems:
        raise InputError("\n".join(problems))
    shards: list[Shard] = []
    for one, seen in zip(found.sources, surveys, strict=True):
        shards += _shards(one, seen, out, len(shards))
    inputs = [
        {"file": one.name, "bytes": one.entry.bytes, "sha256": seen.sha256}
        for one, seen in zip(found.sources, surveys, strict=True)
    ]
    return Plan(shards, inputs, found.passed_over)


def _collisions(sources: Sequence[Source], surveys: Sequence[Survey]) -> Iterator[str]:
    """Files of which a piece would be called what a piece of another one is called."""
    taken: dict[str, str] = {}
    for source, seen in zip(sources, surveys, strict=True):
        count = len(seen.cuts)
        for name in (source.named.piece(at, count) for at in range(count)):
            other = taken.setdefault(name, source.uri)
            if other != source.uri:
                yield f"{other} and {source.uri} would both become {name}; rename one, or clean them apart"
                break


def _shards(source: Source, seen: Survey, out: str, number: int) -> list[Shard]:
    packed, uri = source.named.packed, source.uri
    if packed and len(seen.cuts) > 1:
        uri, packed = _unpack(source, out), None
    return [
        Shard(
            number=number + at,
            file=source.name,
            uri=uri,
            format=source.named.format,
            packed=packed,
            packing=source.named.packed,
            start=cut.start,
            end=cut.end,
            line=cut.line,
            head=seen.head,
            out=out,
            name=source.named.piece(at, len(seen.cuts)),
        )
        for at, cut in enumerate(seen.cuts)
    ]


def _unpack(source: Source, out: str) -> str:
    """The place of an unpacked copy of `source` inside OUT."""
    copy = join(out, f"{WORK}/unpacked/{source.name}")
    with reading(source.uri) as raw, writing(copy) as target:
        try:
            shutil.copyfileobj(unpacked(raw, source.named.packed), target, io.DEFAULT_BUFFER_SIZE << 5)
        except DAMAGED as error:
            if isinstance(error, OSError) and error.errno is not None:
                raise
            raise InputError(f"{source.uri}: cannot be unpacked ({error})") from error
    return copy


def work(out: str, name: str) -> str:
    """The place of what a run needs to go on."""
    return join(out, f"{WORK}/{name}")
