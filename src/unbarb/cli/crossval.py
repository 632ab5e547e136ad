"""``unbarb crossval``: several recipes on the same folds; what a stopped run finished is not done again."""

from __future__ import annotations

import hashlib
import json
import shutil
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from time import monotonic
from typing import TYPE_CHECKING, Annotated, Any

import numpy as np
import typer

from unbarb.cli.options import pair
from unbarb.data.balance import HELD, Plan, load_plan
from unbarb.data.corpora import READERS, Corpora
from unbarb.data.prepared import MANIFEST, SPLITS, Prepared, write_prepared
from unbarb.errors import ConfigError, InputError, MissingExtra

if TYPE_CHECKING:
    from unbarb.train.folds import Fold
    from unbarb.train.schema import TrainRecipe

Row = Mapping[str, Any]
Scores = dict[str, list[float]]
"""Row id → a score for each label."""

CLASSIFIERS = ("classification", "naive_bayes", "logistic", "bilstm")


def register(app: typer.Typer) -> None:
    """Add the command to `app`."""
    app.command("crossval")(crossval)


def crossval(
    recipes: Annotated[list[str], typer.Argument(metavar="RECIPE...", help="Files, or names that ship.")],
    data: Annotated[str, typer.Option(metavar="SET|CORPUS", help="A prepared set, or a corpus by name.")],
    out: Annotated[Path, typer.Option(help="Folder for runs, scores and the report.")],
    plan: Annotated[
        str | None, typer.Option(help="A class plan: its test is scored, its train is learnt from.")
    ] = None,
    folds: Annotated[int, typer.Option(min=2, max=50, help="Parts; each is scored once.")] = 5,
    seed: Annotated[int, typer.Option(help="Of the folds and the plan's draw.")] = 13,
    extra: Annotated[
        list[str] | None,
        typer.Option(metavar="SET|CORPUS[:LABEL,…]", help="Rows, with one of the labels, that only train."),
    ] = None,
    limit: Annotated[
        list[str] | None,
        typer.Option(metavar="LABEL=SHARE", help="Most false alarms on dev rows, as toxicity=0.04."),
    ] = None,
    mean: Annotated[
        list[str] | None, typer.Option(metavar="NAME+NAME", help="Another row: the mean of recipes.")
    ] = None,
    set_: Annotated[
        list[str] | None, typer.Option("--set", help="Another value in every recipe; repeatable.")
    ] = None,
    threads: Annotated[int, typer.Option(min=1, help="Processor threads.")] = 2,
) -> None:
    """Compare classifiers by cross-validation: precision, recall, F1, false alarms, ROC-AUC of every label.

    Folds never share a source. Thresholds are chosen on training rows held out inside each fold. A finished
    recipe of a fold is not done again; report.json, report.md and report.html are written at the end.
    """
    overrides = dict(pair(one, "--set") for one in set_ or [])
    limits = {label: _share(value, label) for label, value in (pair(one, "--limit") for one in limit or [])}
    try:
        from unbarb.cli.crossval_report import System, averaged, write_report
        from unbarb.train.folds import folds as folds_of
        from unbarb.train.reader import load
    except ModuleNotFoundError as error:
        if error.name is None or error.name.startswith("unbarb"):
            raise
        raise MissingExtra.for_feature("unbarb crossval", error.name, "train") from error
    loaded = [load(recipe, overrides) for recipe in recipes]
    labels = _labels(loaded, limits)
    chosen: Plan | None = load_plan(plan) if plan else None
    rows = rows_of(data)
    more = [row for one in extra or [] for row in extra_rows(one)]
    found: dict[str, list[tuple[Fold, Scores]]] = {recipe.name: [] for recipe in loaded}
    for fold in folds_of(rows, chosen, folds, seed, more):
        for recipe in loaded:
            scores = scored(fold, recipe, out / f"fold-{fold.number + 1}", folds, threads)
            found[recipe.name].append((fold, scores))
    systems = [System.of(name, labels, parts, limits) for name, parts in found.items()]
    systems += [averaged(one.split("+"), labels, found, limits) for one in mean or []]
    about = {
        "data": data, "plan": chosen.to_dict() if chosen else None, "folds": folds, "seed": seed,
        "extra": extra or [], "extra_rows": len(more), "limits": limits,
        "rows": digest([row for fold, _ in found[loaded[0].name] for row in fold.test]),
        "train_rows": [len(fold.train) for fold, _ in found[loaded[0].name]],
        "recipes": {recipe.name: recipe.to_dict() for recipe in loaded},
    }  # fmt: skip
    typer.echo(write_report(systems, about, out))


def scored(fold: Fold, recipe: TrainRecipe, folder: Path, of: int, threads: int) -> Scores:
    """The scores of a fold's dev and test rows by a model of its train rows; read where they are there."""
    path = folder / f"{recipe.name}.scores.json"
    key = digest([recipe.to_dict(), fold.train, fold.dev, fold.test])
    if path.is_file():
        stored = json.loads(path.read_text("utf-8"))
        if stored["key"] != key:
            raise ConfigError(f"{path} is of another recipe or other rows; name another --out or delete it")
        return dict(stored["scores"])
    began = monotonic()
    told = f"fold {fold.number + 1}/{of}, {recipe.name}"
    print(f"{told}: {len(fold.train):,} rows to learn from", file=sys.stderr, flush=True)
    scores = _trained(fold, recipe, folder, threads)
    part = path.with_suffix(".part")
    part.write_text(json.dumps({"key": key, "scores": scores}) + "\n", encoding="utf-8")
    part.replace(path)
    print(f"{told}: done in {monotonic() - began:.0f} s", file=sys.stderr, flush=True)
    return scores


def _trained(fold: Fold, recipe: TrainRecipe, folder: Path, threads: int) -> Scores:
    from unbarb.train.classifier import load_classifier
    from unbarb.train.objectives import train

    if recipe.objective in ("classification", "bilstm"):
        import torch

        torch.set_num_threads(threads)
    prepared = _prepared(fold, folder / "data")
    run = folder / recipe.name
    train(recipe, prepared, run)
    classifier = load_classifier(run / "model")
    rows = [*fold.dev, *fold.test]
    scores = classifier.predict_proba([row["text"] for row in rows])
    # Checkpoints of a whole fine-tune are three times its model, for every fold and recipe.
    shutil.rmtree(run / "checkpoints", ignore_errors=True)
    return {row["id"]: np.round(one, 6).tolist() for row, one in zip(rows, scores, strict=True)}


def _prepared(fold: Fold, folder: Path) -> Prepared:
    """The fold as a prepared set, which refuses one with a source in two parts."""
    if (folder / MANIFEST).is_file():
        return Prepared.load(folder)
    folder.parent.mkdir(parents=True, exist_ok=True)
    parts = {name: [dict(row) for row in getattr(fold, name)] for name in SPLITS}
    return write_prepared(folder, "labelled", parts, {"fold": fold.number})


def rows_of(data: str) -> list[Row]:
    """All labelled rows of a prepared set, or of a corpus by its name; each has an id of its own.

    Raises:
        ConfigError: it is neither.
        InputError: the set holds rows of another kind.
    """
    if (Path(data) / MANIFEST).is_file():
        prepared = Prepared.load(data)
        if prepared.kind != "labelled":
            raise InputError(f"{data} holds {prepared.kind}; labelled rows are needed")
        return [row for name in SPLITS for row in prepared.rows(name)]
    if data not in READERS:
        raise ConfigError(
            f"{data!r} is neither a prepared set (a folder with {MANIFEST}) nor a labelled corpus;"
            f" corpora: {', '.join(READERS)}"
        )
    examples = Corpora.from_environment().labelled(data)
    return [
        {"id": f"{data}-{at}", "text": one.text, "labels": dict(one.labels), "corpus": data}
        for at, one in enumerate(examples)
        if one.text.strip()
    ]


def extra_rows(given: str) -> list[Row]:
    """The rows of ``SET`` or ``CORPUS``, or of ``CORPUS:LABEL,LABEL`` those that have one of the labels.

    Raises:
        ConfigError: there is no such set or corpus, or no such row in it.
    """
    source, _, named = given.partition(":")
    labels = [label.strip() for label in named.split(",") if label.strip()]
    rows = rows_of(source)
    found = [
        row for row in rows if not labels or any(row["labels"].get(label, 0) >= HELD for label in labels)
    ]
    if not found:
        known = sorted({label for row in rows for label in row["labels"]})
        raise ConfigError(f"--extra {given}: no row with {named}; {source} knows {', '.join(known)}")
    return found


def digest(content: object) -> str:
    """SHA-256 of plain JSON types."""
    text = json.dumps(content, sort_keys=True, ensure_ascii=False)
    return hashlib.sha256(text.encode()).hexdigest()


def _labels(recipes: Sequence[TrainRecipe], limits: Mapping[str, float]) -> list[str]:
    """The labels of all recipes, which must be the same.

    Raises:
        ConfigError: they differ, a recipe is no classifier, two have one name, or a limit is of no label.
    """
    problems = [
        f"{recipe.name}: objective {recipe.objective} is no classifier; there are {', '.join(CLASSIFIERS)}"
        for recipe in recipes
        if recipe.objective not in CLASSIFIERS
    ]
    labels = recipes[0].data.labels
    problems += [
        f"{recipe.name}: labels {', '.join(recipe.data.labels)}; those of {recipes[0].name} are"
        f" {', '.join(labels)}, and all must have the same"
        for recipe in recipes
        if recipe.data.labels != labels
    ]
    names = [recipe.name for recipe in recipes]
    problems += [
        f"two recipes are named {name}" for name in sorted({n for n in names if names.count(n) > 1})
    ]
    problems += [
        f"--limit {label}: no such label; there are {', '.join(labels)}"
        for label in limits
        if label not in labels
    ]
    if problems:
        raise ConfigError("\n".join(problems))
    return labels


def _share(value: str, label: str) -> float:
    try:
        share = float(value)
    except ValueError:
        share = -1.0
    if not 0 <= share <= 1:
        raise ConfigError(f"--limit {label}={value}: give a share from 0 to 1, as {label}=0.04")
    return share
