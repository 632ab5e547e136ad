"""What a file's name tells: its format, how it is packed, and what its cleaned pieces are called."""

from __future__ import annotations

import bz2
import gzip
import io
import lzma
import zlib
from dataclasses import dataclass
from typing import IO, Any, cast

from unbarb.errors import InputError, MissingExtra

FORMATS = {
    ".jsonl": "jsonl", ".ndjson": "jsonl", ".parquet": "parquet", ".pq": "parquet",
    ".csv": "csv", ".tsv": "tsv", ".txt": "text", ".text": "text",
}  # fmt: skip
PACKED = {".gz": "gz", ".bz2": "bz2", ".xz": "xz", ".zst": "zst"}
KINDS = tuple(dict.fromkeys(FORMATS.values()))
DAMAGED = (OSError, EOFError, zlib.error, lzma.LZMAError)
"""What reading a damaged packed file raises."""


@dataclass(frozen=True, slots=True)
class Named:
    """A file's `name` as its parts: ``comments`` + ``.jsonl`` + ``.gz``, of format ``jsonl``."""

    stem: str
    ending: str
    packing: str
    format: str

    @classmethod
    def of(cls, name: str, format: str | None = None) -> Named | None:
        """The parts of a name; None where neither it nor `format` tells the format."""
        stem, packing = _cut(name, PACKED)
        stem, ending = _cut(stem, FORMATS)
        known = format or FORMATS.get(ending.lower())
        return None if known is None else cls(stem, ending, packing, known)

    @property
    def packed(self) -> str | None:
        return PACKED.get(self.packing.lower())

    def piece(self, number: int, count: int) -> str:
        """The name of one of `count` pieces; one piece keeps the name."""
        place = f"-{number:05d}-of-{count:05d}" if count > 1 else ""
        return f"{self.stem}{place}{self.ending}{self.packing}"


def _cut(name: str, endings: dict[str, str]) -> tuple[str, str]:
    ending = next((one for one in endings if name.lower().endswith(one) and len(name) > len(one)), "")
    return name[: len(name) - len(ending)], name[len(name) - len(ending) :]


def unpacked(stream: IO[bytes], packed: str | None) -> IO[bytes]:
    """A buffered stream of what is packed in `stream`."""
    if packed == "gz":
        return gzip.GzipFile(fileobj=stream, mode="rb")  # type: ignore[return-value]
    if packed == "bz2":
        return bz2.BZ2File(stream, "rb")
    if packed == "xz":
        return lzma.LZMAFile(stream, "rb")
    if packed == "zst":
        return io.BufferedReader(_arrow().CompressedInputStream(stream, "zstd"), 1 << 20)
    return stream


def packing(stream: IO[bytes], packed: str | None) -> IO[bytes]:
    """A stream that packs what is written to it; close it before `stream`. The same bytes every time."""
    if packed == "gz":
        # Neither name nor time goes into the header.
        return cast(IO[bytes], gzip.GzipFile("", "wb", 6, stream, mtime=0))
    if packed == "bz2":
        return bz2.BZ2File(stream, "wb")
    if packed == "xz":
        return lzma.LZMAFile(stream, "wb")
    if packed == "zst":
        return cast(IO[bytes], _arrow().CompressedOutputStream(stream, "zstd"))
    return stream


def _arrow() -> Any:
    try:
        import pyarrow
    except ImportError as error:
        raise MissingExtra.for_feature("a file ending in .zst", "pyarrow", "corpus") from error
    return pyarrow


def unknown(names: list[str]) -> InputError:
    """What is said where no file's format is known."""
    return InputError(
        f"{', '.join(names[:3])}{' …' if len(names) > 3 else ''}: cannot tell the format from the name;"
        f" known are {', '.join(FORMATS)} (each but Parquet also with {', '.join(PACKED)}); give --format"
        f" {', '.join(KINDS)}"
    )
