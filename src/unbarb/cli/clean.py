"""``unbarb clean``: clean a whole corpus, in shards that survive a kill."""

from __future__ import annotations

import sys
from enum import StrEnum
from time import perf_counter
from typing import TYPE_CHECKING, Annotated, Any, Literal

import typer

from unbarb.cli.job import CLEAN, INTERRUPTED, UNREADABLE
from unbarb.cli.options import DirectionOf, PolicyName
from unbarb.cli.rates import Rates
from unbarb.errors import InputError

if TYPE_CHECKING:
    from unbarb.corpus import Manifest

CorpusFormat = StrEnum("CorpusFormat", ["jsonl", "parquet", "csv", "tsv", "text"])
SIZES = {"K": 1 << 10, "M": 1 << 20, "G": 1 << 30}


Places = Annotated[
    list[str],
    typer.Argument(
        metavar="IN... OUT",
        help="Files, folders or globs (quote them), here or at s3://bucket/key; the last is OUT.",
    ),
]
Columns = Annotated[
    list[str] | None,
    typer.Option(
        "--column", "-c", metavar="NAME", show_default=False,
        help="Column with the texts, nested as a.b; repeat it for several. Default: text.",
    ),
]  # fmt: skip
Roles = Annotated[
    list[str] | None,
    typer.Option(
        "--role", "--roles", metavar="ROLE", show_default=False,
        help="Of chat messages clean only those of this role; repeat it for several. Default: all.",
    ),
]  # fmt: skip
IdColumn = Annotated[
    str | None,
    typer.Option(
        metavar="NAME", show_default=False,
        help="Column whose value names a row in the lists. Default: id, where there is one.",
    ),
]  # fmt: skip
Filter = Annotated[
    bool, typer.Option("--filter", help="Drop the rows that would be rewritten; change nothing.")
]
FormatOf = Annotated[
    CorpusFormat | None,
    typer.Option(help="Format of files whose names do not tell it.", show_default=False),
]
EngineOf = Annotated[
    Literal["local", "ray"], typer.Option(help="Who does the work: this machine's cores, or a Ray cluster.")
]
Workers = Annotated[
    int | None,
    typer.Option(
        min=1, metavar="N", show_default=False,
        help="How many work side by side. Default: as many as there are cores.",
    ),
]  # fmt: skip
RayAddress = Annotated[
    str | None,
    typer.Option(
        metavar="HOST:PORT", show_default=False,
        help="With --engine ray, the cluster. Default: RAY_ADDRESS, or one that is started here.",
    ),
]  # fmt: skip
ShardSize = Annotated[
    str | None,
    typer.Option(
        metavar="SIZE", show_default=False,
        help="Bytes of a shard, as 16M. Default: from 4M to 256M, by the size of the input.",
    ),
]  # fmt: skip
Resume = Annotated[
    bool, typer.Option("--resume/--no-resume", help="Go on with what a stopped run left in OUT.")
]
Overwrite = Annotated[bool, typer.Option("--overwrite", help="Remove what another run wrote to OUT.")]
AsJson = Annotated[bool, typer.Option("--json", help="Print the manifest to standard output.")]
Quiet = Annotated[bool, typer.Option("--quiet", "-q", help="Print no totals and no progress.")]


def register(app: typer.Typer) -> None:
    """Add the command to `app`."""
    app.command("clean", short_help="Clean a corpus: rewrite, drop or flag, and list every change.")(clean)


def clean(
    source: Places,
    column: Columns = None,
    roles: Roles = None,
    id_column: IdColumn = None,
    policy: PolicyName = "default",
    filter: Filter = False,
    direction: DirectionOf = "none",
    format: FormatOf = None,
    engine: EngineOf = "local",
    workers: Workers = None,
    ray_address: RayAddress = None,
    shard_size: ShardSize = None,
    resume: Resume = True,
    overwrite: Overwrite = False,
    json: AsJson = False,
    quiet: Quiet = False,
) -> None:
    """Write the corpus IN cleaned to the folder OUT, with a list of every change.

    Reads .jsonl, .csv, .tsv and .txt, each also with .gz, .bz2, .xz or .zst, and .parquet. OUT gets data/
    (the same files, cleaned), changes/, dropped/, flagged/, unread/, manifest.json and report.html. Clean
    rows keep every byte. A run that was stopped goes on where it was when the same command is given again.

    unbarb clean comments.jsonl cleaned

    unbarb clean 'chats/*.parquet' cleaned --column messages --role assistant

    unbarb clean s3://raw/2024 s3://clean/2024 --column prompt --column response --filter

    Exit codes: 0 done, 2 wrong use, 3 some rows could not be read (they are in unread/).
    """
    if len(source) < 2:
        raise InputError("give IN and OUT: unbarb clean comments.jsonl cleaned")
    *given, out = source
    options = {
        "policy": policy,
        "columns": column,
        "roles": roles,
        "id_column": id_column,
        "filter": filter,
        "direction": direction,
        "format": format,
        "engine": engine,
        "workers": workers,
        "ray_address": ray_address,
        "shard_bytes": None if shard_size is None else _bytes(shard_size),
        "resume": resume,
        "overwrite": overwrite,
    }
    began = perf_counter()
    try:
        manifest = _run(given, out, options, quiet)
    except KeyboardInterrupt:
        print("unbarb: stopped; the same command goes on from here", file=sys.stderr)
        raise typer.Exit(INTERRUPTED) from None
    if json:
        sys.stdout.buffer.write(manifest.to_bytes())
        sys.stdout.buffer.flush()
    elif not quiet:
        typer.echo("\n".join(_told(manifest, out, perf_counter() - began)))
    raise typer.Exit(UNREADABLE if manifest.counts["unread"] else CLEAN)


def _run(given: list[str], out: str, options: dict[str, Any], quiet: bool) -> Manifest:
    from unbarb.corpus import clean as run

    if quiet:
        return run(given, out, **options)
    with Rates(watched=sys.stderr.isatty()) as rates:
        return run(given, out, **options, progress=lambda now: rates.moved(now.rows, now.share))


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
    rows = f"{counts['rows']:,} row{'' if counts['rows'] == 1 else 's'}"
    parts = [f"{counts['kept']:,} kept ({counts['changed']:,} changed, {counts['flagged']:,} flagged)"]
    parts.append(f"{counts['dropped']:,} dropped")
    if counts["unread"]:
        parts.append(f"{counts['unread']:,} could not be read")
    lines = [f"{rows} in {seconds:,.1f} s: {', '.join(parts)}"]
    if manifest.passed_over:
        names = ", ".join(manifest.passed_over[:3]) + (" …" if len(manifest.passed_over) > 3 else "")
        lines.append(f"passed over, of no known format: {names}")
    lists = "".join(f"{name}/, " for name, files in manifest.lists.items() if files)
    return [*lines, f"cleaned files are in {out}/data; beside them {lists}manifest.json and report.html"]
