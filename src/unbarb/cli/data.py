"""``unbarb data``: which corpora there are, fetching those on the hub, and what is made of them."""

from __future__ import annotations

import json as json_format
import os
import sys
from collections.abc import Iterator, Mapping
from importlib import import_module
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console

from unbarb.data.catalogue import Entry, entry
from unbarb.data.corpora import FILES, TABLES, VARIABLE, Corpora
from unbarb.data.hub import HUB
from unbarb.data.hub import fetch as fetch_corpus
from unbarb.errors import ConfigError, InputError

PARTS = ("unbarb.cli.data_prepare", "unbarb.cli.preview", "unbarb.cli.data_stats")
"""The commands of the group that have files of their own; each has ``register(group)``."""

DAMAGED = 3
"""Exit code of ``list``: as for rows, what is there cannot all be read."""

LEFT_OUT = {
    "unchanged": "rewrites equal to their source",
    "duplicate": "duplicate pairs",
    "no_neutral": "sentences without a rewrite",
}
"""What the reasons of `Counts.dropped` mean."""

Folder = Annotated[
    Path | None,
    typer.Option(
        "--data", metavar="FOLDER", help=f"Folder with the corpora. Default: the variable {VARIABLE}."
    ),
]


def register(app: typer.Typer) -> None:
    """Add the group of commands to `app`."""
    group = typer.Typer(no_args_is_help=True, rich_markup_mode=None, help="Find corpora, prepare sets.")
    group.command("list")(list_)
    group.command("fetch")(fetch)
    for part in PARTS:
        import_module(part).register(group)
    app.add_typer(group, name="data")


def list_(
    data: Folder = None,
    json: Annotated[bool, typer.Option("--json", help="One corpus a line, as JSON.")] = False,
) -> None:
    """List the known corpora; count what those in the folder hold.

    Exit codes: 0 done, 2 the folder holds none of them, 3 one that
    is there cannot be read.
    """
    corpora = _corpora(data)
    found = []
    for name in (*FILES, *TABLES):
        with Console(file=sys.stderr).status(f"reading {name}"):
            one = entry(name, corpora)
        found.append(one)
        typer.echo(json_format.dumps(one.to_dict(), ensure_ascii=False) if json else "\n".join(_told(one)))
        if one.problem:
            print(f"unbarb: {name}: {one.problem}", file=sys.stderr)
    if corpora is None:
        print(f"unbarb: name a folder by --data or {VARIABLE} to see what it holds", file=sys.stderr)
    elif all(one.missing for one in found):
        raise InputError(
            f"{corpora.folder} holds no corpus under the names above;"
            f" `unbarb data fetch NAME` gets {', '.join(HUB)}, docs/data.md says where the others are"
        )
    if any(one.problem for one in found):
        raise typer.Exit(DAMAGED)


def fetch(
    names: Annotated[list[str], typer.Argument(metavar="NAME...", help=f"Of {', '.join(HUB)}.")],
    data: Folder = None,
    mirror: Annotated[
        str | None,
        typer.Option("--from", metavar="REPOSITORY", help="A mirror, or a local folder of the hub's kind."),
    ] = None,
    json: Annotated[bool, typer.Option("--json", help="One file a line, as JSON.")] = False,
) -> None:
    """Fetch corpora from the Hugging Face hub into the folder.

    Files that are there already are left alone. Only train rows are fetched, never a test set. Needs the
    package datasets.

    Exit codes: 0 done, 2 a name that is not on the hub, or the hub did not give it.
    """
    unknown = [name for name in names if name not in HUB]
    if unknown:
        where = "docs/data.md says where it is" if unknown[0] in FILES else "no corpus has that name"
        raise ConfigError(f"{unknown[0]!r} cannot be fetched ({where}); the hub has {', '.join(HUB)}")
    if mirror is not None and len(names) > 1:
        raise ConfigError(f"--from {mirror} is one corpus; fetch {', '.join(names)} one by one")
    folder = data or Path(os.environ.get(VARIABLE, ""))
    if folder == Path():
        raise ConfigError(f"no folder to write to: give --data FOLDER or set {VARIABLE}")
    folder.mkdir(parents=True, exist_ok=True)
    for name in names:
        before = Corpora(folder).missing(name)
        path = fetch_corpus(name, folder, mirror)
        if json:
            row = {"name": name, "file": str(path), "fetched": bool(before)}
            typer.echo(json_format.dumps(row, ensure_ascii=False))
        else:
            typer.echo(f"{name}: {path}" + ("" if before else " was there already"))


def _corpora(data: Path | None) -> Corpora | None:
    """The folder to look into; None when nobody named one."""
    if data is None:
        return Corpora.from_environment() if os.environ.get(VARIABLE) else None
    if not data.is_dir():
        raise InputError(f"no folder {data}; --data names the folder that holds the corpora")
    return Corpora(data)


def _told(one: Entry) -> Iterator[str]:
    """Name, size and licence; then what is known of the labels; then files and where they come from."""
    corpus = one.to_dict()
    here = "incomplete" if len(one.missing) < len(one.files) else "not here"
    size = holds(corpus) if one.counts else "cannot be read" if one.problem else here
    if one.kind == "table" and not one.missing:
        size = "is here; `unbarb data prepare --input` reads it"
    yield f"{one.name}  {size}  {one.origin.licence}"
    if one.counts and one.counts.labels:
        yield f"  {labels(corpus)}"
    told = "missing: " if here == "incomplete" and one.missing else ""
    yield "  " + told + ", ".join((told and one.missing) or one.files)
    yield f"  {one.origin.url}" + (f"; `unbarb data fetch {one.name}`" if one.hub and one.missing else "")


def holds(corpus: Mapping[str, Any]) -> str:
    """How much a counted corpus (a row of ``list --json``) holds, and what its reader left out."""
    counts = corpus["counts"]
    parts = [f"{counts['rows']:,} {corpus['kind']}"]
    if counts["rewrites"]:
        parts.append(f"{counts['rewrites']:,} rewrites")
    if corpus["kind"] == "texts" and counts["labelled"] < counts["rows"]:
        parts.append(f"{counts['labelled']:,} with a label")
    if counts["marked"]:
        parts.append(f"{counts['marked']:,} with spans")
    dropped = ", ".join(f"{n:,} {LEFT_OUT[reason]}" for reason, n in counts["dropped"].items())
    return ", ".join(parts) + (f" (left out: {dropped})" if dropped else "")


def labels(corpus: Mapping[str, Any]) -> str:
    """The mean of each known label of a counted corpus, and of how many rows where that is not all."""
    counts = corpus["counts"]
    return ", ".join(
        f"{label} {known['mean']:.3f}" + (f" of {known['n']:,}" if known["n"] < counts["rows"] else "")
        for label, known in counts["labels"].items()
    )
