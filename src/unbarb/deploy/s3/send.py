"""Sends one file: in one request, or in parts, of which those that the store has are not sent again.

What was sent before is asked of the store, not remembered here: an upload that was cut off goes on from
any machine that has the same file. A part counts as sent when the store's checksum of it (SHA-256, or the
MD5 that an ETag is) is that of the bytes that would be sent; any other is sent again in its place.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor, as_completed
from typing import TYPE_CHECKING

from unbarb.deploy.s3.parts import Cut, Part
from unbarb.deploy.s3.place import Place
from unbarb.deploy.s3.refusals import refusals

if TYPE_CHECKING:
    from types_boto3_s3 import S3Client

Sent = Callable[[int, bool], None]
"""Is told of each part its bytes, and whether they were there before."""


def send(client: S3Client, place: Place, name: str, cut: Cut, parallel: int, sent: Sent) -> None:
    """Put the file `cut` into `place` as `name`; several parts at once, `parallel` in memory.

    Raises:
        InputError: the store is full, refuses or was lost on the way, or the file changed meanwhile.
        ConfigError: credentials or region.
    """
    doing = f"uploading {name} to {place}"
    if len(cut.parts) == 1:
        data = cut.read(cut.parts[0])
        with refusals(place, doing):
            client.put_object(
                Bucket=place.bucket,
                Key=place.key(name),
                Body=data,
                ChecksumAlgorithm="SHA256",
                ChecksumSHA256=cut.checksum,
            )
        sent(len(data), False)
        return
    with refusals(place, doing):
        upload, etags = begun(client, place, name, cut)
    for part in cut.parts:
        if part.number in etags:
            sent(part.length, True)
    etags = {**etags, **_rest(client, place, name, cut, upload, etags, parallel, sent)}
    with refusals(place, doing):
        client.complete_multipart_upload(
            Bucket=place.bucket,
            Key=place.key(name),
            UploadId=upload,
            MultipartUpload={
                "Parts": [
                    {"PartNumber": one.number, "ETag": etags[one.number], "ChecksumSHA256": one.sha256}
                    for one in cut.parts
                ]
            },
        )


def begun(client: S3Client, place: Place, name: str, cut: Cut) -> tuple[str, dict[int, str]]:
    """The id of an upload of this file, and the ETags of the parts that are there, by number.

    It is the one begun last and not finished, or a new one.
    """
    where = {"Bucket": place.bucket, "Key": place.key(name)}
    pages = client.get_paginator("list_multipart_uploads").paginate(
        Bucket=place.bucket, Prefix=place.key(name)
    )
    open_ones = [
        one
        for page in pages
        for one in page.get("Uploads", ())
        # One that another tool began with another checksum takes no SHA-256.
        if one["Key"] == place.key(name) and one.get("ChecksumAlgorithm", "SHA256") == "SHA256"
    ]
    if not open_ones:
        made = client.create_multipart_upload(**where, ChecksumAlgorithm="SHA256")  # type: ignore[arg-type]
        return made["UploadId"], {}
    upload = max(open_ones, key=lambda one: one["Initiated"])["UploadId"]
    there: dict[int, str] = {}
    parts = {part.number: part for part in cut.parts}
    for page in client.get_paginator("list_parts").paginate(**where, UploadId=upload):  # type: ignore[arg-type]
        for said in page.get("Parts", ()):
            part = parts.get(said["PartNumber"])
            if part and same_part(part, said["Size"], said["ETag"], said.get("ChecksumSHA256")):
                there[part.number] = said["ETag"]
    return upload, there


def same_part(part: Part, size: int, etag: str, checksum: str | None) -> bool:
    """Whether what a store says of a part is said of this one."""
    if size != part.length:
        return False
    return checksum == part.sha256 if checksum else etag.strip('"') == part.etag


def _rest(
    client: S3Client,
    place: Place,
    name: str,
    cut: Cut,
    upload: str,
    there: Mapping[int, str],
    parallel: int,
    sent: Sent,
) -> dict[int, str]:
    """Send the parts that are not there; their ETags."""

    def one(part: Part) -> str:
        data = cut.read(part)
        with refusals(place, f"uploading part {part.number} of {len(cut.parts)} of {name} to {place}"):
            return client.upload_part(
                Bucket=place.bucket,
                Key=place.key(name),
                UploadId=upload,
                PartNumber=part.number,
                Body=data,
                ChecksumAlgorithm="SHA256",
                ChecksumSHA256=part.sha256,
            )["ETag"]

    etags: dict[int, str] = {}
    with ThreadPoolExecutor(parallel) as pool:
        futures = {pool.submit(one, part): part for part in cut.parts if part.number not in there}
        try:
            for future in as_completed(futures):
                part = futures[future]
                etags[part.number] = future.result()
                sent(part.length, False)
        except BaseException:
            # What is on its way arrives and counts next time; what has not begun does not begin.
            pool.shutdown(wait=True, cancel_futures=True)
            raise
    return etags
