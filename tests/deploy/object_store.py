"""What tests know of the object store on loopback, see the fixture `store`."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import pytest
from fault_proxy import Proxy

KIB = 1 << 10
PART = 64 * KIB
"""Bytes of a part here; the server is told to take so few."""


@dataclass(frozen=True)
class Store:
    """A bucket of its own for each test, in a store on loopback."""

    bucket: str
    proxy: Proxy
    ours: Any
    """Our client, through the proxy."""
    client: Any
    """Another, past the proxy."""
    address: str
    """Of the server itself, past the proxy."""

    def held(self) -> dict[str, bytes]:
        """All that the bucket holds."""
        listed = self.client.list_objects_v2(Bucket=self.bucket).get("Contents", ())
        return {one["Key"]: self.content(one["Key"]) for one in listed}

    def content(self, key: str) -> bytes:
        return bytes(self.client.get_object(Bucket=self.bucket, Key=key)["Body"].read())

    def put(self, key: str, content: bytes) -> None:
        self.client.put_object(Bucket=self.bucket, Key=key, Body=content)


@contextmanager
def environment(address: str) -> Iterator[pytest.MonkeyPatch]:
    """What a user sets to reach the store at `address`, and nothing else of AWS's."""
    with pytest.MonkeyPatch.context() as patch:
        for name in [name for name in os.environ if name.startswith("AWS_")]:
            patch.delenv(name)
        patch.setenv("AWS_ACCESS_KEY_ID", "AKIATEST")
        patch.setenv("AWS_SECRET_ACCESS_KEY", "secret")
        patch.setenv("AWS_ENDPOINT_URL", address)
        patch.setenv("AWS_MAX_ATTEMPTS", "1")
        yield patch
