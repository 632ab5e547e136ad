"""What an object store holds of a folder, and whether it is what it should be."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from hashlib import sha256
from typing import TYPE_CHECKING

from botocore.exceptions import ClientError

from unbarb.deploy.manifest import NAME, Entry, Manifest
from unbarb.deploy.s3.parts import MIB, Cut, same
from unbarb.deploy.s3.place import Place
from unbarb.deploy.s3.refusals import absent, code, refusals
from unbarb.errors import InputError

if TYPE_CHECKING:
    from types_boto3_s3 import S3Client


@dataclass(frozen=True, slots=True)
class Object:
    """What the store says of an object; `checksum` is None where it keeps no SHA-256."""

    bytes: int
    etag: str
    checksum: str | None

    def is_the(self, cut: Cut) -> bool | None:
        """Whether it is that file, by the store's own checksums; None where they say nothing."""
        if self.bytes != cut.size:
            return False
        if self.checksum:
            return same(self.checksum, cut.checksum)
        return True if self.etag == cut.etag else None


def listed(client: S3Client, place: Place) -> dict[str, int]:
    """The names of what lies in `place`, with its bytes."""
    found: dict[str, int] = {}
    with refusals(place, f"listing {place}"):
        pages = client.get_paginator("list_objects_v2").paginate(
            Bucket=place.bucket, Prefix=f"{place.prefix}/"
        )
        for page in pages:
            for one in page.get("Contents", ()):
                name = one["Key"].removeprefix(f"{place.prefix}/")
                if name:  # some tools keep an empty object for a folder itself
                    found[name] = one["Size"]
    return found


def head(client: S3Client, place: Place, name: str) -> Object | None:
    """What the store says of a file; None where it is not there."""
    with refusals(place, f"looking at {place}/{name}"):
        try:
            said = client.head_object(Bucket=place.bucket, Key=place.key(name), ChecksumMode="ENABLED")
        except ClientError as error:
            if absent(error):
                return None
            raise
    return Object(said["ContentLength"], said["ETag"].strip('"'), said.get("ChecksumSHA256"))


def chunks(client: S3Client, place: Place, name: str, start: int = 0) -> Iterator[bytes]:
    """The bytes of a file from `start` on."""
    with refusals(place, f"reading {place}/{name}"):
        wanted = {"Range": f"bytes={start}-"} if start else {}
        body = client.get_object(Bucket=place.bucket, Key=place.key(name), **wanted)["Body"]  # type: ignore[arg-type]
        with body:
            yield from body.iter_chunks(MIB)


def read_back(
    client: S3Client, place: Place, name: str, told: Callable[[int], None] | None = None
) -> Entry:
    """Size and SHA-256 of the bytes that the store gives out."""
    digest, size = sha256(), 0
    for chunk in chunks(client, place, name):
        digest.update(chunk)
        size += len(chunk)
        if told:
            told(len(chunk))
    return Entry(size, digest.hexdigest())


def manifest(client: S3Client, place: Place) -> Manifest | None:
    """The manifest in `place`; None where there is none.

    Raises:
        InputError: it is damaged.
    """
    with refusals(place, f"reading {place}/{NAME}"):
        try:
            body = client.get_object(Bucket=place.bucket, Key=place.key(NAME))["Body"].read()
        except ClientError as error:
            if absent(error) and code(error) != "NoSuchBucket":
                return None
            raise
    return Manifest.parse(body, f"{place}/{NAME}")


def needed(client: S3Client, place: Place) -> Manifest:
    """The manifest in `place`.

    Raises:
        InputError: there is none, so that nothing says what should be there.
    """
    found = manifest(client, place)
    if found is None:
        raise InputError(
            f"{place} holds no {NAME}: the upload is not finished, or not by `unbarb deploy upload`;"
            " run it (again), or correct the address"
        )
    return found
