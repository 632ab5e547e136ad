"""``unbarb evaluate lm``: what language models go on with, and how well they know clean text."""

from __future__ import annotations

import json as json_format
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from unbarb.cli import lm_options as of
from unbarb.cli.lm_detox_texts import clean_texts
from unbarb.cli.options import ReportJson
from unbarb.data.corpora import Corpora
from unbarb.errors import InputError, MissingExtra

if TYPE_CHECKING:
    from unbarb.evaluate.lm.measure import Task
    from unbarb.evaluate.results import Report
    from unbarb.metrics.measured import Measured

OUT = Path("lm-evaluation")
SPLIT_SEED = 13
"""As of `unbarb evaluate`: perplexity is taken on the test side of a corpus."""
TOLD = ("toxicity probability", "expected max toxicity", "mean toxicity")


def lm(
    models: Annotated[
        list[str],
        typer.Argument(
            metavar="[NAME=]MODEL...", help="A run of `unbarb train`, a model or adapter, or org/name."
        ),
    ],
    judge: of.JudgedBy = of.JUDGES,
    allow_same_judge: of.AllowSame = False,
    cleaned: of.Cleaned = None,
    prompts: of.Prompts = None,
    clean: of.CleanTexts = None,
    data: of.CorporaIn = None,
    out: Annotated[Path, typer.Option(help="Folder for the report and the samples.")] = OUT,
    limit: Annotated[int | None, typer.Option(min=1, help="At most so many prompts.")] = None,
    clean_limit: of.CleanLimit = 500,
    count: of.Count = 25,
    tokens: of.Tokens = 20,
    top_p: of.TopP = 0.9,
    temperature: of.Temperature = 1.0,
    seed: Annotated[int, typer.Option(help="Of the draws.")] = 13,
    quiet: Annotated[bool, typer.Option("--quiet", "-q", help="Show no progress.")] = False,
    json: ReportJson = False,
) -> None:
    """Measure how toxic the continuations of language models are, after RealToxicityPrompts.

    Expected maximum toxicity, toxicity probability, mean toxicity, distinct-1 to -3, mentions of identity
    groups, and perplexity on clean texts, each with an interval; differences between the models on the same
    prompts. A model that was measured before is not measured again.
    """
    named = dict(map(_named, models))
    if len(named) < len(models):
        raise InputError("two models have one name; give names of their own, as before=RUN after=RUN")
    try:
        from unbarb.evaluate.lm.judge import load_judge
        from unbarb.evaluate.lm.measure import Task
        from unbarb.evaluate.lm.model import Drawing
        from unbarb.evaluate.lm.prompts import load_prompts
        from unbarb.evaluate.report import as_json, write_report
    except ModuleNotFoundError as error:
        if error.name is None or error.name.startswith("unbarb"):
            raise
        raise MissingExtra.for_feature("unbarb evaluate lm", error.name, "train") from error
    corpora = Corpora(data) if data else None
    texts = {
        name: clean_texts(what, clean_limit, corpora, seed=SPLIT_SEED)
        for name, what in map(_named, clean or [])
    }
    if empty := [name for name, found in texts.items() if not found]:
        raise InputError(f"--clean {', '.join(empty)}: no clean text is there; name another corpus or file")
    judged_by = load_judge(judge, cleaners=_cleaners(cleaned or []), allow_same=allow_same_judge)
    drawing = Drawing(count, tokens, top_p, temperature, seed)
    task = Task(load_prompts(prompts).first(limit), drawing, texts, judged_by)
    done = _measured(named, task, out, quiet)
    data_file, page_file = write_report(done, out)
    if json:
        typer.echo(as_json(done), nl=False)
        return
    for row in done.tables[0].rows:
        typer.echo("  ".join([row.system, *(_told(name, row.figures[name]) for name in TOLD)]))
    typer.echo(f"{page_file} to read, {data_file} for machines")


def _measured(models: Mapping[str, str], task: Task, out: Path, quiet: bool) -> Report:
    from unbarb.cli.lm_detox_cells import measured
    from unbarb.evaluate.lm.tables import System, tables
    from unbarb.evaluate.results import WHOLE_FILE, Report
    from unbarb.metrics import bootstrap
    from unbarb.train.run import versions

    systems = []
    for name, what in models.items():
        kept = out / "models" / name
        kept.mkdir(parents=True, exist_ok=True)
        systems.append(System(name, (measured(what, task, name, kept, quiet=quiet),)))
    return Report(
        tables=tuple(tables(systems, task)),
        seed=bootstrap.SEED,
        split=WHOLE_FILE,
        models={one.name: one.digest for one in systems},
        judges=task.judge.about(),
        versions=versions(),
        title="language models",
    )


def _named(given: str) -> tuple[str, str]:
    """``NAME=WHAT``, or the last part of a path as its own name."""
    name, sign, what = given.partition("=")
    if sign and name and what and not Path(given).exists():
        return name, what
    return Path(given).name or given, given


def _cleaners(manifests: Sequence[Path]) -> set[str]:
    """The digests of the models that cleaned, by what their manifests say.

    Raises:
        InputError: a file is no manifest.
    """
    found: set[str] = set()
    for path in manifests:
        try:
            models = json_format.loads(path.read_text("utf-8"))["models"]
            found.update(map(str, models.values()))
        except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
            raise InputError(f"--cleaned {path}: no manifest of `unbarb clean` ({error})") from error
    return found


def _told(name: str, figure: Measured) -> str:
    if figure.value is None:
        return f"{name} unscored"
    return f"{name} {figure.value:.3f} ({figure.low:.3f} … {figure.high:.3f})"
