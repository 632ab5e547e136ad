"""Takes a folder out of an object store, checked against its manifest; goes on where it was cut off."""

from __future__ import annotations

from dataclasses import dataclass
from hashlib import file_digest, sha256
from pathlib import Path
from typing import TYPE_CHECKING

from unbarb.deploy.manifest import NAME, Entry
from unbarb.deploy.progress import Count, Moved
from unbarb.deploy.room import check_room, not_written
from unbarb.deploy.s3.parts import MIB
from unbarb.deploy.s3.place import Place
from unbarb.deploy.s3.stored import chunks, needed
from unbarb.errors import InputError

if TYPE_CHECKING:
    from types_boto3_s3 import S3Client

PARTIAL = ".partial"
"""The ending of a file that is not whole."""


@dataclass(frozen=True, slots=True)
class Downloaded:
    """What a download did: of `files` with `bytes`, what was fetched now and what was there before."""

    folder: Path
    files: int
    bytes: int
    fetched_bytes: int
    files_there: int


def download(client: S3Client, place: Place, folder: Path, *, moved: Moved | None = None) -> Downloaded:
    """Fetch what the manifest in `place` names into `folder`; the manifest is written last.

    Raises:
        InputError: there is no manifest, the disk is full, a file is not what the manifest says, or the
            store refuses or was lost on the way.
        ConfigError: credentials or region.
    """
    wanted = needed(client, place)
    count = Count(moved, "downloading", wanted.bytes)
    fetched = files_there = 0
    try:
        folder.mkdir(parents=True, exist_ok=True)
        missing = {name: one for name, one in wanted.files.items() if not _there(folder / name, one)}
        check_room(folder, sum(one.bytes - _begun(folder / name) for name, one in missing.items()))
        for name, one in wanted.files.items():
            if name not in missing:
                files_there += 1
                count(one.bytes)
                continue
            fetched += _fetch(client, place, name, one, folder / name, count)
        wanted.write(folder)
    except OSError as error:
        raise not_written(folder, error) from error
    return Downloaded(folder, len(wanted.files), wanted.bytes, fetched, files_there)


def _there(path: Path, one: Entry) -> bool:
    if not path.is_file() or path.stat().st_size != one.bytes:
        return False
    with path.open("rb") as file:
        return file_digest(file, "sha256").hexdigest() == one.sha256


def _begun(path: Path) -> int:
    partial = path.with_name(path.name + PARTIAL)
    return partial.stat().st_size if partial.is_file() else 0


def _fetch(client: S3Client, place: Place, name: str, one: Entry, path: Path, count: Count) -> int:
    """Fetch a file, from where an earlier attempt ended; the bytes that came now."""
    path.parent.mkdir(parents=True, exist_ok=True)
    partial = path.with_name(path.name + PARTIAL)
    digest, start = sha256(), 0
    if partial.is_file() and partial.stat().st_size < one.bytes:
        with partial.open("rb") as file:
            while chunk := file.read(MIB):
                digest.update(chunk)
                start += len(chunk)
    count(start)
    with partial.open("ab" if start else "wb") as file:
        for chunk in chunks(client, place, name, start) if one.bytes else ():
            file.write(chunk)
            digest.update(chunk)
            count(len(chunk))
    if partial.stat().st_size != one.bytes or digest.hexdigest() != one.sha256:
        partial.unlink()
        raise InputError(
            f"{place}/{name} is not what the manifest says; {NAME} and the files beside it do not belong"
            f" together, or bytes were damaged on the way: `unbarb deploy verify {place}`"
        )
    partial.replace(path)
    return one.bytes - start
