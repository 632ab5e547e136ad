"""``unbarb data stats``: what a prepared set looks like, beside what it was made from."""

from __future__ import annotations

import json as json_format
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from unbarb.cli.progress import Steps
from unbarb.errors import InputError, MissingExtra

if TYPE_CHECKING:
    from unbarb.data.distributions import Tally
    from unbarb.data.prepared import Prepared


def register(group: typer.Typer) -> None:
    """Add the command to the group ``data``."""
    group.command("stats")(stats)


def stats(
    folder: Annotated[Path, typer.Argument(metavar="FOLDER", help="A prepared set.")],
    before: Annotated[
        Path | None,
        typer.Option(
            metavar="FOLDER|FILE", show_default=False,
            help="What to compare with: another prepared set, or a table as `prepare --input` takes."
            " Default: the rows that the set was made from, as its manifest counted them.",
        ),
    ] = None,
    column: Annotated[
        list[str] | None,
        typer.Option(metavar="PART=COLUMN", show_default=False, help="Columns of a --before table."),
    ] = None,
    out: Annotated[
        Path | None,
        typer.Option("--out", "-o", metavar="FOLDER", show_default=False, help="Default: FOLDER-stats."),
    ] = None,
    json: Annotated[bool, typer.Option("--json", help="Print the counts, and write nothing.")] = False,
) -> None:  # fmt: skip
    """Draw labels, lengths, toxicity and sources of a set, before and after: PNGs and one HTML page.

    unbarb data stats pairs

    unbarb data stats six --before mine.csv --column text=comment --column label:toxicity=toxic

    Exit codes: 0 done, 2 no prepared set, or --before cannot be compared with it.
    """
    from unbarb.data.distributions import Tally
    from unbarb.data.prepared import SPLITS, Prepared

    with Steps() as steps:
        prepared = Prepared.load(folder)
        tallies = {}
        if earlier := _before(prepared, before, column or ()):
            tallies["before"] = earlier
        for split in SPLITS:
            tallies[split] = Tally(prepared.kind)
            for number, row in enumerate(prepared.rows(split), 1):
                tallies[split].add(row)
                steps.moved(f"counting {split}", number, prepared.manifest["rows"][split])
    if not any(tally.rows for tally in tallies.values()):
        raise InputError(f"{folder} has no rows; there is nothing to draw")
    if json:
        told = {name: tally.to_dict() for name, tally in tallies.items()}
        typer.echo(json_format.dumps({"digest": prepared.digest, **told}, ensure_ascii=False))
        return
    try:
        from unbarb.evaluate.data_page import write_page
    except ModuleNotFoundError as error:
        if error.name is None or error.name.startswith("unbarb"):
            raise
        raise MissingExtra.for_feature("unbarb data stats", error.name, "train") from error
    for name, tally in tallies.items():
        shares = ", ".join(f"{label} {share:.3f}" for label, share in tally.shares().items())
        typer.echo(f"{name}: {tally.rows:,} rows" + (f"; {shares}" if shares else ""))
    page, *plots = write_page(out or folder.with_name(f"{folder.name}-stats"), prepared, tallies)
    typer.echo(f"{page} to look at; {', '.join(plot.name for plot in plots)} beside it")


def _before(prepared: Prepared, before: Path | None, columns: list[str] | tuple[str, ...]) -> Tally | None:
    from unbarb.data.distributions import Tally
    from unbarb.data.prepared import MANIFEST, SPLITS, Prepared
    from unbarb.data.sources import from_path

    if before is None:
        counted = prepared.manifest.get("before")
        return Tally.from_dict(counted) if counted else None
    if (before / MANIFEST).is_file():
        other = Prepared.load(before)
        kind, rows = other.kind, (row for split in SPLITS for row in other.rows(split))
    else:
        source = from_path(before, columns)
        kind, rows = source.kind, (row for row in source.rows() if isinstance(row, dict))
    if kind != prepared.kind:
        raise InputError(f"{before} has {kind}, {prepared.folder} {prepared.kind}; they cannot be compared")
    return Tally.of(kind, rows)
