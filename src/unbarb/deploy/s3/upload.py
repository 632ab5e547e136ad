"""Uploads a folder so that a server finds all of it or sees that it is not finished.

The order is the point: read and digest everything, look what is there, take away the manifest of an older
content, send files, ask the store for each one's checksum, and write the manifest last. A folder with a
manifest is whole; one without is being written.
"""

from __future__ import annotations

from base64 import b64encode
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import TYPE_CHECKING

from unbarb.deploy.manifest import NAME, Entry, Manifest, compared, names
from unbarb.deploy.progress import Count, Moved
from unbarb.deploy.s3.parts import MIB, Cut
from unbarb.deploy.s3.place import Place
from unbarb.deploy.s3.refusals import AGAIN, refusals
from unbarb.deploy.s3.send import send
from unbarb.deploy.s3.stored import head, listed, manifest, read_back
from unbarb.errors import InputError

if TYPE_CHECKING:
    from types_boto3_s3 import S3Client

PART = 16 * MIB
PARALLEL = 4


@dataclass(frozen=True, slots=True)
class Uploaded:
    """What an upload did: of `files` with `bytes`, what was sent now and what was there before."""

    place: Place
    files: int
    bytes: int
    sent_bytes: int
    files_there: int
    parts_there: int
    replaced: bool
    """Whether another content was there, complete, under the same address."""


def upload(
    client: S3Client,
    folder: Path,
    place: Place,
    *,
    part: int = PART,
    parallel: int = PARALLEL,
    keep_others: bool = False,
    moved: Moved | None = None,
) -> Uploaded:
    """Upload what lies in `folder` (no hidden files) to `place`, in parts of `part` bytes.

    Run again after it was cut off, it sends what is not there yet.

    Raises:
        InputError: the folder is not as its own manifest says; other files lie in `place`, and
            `keep_others` is not said; the store is full, refuses, or was lost on the way.
        ConfigError: credentials or region.
    """
    cuts, wanted = _cut(folder, part, moved)
    there = listed(client, place)
    others = sorted(there.keys() - cuts.keys() - {NAME})
    if others and not keep_others:
        raise InputError(_told_others(place, others))
    replaced = NAME in there and _withdrawn(client, place, wanted)
    count = Count(moved, "uploading", wanted.bytes)
    sent_bytes = parts_there = files_there = 0

    def sent(size: int, was_there: bool) -> None:
        nonlocal sent_bytes, parts_there
        count(size)
        parts_there += was_there
        sent_bytes += 0 if was_there else size

    for name, cut in cuts.items():
        found = head(client, place, name) if there.get(name) == cut.size else None
        if found and found.is_the(cut):
            files_there += 1
            count(cut.size)
            continue
        send(client, place, name, cut, parallel, sent)
        _check(client, place, name, cut)
    _seal(client, place, wanted)
    return Uploaded(place, len(cuts), wanted.bytes, sent_bytes, files_there, parts_there, replaced)


def _cut(folder: Path, part: int, moved: Moved | None) -> tuple[dict[str, Cut], Manifest]:
    """Each file in parts, and the manifest of them all; the folder's own manifest must agree."""
    found = names(folder)
    count = Count(moved, "reading", sum((folder / name).stat().st_size for name in found))
    cuts = {}
    for name in found:
        cuts[name] = Cut.of(folder / name, part)
        count(cuts[name].size)
    files = {name: Entry(cut.size, cut.sha256, cut.checksum) for name, cut in cuts.items()}
    own = Manifest.read(folder) if (folder / NAME).is_file() else None
    if own is None:
        return cuts, Manifest(files)
    wrong = list(compared(own.files, files))
    if wrong:
        raise InputError(
            f"{folder} is not what its {NAME} says; lay it out again, or delete the manifest if the change"
            " is meant:\n" + "\n".join(f"  {line}" for line in wrong)
        )
    return cuts, Manifest(files, own.layout)


def _told_others(place: Place, others: list[str]) -> str:
    some = ", ".join(others[:5]) + (f" and {len(others) - 5} more" if len(others) > 5 else "")
    return (
        f"{place} holds {len(others)} files that are not in this folder ({some}); a server that loads it"
        " would take both. Name an address of its own for each version, or delete them:"
        f" `aws s3 rm --recursive {place}`, or say --keep-others"
    )


def _withdrawn(client: S3Client, place: Place, wanted: Manifest) -> bool:
    """Take away the manifest of another content: what is there is not whole from now on."""
    try:
        same = manifest(client, place) == wanted
    except InputError:  # damaged, or of another version
        same = False
    if not same:
        with refusals(place, f"replacing {place} (this takes s3:DeleteObject; a new address does not)"):
            client.delete_object(Bucket=place.bucket, Key=place.key(NAME))
    return not same


def _check(client: S3Client, place: Place, name: str, cut: Cut) -> None:
    """Ask the store what it has; where it keeps no checksum that can be compared, read it back.

    Raises:
        InputError: it is something else.
    """
    found = head(client, place, name)
    same = found.is_the(cut) if found else False
    if same is None:
        same = read_back(client, place, name) == Entry(cut.size, cut.sha256)
    if not same:
        what = f"{found.bytes:,} bytes, {found.checksum or found.etag}" if found else "nothing"
        raise InputError(
            f"{place}/{name} is not what was sent: the store has {what}, not {cut.size:,} bytes,"
            f" {cut.checksum}; {AGAIN}"
        )


def _seal(client: S3Client, place: Place, wanted: Manifest) -> None:
    """Write the manifest, and read it back."""
    content = wanted.content()
    with refusals(place, f"writing {place}/{NAME}"):
        client.put_object(
            Bucket=place.bucket,
            Key=place.key(NAME),
            Body=content,
            ContentType="application/json",
            ChecksumAlgorithm="SHA256",
            ChecksumSHA256=b64encode(sha256(content).digest()).decode(),
        )
    if manifest(client, place) != wanted:
        raise InputError(f"{place}/{NAME} is not what was written; {AGAIN}")
