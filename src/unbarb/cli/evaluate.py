"""``unbarb evaluate``: measure a guard on held-out texts, by judges trained apart."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from unbarb.cli.evaluate_lm import lm
from unbarb.cli.judge import judge
from unbarb.data.corpora import Corpora
from unbarb.errors import MissingExtra

SUITES = ("detection", "labels", "spans", "behaviours", "obfuscation", "rewriting", "verify", "gate")


def register(app: typer.Typer) -> None:
    """Add the command to `app`."""
    group = typer.Typer(invoke_without_command=True)
    group.callback()(evaluate)
    group.command("judge")(judge)
    group.command("lm")(lm)
    app.add_typer(group, name="evaluate")


def evaluate(
    context: typer.Context,
    suite: Annotated[
        list[str] | None, typer.Option(help=f"One of {', '.join(SUITES)}; repeatable. Default: all.")
    ] = None,
    out: Annotated[Path, typer.Option(help="Folder for report.json and report.html.")] = Path("evaluation"),
    data: Annotated[
        Path | None, typer.Option(help="Folder with the corpora. Default: the variable UNBARB_DATA.")
    ] = None,
    lists: Annotated[
        Path | None,
        typer.Option(
            help="Folder with obfuscated.txt, lookalikes.txt or contrasts.jsonl in place of the package's."
        ),
    ] = None,
    judges: Annotated[
        Path | None, typer.Option(help="Folder where trained judges are kept. Default: judges/ in --out.")
    ] = None,
    policy: Annotated[str, typer.Option(help="Preset or policy file.")] = "default",
    card: Annotated[
        Path | None, typer.Option(help="Folder of the measured model: its card takes the figures.")
    ] = None,
    split: Annotated[str, typer.Option(help="Held-out side: test or dev.")] = "test",
    limit: Annotated[int | None, typer.Option(min=1, help="At most so many texts of a corpus.")] = None,
    threads: Annotated[int, typer.Option(min=1, help="Threads to train judges on.")] = 1,
    json: Annotated[bool, typer.Option("--json", help="Print report.json to standard output.")] = False,
) -> None:
    """Measure detection, rewriting and verification on held-out texts; write a report.

    Judges of rewrites are trained on the first run, in about a quarter of an hour on one thread, and kept.
    `unbarb evaluate judge RATINGS` says how far they agree with people; `unbarb evaluate lm MODEL` measures
    language models.
    """
    if context.invoked_subcommand is not None:
        return
    corpora = Corpora(data) if data else Corpora.from_environment()
    try:
        from unbarb.evaluate.lists import Lists
        from unbarb.evaluate.material import Material
        from unbarb.evaluate.of_guard import systems_of
        from unbarb.evaluate.report import as_json, write_report
        from unbarb.evaluate.run import Bench, run
    except ModuleNotFoundError as error:
        if error.name is None or error.name.startswith("unbarb"):
            raise
        raise MissingExtra.for_feature("unbarb evaluate", error.name, "train") from error
    from unbarb.guard import Guard

    material = Material(corpora, side=split, limit=limit)
    shipped = Lists.of_package(material.side)
    with Console(file=sys.stderr).status("loading the guard") as status:
        bench = Bench(
            systems=systems_of(Guard(policy=policy), status.update),
            material=material,
            lists=shipped.replaced(lists) if lists else shipped,
            home=judges or out / "judges",
            threads=threads,
            progress=status.update,
        )
        report = run(bench, suite or ())
        data_file, page_file = write_report(report, out)
    if card is not None:
        from unbarb.export.card import add_figures

        add_figures(data_file, card)
    if json:
        typer.echo(as_json(report), nl=False)
    else:
        typer.echo(f"{len(report.tables)} tables: {page_file} to read, {data_file} for machines")
