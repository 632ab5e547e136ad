"""``unbarb lm-detox``: is a language model less toxic when what it learns from was rewritten?"""

from __future__ import annotations

import os
import sys
import warnings
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from unbarb.cli import lm_options as of
from unbarb.cli.options import ReportJson, pair
from unbarb.data.corpora import Corpora
from unbarb.errors import MissingExtra

if TYPE_CHECKING:
    from unbarb.corpus.run import Progress
    from unbarb.evaluate.results import Report
    from unbarb.train.experiment import Experiment

INTERRUPTED = 130


def register(app: typer.Typer) -> None:
    """Add the command to `app`."""
    app.command("lm-detox")(lm_detox)


def lm_detox(
    experiment: Annotated[str, typer.Argument(help="An experiment file, or the name of one that ships.")],
    out: Annotated[Path, typer.Option(help="Folder for texts, runs, measurements and the report.")],
    judge: of.JudgedBy = of.JUDGES,
    allow_same_judge: of.AllowSame = False,
    data: of.CorporaIn = None,
    set_: Annotated[
        list[str] | None, typer.Option("--set", help="Another value, as training.max_steps=50; repeatable.")
    ] = None,
    workers: Annotated[
        int | None, typer.Option(min=1, help="Processes that clean. Default: one a core.")
    ] = None,
    threads: Annotated[int | None, typer.Option(min=1, help="Processor threads. Default: all.")] = None,
    quiet: Annotated[bool, typer.Option("--quiet", "-q", help="Show no progress.")] = False,
    json: ReportJson = False,
) -> None:
    """Tune a language model on raw, filtered and rewritten texts, same steps and seeds, and compare.

    Writes report.json and report.html: toxicity of continuations, perplexity on clean texts, variety,
    mentions of identity groups, and whether the arms differ, with intervals. What a stopped run finished is
    not done again, cell by cell; seeds may be added later by `--set seeds=[13,14,15,16]`.
    """
    overrides = dict(pair(one) for one in set_ or [])
    if threads is not None:
        # Read by every library that computes, and only when it is first imported.
        os.environ["OMP_NUM_THREADS"] = str(threads)
    try:
        from unbarb.evaluate.report import as_json, write_report
        from unbarb.train.experiment import load_experiment, locate

        settings = load_experiment(experiment, overrides)
        corpora = Corpora(data) if data else None
        done = _carried_out(
            settings, locate(experiment), out, corpora, (judge, allow_same_judge), workers, quiet
        )
        data_file, page_file = write_report(done, out)
    except ModuleNotFoundError as error:
        if error.name is None or error.name.startswith("unbarb"):
            raise
        raise MissingExtra.for_feature("unbarb lm-detox", error.name, "train") from error
    except KeyboardInterrupt:
        print(f"unbarb: stopped; the same command goes on from {out}", file=sys.stderr)
        raise typer.Exit(INTERRUPTED) from None
    if json:
        typer.echo(as_json(done), nl=False)
    else:
        typer.echo(done.agreement.replace(". ", ".\n"))
        typer.echo(f"{page_file} to read, {data_file} for machines")


def _carried_out(
    experiment: Experiment,
    file: Path,
    out: Path,
    corpora: Corpora | None,
    judged_by: tuple[str, bool],
    workers: int | None,
    quiet: bool,
) -> Report:
    """Every stage in turn: texts, arms, base, cells, report."""
    from unbarb.cli.lm_detox_arms import arms_of, policy_beside
    from unbarb.cli.lm_detox_base import scratch_base
    from unbarb.cli.lm_detox_cells import cells, claim, measured, seeded
    from unbarb.cli.lm_detox_report import report
    from unbarb.cli.lm_detox_texts import divided
    from unbarb.cli.progress import Bar, Quietly
    from unbarb.evaluate.lm.judge import load_judge
    from unbarb.evaluate.lm.measure import Task
    from unbarb.evaluate.lm.model import Drawing
    from unbarb.evaluate.lm.prompts import load_prompts

    # peft and trl ask transformers for it by the old name; who runs this can do nothing about it.
    warnings.filterwarnings("ignore", ".*gradient_checkpointing.*", FutureWarning)
    what = experiment.measuring
    prompts = load_prompts(what.prompts).first(what.limit)
    # What is wrong with the judge is said before hours of work; that it cleaned, once that is known.
    load_judge(judged_by[0], allow_same=judged_by[1])
    base_seed = claim(out, experiment)
    texts = divided(experiment, corpora)
    with Quietly() if quiet or not sys.stderr.isatty() else Bar() as bar:

        def told(arm: str, progress: Progress) -> None:
            bar.moved(progress.share, progress.rows)

        policy = policy_beside(file, experiment.cleaning.policy)
        arms = arms_of(experiment, policy, texts.tuned, out, workers=workers, told=told)
    judge = load_judge(judged_by[0], cleaners=arms.cleaners.values(), allow_same=judged_by[1])
    drawing = Drawing(what.continuations, what.tokens, what.top_p, what.temperature)
    task = Task(prompts, drawing, texts.clean, judge)
    if experiment.model is None:
        base = str(scratch_base(experiment, texts.first, out, quiet=quiet))
    else:
        base = experiment.model.name
    found = dict(cells(experiment, arms, base, task, out, quiet=quiet))
    untuned = measured(base, seeded(task, base_seed), "base", out, quiet=quiet)
    return report(experiment, arms, task, found, untuned)
