"""How a file is cut into parts, and the checksums of each and of the whole, as S3 counts them."""

from __future__ import annotations

from base64 import b64decode, b64encode
from collections.abc import Iterator
from dataclasses import dataclass
from hashlib import md5, sha256
from pathlib import Path

from unbarb.errors import InputError

MIB = 1 << 20
SMALLEST, LARGEST, MOST = 5 * MIB, 5 * 1024 * MIB, 10_000
"""Bytes of a part, except the last, and parts of an object: AWS's "multipart upload limits"."""


@dataclass(frozen=True, slots=True)
class Part:
    """The bytes ``[start, start + length)`` of a file; `number` counts from 1.

    `sha256` is base64 of the digest, `etag` is hex of the MD5: a store's two ways to say what it has.
    """

    number: int
    start: int
    length: int
    sha256: str
    etag: str


@dataclass(frozen=True, slots=True)
class Cut:
    """A file in parts; one part is sent in one request, several as a multi-part upload."""

    path: Path
    size: int
    parts: tuple[Part, ...]
    sha256: str

    @classmethod
    def of(cls, path: Path, part: int) -> Cut:
        """Read `path` once and cut it into parts of `part` bytes, or larger where there would be too many.

        Raises:
            InputError: it cannot be read, or is larger than an object may be.
        """
        try:
            size = path.stat().st_size
            length = part_length(size, part, path)
            whole = sha256()
            parts = []
            with path.open("rb") as file:
                for number, start in enumerate(range(0, max(size, 1), length), 1):
                    data = file.read(min(length, size - start))
                    whole.update(data)
                    digest = b64encode(sha256(data).digest()).decode()
                    etag = md5(data, usedforsecurity=False).hexdigest()
                    parts.append(Part(number, start, len(data), digest, etag))
        except OSError as error:
            raise InputError(f"{path} cannot be read: {error.strerror or error}") from error
        return cls(path, size, tuple(parts), whole.hexdigest())

    @property
    def checksum(self) -> str:
        """What a store keeps of the whole: of one part its SHA-256, of more that of their digests."""
        if len(self.parts) == 1:
            return self.parts[0].sha256
        return composite(part.sha256 for part in self.parts)

    @property
    def etag(self) -> str:
        """What a store that keeps MD5 calls the whole; of more parts than one, the MD5 of theirs."""
        if len(self.parts) == 1:
            return self.parts[0].etag
        whole = md5(b"".join(bytes.fromhex(part.etag) for part in self.parts), usedforsecurity=False)
        return f"{whole.hexdigest()}-{len(self.parts)}"

    def read(self, part: Part) -> bytes:
        """The bytes of `part`.

        Raises:
            InputError: the file is not any more what was cut.
        """
        try:
            with self.path.open("rb") as file:
                file.seek(part.start)
                data = file.read(part.length)
        except OSError as error:
            raise InputError(f"{self.path} cannot be read: {error.strerror or error}") from error
        if b64encode(sha256(data).digest()).decode() != part.sha256:
            raise InputError(
                f"{self.path} changed while it was uploaded; wait until it is written, and run the same"
                " command again"
            )
        return data


def part_length(size: int, asked: int, path: Path) -> int:
    """Bytes of a part, so that `MOST` of them hold `size`: `asked`, or as many MiB as it takes.

    Raises:
        InputError: no part is large enough.
    """
    needed = -(-size // MOST)
    length = asked if asked >= needed else -(-needed // MIB) * MIB
    if length > LARGEST:
        raise InputError(f"{path}: {size:,} bytes are more than an object may have ({LARGEST * MOST:,})")
    return length


def same(one: str, other: str) -> bool:
    """Whether two checksums of an object are one; not every answer has the number of parts behind it."""
    return one.partition("-")[0] == other.partition("-")[0]


def composite(digests: Iterator[str]) -> str:
    """The checksum of an object in parts: base64 of SHA-256 over their digests, ``-`` and their number."""
    raw = [b64decode(digest) for digest in digests]
    return f"{b64encode(sha256(b''.join(raw)).digest()).decode()}-{len(raw)}"
