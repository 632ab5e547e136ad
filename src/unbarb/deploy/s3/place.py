"""Where in an object store a folder lies: ``s3://bucket/prefix``."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Self

from unbarb.errors import ConfigError

_BUCKET = re.compile(r"[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]")
"""As AWS names general purpose buckets: 3 to 63 of these, a letter or digit at both ends."""


@dataclass(frozen=True, slots=True)
class Place:
    """A bucket, and the prefix of the keys in it, without ``/`` at either end."""

    bucket: str
    prefix: str

    @classmethod
    def parse(cls, address: str) -> Self:
        """Read ``s3://bucket/prefix``.

        Raises:
            ConfigError: it is no such address.
        """
        rest = address.removeprefix("s3://")
        bucket, _, prefix = rest.partition("/")
        prefix = prefix.strip("/")
        if rest == address or not _BUCKET.fullmatch(bucket):
            raise ConfigError(
                f"{address!r} is not the address of a folder, as s3://my-bucket/models/my-model"
            )
        if not prefix:
            raise ConfigError(
                f"{address!r} is a whole bucket; name a folder in it, as s3://{bucket}/models/my-model"
            )
        if any(part in ("", ".", "..") for part in prefix.split("/")):
            raise ConfigError(f"{address!r} has an empty part, '.' or '..' in it; leave it out")
        return cls(bucket, prefix)

    def key(self, name: str) -> str:
        """The key of the file `name` in this folder."""
        return f"{self.prefix}/{name}"

    def __str__(self) -> str:
        return f"s3://{self.bucket}/{self.prefix}"
