"""``unbarb report``: write report.html anew from report.json."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from unbarb.errors import MissingExtra


def register(app: typer.Typer) -> None:
    """Add the command to `app`."""
    app.command("report")(report)


def report(
    folder: Annotated[Path, typer.Argument(metavar="DIR", help="Folder with report.json, or that file.")],
    out: Annotated[
        Path | None,
        typer.Option(
            metavar="DIR", show_default=False, help="Where report.html goes. Default: the same folder."
        ),
    ] = None,
) -> None:
    """Write report.html anew from a report.json of evaluate or compare; nothing is measured."""
    try:
        from unbarb.evaluate.page import page
        from unbarb.evaluate.report import read_report
    except ModuleNotFoundError as error:
        if error.name is None or error.name.startswith("unbarb"):
            raise
        raise MissingExtra.for_feature("unbarb report", error.name, "train") from error
    html = page(read_report(folder))
    target = out or (folder if folder.is_dir() else folder.parent)
    target.mkdir(parents=True, exist_ok=True)
    path = target / "report.html"
    path.write_text(html, encoding="utf-8")
    typer.echo(str(path))
