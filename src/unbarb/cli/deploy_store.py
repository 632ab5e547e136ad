"""``unbarb deploy upload``, ``download`` and ``verify``: folders in an object store that speaks S3."""

from __future__ import annotations

import json as json_format
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import fields
from pathlib import Path
from time import monotonic
from typing import TYPE_CHECKING, Annotated, Any

import typer

from unbarb.cli.progress import Bytes
from unbarb.deploy.manifest import NAME, Manifest
from unbarb.deploy.progress import Count
from unbarb.errors import ConfigError
from unbarb.plugins import missing_extra

if TYPE_CHECKING:
    from types_boto3_s3 import S3Client

    from unbarb.deploy.s3.place import Place

DIFFERENT = 1
"""Exit code where what is there is not what the manifest says."""

STOPPED = 130
"""Exit code after Ctrl-C, as a shell has it: 128 and the signal's number."""

MIB = 1 << 20

Folder = Annotated[
    Path, typer.Argument(metavar="FOLDER", show_default=False, help="A folder on this machine.")
]
Address = Annotated[
    str, typer.Argument(metavar="S3://BUCKET/PREFIX", show_default=False, help="A folder in the store.")
]
AllowHttp = Annotated[
    bool, typer.Option("--allow-http", help="Take an endpoint without TLS that is not on this machine.")
]
Parallel = Annotated[int, typer.Option(min=1, max=64, help="Parts sent at once; as many are in memory.")]
AsJson = Annotated[bool, typer.Option("--json", help="Say what was done as one JSON object.")]


def register(group: typer.Typer) -> None:
    """Add the commands to `group`."""
    for command in (upload, download, verify):
        group.command(command.__name__)(command)


def upload(
    folder: Folder,
    to: Address,
    part_size: Annotated[
        int, typer.Option(min=5, max=5120, metavar="MIB", help="Size of a part; larger files have several.")
    ] = 16,
    parallel: Parallel = 4,
    keep_others: Annotated[
        bool, typer.Option("--keep-others", help="Let files stay there that are not in the folder.")
    ] = False,
    allow_http: AllowHttp = False,
    json: AsJson = False,
) -> None:
    """Upload a folder to an object store, verified; run again, it goes on where it was cut off.

    Each part is sent with its SHA-256, the store is asked what it has, and unbarb-manifest.json, which
    names every file with size and SHA-256, is written last: without it the folder is not whole. Hidden
    files stay here.

    Credentials come from the environment alone: AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or the role
    that a cluster gives a pod; the store is AWS's, or AWS_ENDPOINT_URL=https://HOST for another.

    Exit codes: 0 done, 2 it cannot be done, with what to do.
    """
    started = monotonic()
    with _store(to, allow_http, parallel) as (client, place), Bytes() as bar:
        from unbarb.deploy.s3.upload import upload as run

        done = run(
            client,
            folder,
            place,
            part=part_size * MIB,
            parallel=parallel,
            keep_others=keep_others,
            moved=bar.moved,
        )
    told = _told(done, started)
    if json:
        typer.echo(json_format.dumps(told))
        return
    typer.echo(f"{done.place}: {done.files} files, {done.bytes:,} bytes, each checked by its SHA-256")
    typer.echo(
        f"sent {done.sent_bytes:,} bytes in {told['seconds']:.1f} s; there before: {done.files_there} files"
        f" and {done.parts_there} parts of others"
    )
    if done.replaced:
        typer.echo("what was there before, complete, is replaced")
    typer.echo(f"manifest: {done.place}/{NAME}")


def download(
    source: Address,
    folder: Folder,
    allow_http: AllowHttp = False,
    json: AsJson = False,
) -> None:
    """Fetch a folder that `unbarb deploy upload` put there, and check every file by its SHA-256.

    Run again, it goes on where it was cut off. The manifest is written last. Exit codes: 0 done, 2 it
    cannot be done, with what to do.
    """
    started = monotonic()
    with _store(source, allow_http) as (client, place), Bytes() as bar:
        from unbarb.deploy.s3.download import download as run

        done = run(client, place, folder, moved=bar.moved)
    told = _told(done, started)
    if json:
        typer.echo(json_format.dumps(told))
        return
    typer.echo(f"{folder}: {done.files} files, {done.bytes:,} bytes, each checked by its SHA-256")
    typer.echo(
        f"fetched {done.fetched_bytes:,} bytes in {told['seconds']:.1f} s; there before:"
        f" {done.files_there} files"
    )


def verify(
    target: Annotated[
        str,
        typer.Argument(metavar="TARGET", show_default=False, help="s3://BUCKET/PREFIX, or a folder here."),
    ],
    quick: Annotated[
        bool, typer.Option("--quick", help="Ask the store for its checksums; read nothing.")
    ] = False,
    allow_http: AllowHttp = False,
    json: AsJson = False,
) -> None:
    """Check a folder, here or in an object store, against its manifest: every file, every byte.

    Files that the manifest does not name are told too. Exit codes: 0 as the manifest says, 1 it is not,
    2 it cannot be read.
    """
    if target.startswith("s3://"):
        manifest, problems = _checked_there(target, quick, allow_http)
    elif quick:
        raise ConfigError("--quick: a folder here keeps no checksums to ask for; leave it out")
    else:
        manifest, problems = _checked_here(Path(target))
    if json:
        said = {"target": target, "files": len(manifest.files), "bytes": manifest.bytes}
        typer.echo(json_format.dumps(said | {"ok": not problems, "problems": problems}))
    else:
        for line in problems:
            typer.echo(line)
        found = f"{len(problems)} differences" if problems else "all as the manifest says"
        typer.echo(f"{target}: {len(manifest.files)} files, {manifest.bytes:,} bytes: {found}")
    if problems:
        raise typer.Exit(DIFFERENT)


def _checked_there(target: str, quick: bool, allow_http: bool) -> tuple[Manifest, list[str]]:
    with _store(target, allow_http) as (client, place), Bytes() as bar:
        from unbarb.deploy.s3.check import check

        found = check(client, place, quick=quick, moved=bar.moved)
    return found.manifest, list(found.problems)


def _checked_here(folder: Path) -> tuple[Manifest, list[str]]:
    manifest = Manifest.read(folder)
    with Bytes() as bar:
        return manifest, manifest.differences(folder, Count(bar.moved, "verifying", manifest.bytes))


@contextmanager
def _store(address: str, allow_http: bool, parallel: int = 4) -> Iterator[tuple[S3Client, Place]]:
    """A client, and the place that `address` names.

    Raises:
        MissingExtra: boto3 is not installed.
    """
    try:
        from unbarb.deploy.s3.connect import connect
        from unbarb.deploy.s3.place import Place
    except ModuleNotFoundError as error:
        raise missing_extra("unbarb deploy with an object store", error) from error
    place = Place.parse(address)
    client = connect(allow_http=allow_http, parallel=parallel)
    try:
        yield client, place
    except KeyboardInterrupt:
        typer.echo("unbarb: stopped; run the same command again: it goes on from here", err=True)
        raise typer.Exit(STOPPED) from None
    finally:
        client.close()


def _told(done: Any, started: float) -> dict[str, Any]:
    """What was done, for a machine."""
    values = {one.name: getattr(done, one.name) for one in fields(done)}
    told = {name: value if isinstance(value, int) else str(value) for name, value in values.items()}
    return told | {"seconds": round(monotonic() - started, 3)}
