"""``unbarb clean``: clean a whole corpus, in shards that survive a kill."""

from __future__ import annotations

import sys
from enum import StrEnum
from time import perf_counter
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from unbarb.cli.job import CLEAN, INTERRUPTED, UNREADABLE
from unbarb.cli.options import DirectionOf, PolicyName
from unbarb.cli.rates import Rates
from unbarb.errors import InputError

if TYPE_CHECKING:
    from unbarb.corpus import Manifest

CorpusFormat = StrEnum("CorpusFormat", ["jsonl", "parquet", "csv", "tsv", "text"])
SIZES = {"K": 1 << 10, "M": 1 << 20, "G": 1 << 30}


def register(app: typer.Typer) -> None:
    """Add the command to `app`."""
    app.command("clean", short_help="Clean a corpus: rewrite, drop or flag, and list every change.")(clean)


def clean(
    source: Annotated[
        list[str],
        typer.Argument(
            metavar="IN... OUT",
            help="Files, folders or globs (quote them), here or at s3://bucket/key; the last is OUT.",
        ),
    ],
    column: Annotated[
        list[str] | None,
        typer.Option(
            "--column",
            "-c",
            metavar="NAME",
            help="Column with the texts, nested as a.b; repeat for pairs. Default: text.",
        ),
    ] = None,
    roles: Annotated[
        list[str] | None,
        typer.Option(
            metavar="ROLE", help="Of chat messages clean only this role; repeatable. Default: all."
        ),
    ] = None,
    id_column: Annotated[
        str | None,
        typer.Option(metavar="NAME", help="Column whose value names a row in the lists. Default: id."),
    ] = None,
    policy: PolicyName = "default",
    filter: Annotated[
        bool, typer.Option("--filter", help="Drop the rows that would be rewritten; change nothing.")
    ] = False,
    direction: DirectionOf = "none",
    format: Annotated[
        CorpusFormat | None,
        typer.Option(help="Format of files whose names do not tell it.", show_default=False),
    ] = None,
    engine: Annotated[
        Literal["local", "ray"],
        typer.Option(help="Who does the work: processes of this machine, or a Ray cluster."),
    ] = "local",
    workers: Annotated[
        int | None, typer.Option(min=1, metavar="N", help="How many work side by side. Default: all cores.")
    ] = None,
    shard_size: Annotated[
        str | None,
        typer.Option(metavar="SIZE", help="Bytes of a shard, as 16M. Default: 4M to 256M, by the input."),
    ] = None,
    resume: Annotated[
        bool, typer.Option("--resume/--no-resume", help="Go on with what a stopped run left in OUT.")
    ] = True,
    overwrite: Annotated[
        bool, typer.Option("--overwrite", help="Remove what another run wrote to OUT.")
    ] = False,
    json: Annotated[bool, typer.Option("--json", help="Print the manifest to standard output.")] = False,
    quiet: Annotated[bool, typer.Option("--quiet", "-q", help="Print no totals and no progress.")] = False,
) -> None:
    """Write the corpus IN cleaned to the folder OUT, with a list of every change.

    Reads .jsonl, .csv, .tsv and .txt, each also with .gz, .bz2, .xz or .zst, and .parquet. OUT gets data/
    (the same files, cleaned), changes/, dropped/, flagged/, unread/, manifest.json and report.html. Clean
    rows keep every byte. A run that was stopped goes on where it was when the same command is given again.

    unbarb clean comments.jsonl cleaned

    unbarb clean 'chats/*.parquet' cleaned --column messages --roles assistant

    unbarb clean s3://raw/2024 s3://clean/2024 --column prompt --column response --filter

    Exit codes: 0 done, 2 wrong use, 3 some rows could not be read (they are in unread/).
    """
    if len(source) < 2:
        raise InputError("give IN and OUT: unbarb clean comments.jsonl cleaned")
    *given, out = source
    from unbarb.corpus import clean as run

    began = perf_counter()
    try:
        with Rates(watched=sys.stderr.isatty() and not quiet) as rates:
            manifest = run(
                given,
                out,
                policy=policy,
                columns=column,
                roles=roles,
                id_column=id_column,
                filter=filter,
                direction=direction,
                format=format,
                engine=engine,
                workers=workers,
                shard_bytes=None if shard_size is None else _bytes(shard_size),
                resume=resume,
                overwrite=overwrite,
                progress=None if quiet else lambda now: rates.moved(now.rows, now.share),
            )
    except KeyboardInterrupt:
        print("unbarb: stopped; the same command goes on from here", file=sys.stderr)
        raise typer.Exit(INTERRUPTED) from None
    if json:
        sys.stdout.buffer.write(manifest.to_bytes())
    elif not quiet:
        typer.echo("\n".join(_told(manifest, out, perf_counter() - began)))
    raise typer.Exit(UNREADABLE if manifest.counts["unread"] else CLEAN)


def _bytes(size: str) -> int:
    """``16M`` in bytes.

    Raises:
        InputError: it is no size.
    """
    number, unit = size.strip().upper().removesuffix("B"), 1
    if number[-1:] in SIZES:
        number, unit = number[:-1], SIZES[number[-1]]
    if not number.isdecimal() or int(number) == 0:
        raise InputError(f"--shard-size {size!r} is no size; write it as 16M: a whole number and K, M or G")
    return int(number) * unit


def _told(manifest: Manifest, out: str, seconds: float) -> list[str]:
    """The totals in words."""
    counts = manifest.counts
    rate = f", {counts['rows'] / seconds:,.0f} rows/s" if seconds > 0 else ""
    lines = [
        f"{counts['rows']:,} rows in {seconds:,.1f} s{rate}: {counts['kept']:,} kept"
        f" ({counts['changed']:,} changed, {counts['flagged']:,} flagged), {counts['dropped']:,} dropped"
    ]
    if counts["unread"]:
        lines.append(f"{counts['unread']:,} rows could not be read; they are in {out}/unread")
    if manifest.passed_over:
        names = ", ".join(manifest.passed_over[:3])
        lines.append(f"passed over {len(manifest.passed_over):,} files of no known format: {names}")
    return [*lines, f"cleaned files in {out}/data, every change in {out}/changes; see {out}/report.html"]
