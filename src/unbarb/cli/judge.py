"""``unbarb evaluate judge``: how far the judges agree with people."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated, Literal

import typer
from rich.console import Console

from unbarb.cli.options import Download, Models, ReportJson
from unbarb.errors import ConfigError, MissingExtra


def judge(
    ratings: Annotated[
        Path,
        typer.Argument(
            metavar="RATINGS",
            help="A .jsonl, .csv or .tsv: system, source, output, reference, toxicity, content, fluency.",
        ),
    ],
    judges: Annotated[
        Path, typer.Option(metavar="DIR", help="Folder of the judges that `unbarb evaluate` trained.")
    ] = Path("evaluation/judges"),
    column: Annotated[
        list[str] | None,
        typer.Option(metavar="OURS=THEIRS", help="A column that is called otherwise; repeatable."),
    ] = None,
    scale: Annotated[
        tuple[float, float], typer.Option(metavar="LOW HIGH", help="The worst and the best grade.")
    ] = (0.0, 1.0),
    toxicity: Annotated[
        Literal["toxic", "clean"], typer.Option(help="What a high grade of toxicity means.")
    ] = "toxic",
    out: Annotated[
        Path, typer.Option(metavar="DIR", help="Folder for report.json and report.html.")
    ] = Path("agreement"),
    models: Models = None,
    download: Download = False,
    json: ReportJson = False,
) -> None:
    """Correlate the judges with human ratings, per item and per system.

    What comes out is kept beside the judges and stands in the footer of every later report of theirs.
    """
    try:
        from unbarb.evaluate.agreement import agreement, keep, suspicious
        from unbarb.evaluate.hub import Hub
        from unbarb.evaluate.judges import Judges
        from unbarb.evaluate.ratings import Reading, load_ratings
        from unbarb.evaluate.report import as_json, write_report
    except ModuleNotFoundError as error:
        if error.name is None or error.name.startswith("unbarb"):
            raise
        raise MissingExtra.for_feature("unbarb evaluate judge", error.name, "train") from error
    rated = load_ratings(ratings, Reading(_mapping(column or []), scale, toxicity))
    with Console(file=sys.stderr).status("loading the judges") as status:
        report = agreement(rated, Judges.load(judges), Hub(models, download), status.update)
        data_file, page_file = write_report(report, out)
        keep(report, judges)
    warning = suspicious(rated, report)
    if warning:
        typer.echo(f"unbarb: {warning}", err=True)
    if json:
        typer.echo(as_json(report), nl=False)
        return
    for table in report.tables[:2]:
        typer.echo(f"{table.name:<30}{'Pearson':>26}{'Spearman':>26}{'Kendall':>26}")
        for row in table.rows:
            cells = "".join(
                f"{_cell(row.figures[name]):>26}" for name in ("Pearson", "Spearman", "Kendall")
            )
            typer.echo(f"  {row.system:<28}{cells}")
    typer.echo(f"{report.agreement}\n{page_file} to read, {data_file} for machines")


def _cell(figure: object) -> str:
    value, low, high = (getattr(figure, name) for name in ("value", "low", "high"))
    return "–" if value is None else f"{value:.3f} ({low:.2f} … {high:.2f})"


def _mapping(columns: list[str]) -> dict[str, str]:
    found = {}
    for column in columns:
        ours, sign, theirs = column.partition("=")
        if not (sign and ours and theirs):
            raise ConfigError(f"--column {column}; give OURS=THEIRS, as --column content=meaning")
        found[ours] = theirs
    return found
