"""``unbarb compare``: any systems side by side on the same texts, in one report."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated, Self

import typer
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from unbarb.cli.options import Download, Models, ReportJson
from unbarb.errors import MissingExtra


def register(app: typer.Typer) -> None:
    """Add the command to `app`."""
    app.command("compare")(compare)


def compare(
    systems: Annotated[
        list[str],
        typer.Argument(
            metavar="[NAME=]SYSTEM...",
            help="JSONL with id and output (or scores), a folder of `unbarb train`, or a policy.",
        ),
    ],
    data: Annotated[
        Path,
        typer.Option(
            metavar="PATH",
            help="A prepared set, or a .jsonl, .csv or .tsv of source and target, or text and labels.",
        ),
    ],
    out: Annotated[
        Path, typer.Option(metavar="DIR", help="Folder for report.json and report.html.")
    ] = Path("comparison"),
    split: Annotated[
        str | None,
        typer.Option(
            show_default=False,
            help=(
                "Side of a prepared set, as test; the saved model of a run answers all of it, once."
                " Default: dev when a run is among the systems, else test."
            ),
        ),
    ] = None,
    limit: Annotated[int | None, typer.Option(min=1, help="The first so many texts.")] = None,
    judges: Annotated[
        Path, typer.Option(metavar="DIR", help="Folder of the judges that `unbarb evaluate` trained.")
    ] = Path("evaluation/judges"),
    models: Models = None,
    download: Download = False,
    json: ReportJson = False,
) -> None:
    """Compare rewriters or classifiers: all figures, intervals, significance, costs of training, examples.

    Copy, delete listed words and human references (for classifiers: always clean) stand beside them.
    """
    try:
        from unbarb.evaluate.compare.answers import Answering
        from unbarb.evaluate.compare.run import Comparison
        from unbarb.evaluate.compare.run import compare as compared
        from unbarb.evaluate.hub import Hub
        from unbarb.evaluate.report import as_json, write_report
        from unbarb.train.ask import ask
    except ModuleNotFoundError as error:
        if error.name is None or error.name.startswith("unbarb"):
            raise
        raise MissingExtra.for_feature("unbarb compare", error.name, "train") from error
    asked = Comparison(
        systems=systems,
        data=data,
        side=split,
        limit=limit,
        judges=judges,
        hub=Hub(models, download),
    )
    with _Told() as told:
        report = compared(asked, told.said, Answering(ask, told.moved))
        data_file, page_file = write_report(report, out)
    if json:
        typer.echo(as_json(report), nl=False)
    else:
        typer.echo(f"{len(report.tables)} tables: {page_file} to read, {data_file} for machines")


class _Told:
    """What is being done, on standard error; a bar and the time left while a model answers rows."""

    def __init__(self) -> None:
        self._bar = Progress(
            TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn(),
            console=Console(file=sys.stderr), transient=True,
        )  # fmt: skip
        self._task = self._bar.add_task("reading", total=None)

    def said(self, line: str) -> None:
        """Something whose end is not known has begun."""
        self._bar.reset(self._task, total=None, description=line)

    def moved(self, name: str, rows: int, total: int | None) -> None:
        """The model of `name` has answered so many rows."""
        self._bar.update(self._task, description=f"{name} answers", completed=rows, total=total)

    def __enter__(self) -> Self:
        self._bar.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._bar.stop()
