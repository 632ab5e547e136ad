"""Checks a folder in an object store against its manifest."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

from unbarb.deploy.manifest import NAME, Manifest, compared
from unbarb.deploy.progress import Count, Moved
from unbarb.deploy.s3.parts import same
from unbarb.deploy.s3.place import Place
from unbarb.deploy.s3.stored import head, listed, needed, read_back

if TYPE_CHECKING:
    from types_boto3_s3 import S3Client


@dataclass(frozen=True, slots=True)
class Checked:
    """What the manifest names, and what is not as it says, one line each."""

    manifest: Manifest
    problems: tuple[str, ...]


def check(client: S3Client, place: Place, *, quick: bool = False, moved: Moved | None = None) -> Checked:
    """Compare every file of `place` with the manifest there.

    Every byte is read and digested; where `quick`, the store's own checksums are asked instead.

    Raises:
        InputError: there is no manifest, or the store refuses or was lost on the way.
        ConfigError: credentials or region.
    """
    wanted = needed(client, place)
    there = listed(client, place)
    there.pop(NAME, None)
    present = {name: one for name, one in wanted.files.items() if there.get(name) == one.bytes}
    problems = [f"{name}: missing" for name in wanted.files.keys() - there.keys()]
    problems += [
        f"{name}: {there[name]:,} bytes, not {one.bytes:,}"
        for name, one in wanted.files.items()
        if name in there and name not in present
    ]
    problems += [f"{name}: not in the manifest" for name in there.keys() - wanted.files.keys()]
    count = Count(moved, "verifying", sum(one.bytes for one in present.values()))
    if quick:
        problems += _asked(client, place, wanted, list(present))
    else:
        read = {name: read_back(client, place, name, count) for name in present}
        problems += compared(present, read)
    return Checked(wanted, tuple(sorted(problems)))


def _asked(client: S3Client, place: Place, wanted: Manifest, present: list[str]) -> Iterator[str]:
    for name in present:
        found = head(client, place, name)
        if found is None:
            yield f"{name}: missing"
        elif not found.checksum:
            yield f"{name}: the store keeps no SHA-256 of it; verify without --quick"
        elif not same(found.checksum, wanted.files[name].checksum or ""):
            yield f"{name}: the store's SHA-256 is {found.checksum}, not {wanted.files[name].checksum}"
