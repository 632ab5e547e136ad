"""``unbarb data prepare``: from corpora and files to a set to train and test on."""

from __future__ import annotations

import json as json_format
import os
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, cast

import typer

from unbarb.cli import data_options as of
from unbarb.cli.data_told import lines
from unbarb.cli.progress import Steps
from unbarb.data.corpora import VARIABLE, Corpora
from unbarb.errors import ConfigError, InputError

if TYPE_CHECKING:
    from unbarb.data.gather import Options, Typed
    from unbarb.data.prepared import Kind, Prepared
    from unbarb.data.readers.paranmt import Limits
    from unbarb.data.sources import Source
    from unbarb.data.tidy import Tidying


def register(group: typer.Typer) -> None:
    """Add the command to the group ``data``."""
    group.command("prepare")(prepare)


def prepare(
    corpora: of.Names = None,
    out: of.Out = Path("prepared"),
    input: of.Inputs = None,
    column: of.ColumnsOf = None,
    data: of.Data = None,
    kind: of.KindOf = None,
    seed: of.Seed = 13,
    dev: of.Dev = 0.05,
    test: of.Test = 0.05,
    plan: of.PlanOf = None,
    augment: of.Augment = None,
    near: of.Near = 0.85,
    keep: of.Keep = None,
    longest: of.Longest = None,
    toxic: of.Toxic = 0.9,
    neutral: of.Neutral = 0.2,
    similarity: of.Similarity = (0.6, 0.95),
    length: of.Length = 0.4,
    limit: of.Limit = None,
    skip_faults: of.SkipFaults = False,
    instruct: of.Instruct = False,
    row_split: of.RowSplit = 0.1,
    keep_dropped: of.KeepDropped = False,
    push: of.Push = None,
    public: of.Public = False,
    overwrite: of.Overwrite = False,
    json: of.Json = False,
) -> None:
    """Clean, split, balance and augment rows; write train, dev and test with a manifest of digests.

    unbarb data prepare paradetox --out pairs

    unbarb data prepare jigsaw --plan six-labels-7400 --test 0.25 --out six

    unbarb data prepare --input mine.csv --column text=comment --column label:toxicity=toxic --out mine

    Splits go by the normalised source, so that no text is in two of them. Every row that is dropped is
    counted by its reason.

    Exit codes: 0 done, 2 wrong use, or rows that cannot be used; then nothing is written.
    """
    from unbarb.data.augment import Augmentation
    from unbarb.data.balance import load_plan
    from unbarb.data.gather import Options
    from unbarb.data.prepared import Prepared
    from unbarb.data.publish import reach
    from unbarb.data.readers.paranmt import Limits

    hub = reach(push) if push else None
    shares = {"train": round(1 - dev - test, 9), "dev": dev, "test": test}
    ways = tuple(map(Augmentation.parse, augment or ()))
    options = Options(
        seed=seed, shares=shares, tidying=_tidying(keep or ()), near=near or None, longest=longest,
        plan=load_plan(plan) if plan else None, augment=ways, instruct=instruct, limit=limit,
        skip_faults=skip_faults, row_split=row_split, keep_dropped=keep_dropped,
    )  # fmt: skip
    if push and not corpora and not input:
        done = Prepared.load(out)
    else:
        folder = _folder(data)
        limits = Limits(toxic, neutral, similarity, length)
        sources = _sources(corpora or (), folder, input or (), column or (), limits, kind)
        done = _prepared(sources, out, options, folder, overwrite)
    address = hub.push(done, push, private=not public) if hub and push else None
    _tell(done, address, json)


def _tell(done: Prepared, address: str | None, json: bool) -> None:
    if json:
        told = {**done.manifest, "folder": str(done.folder), **({"pushed": address} if address else {})}
        typer.echo(json_format.dumps(told, ensure_ascii=False))
    else:
        typer.echo("\n".join(lines(done)) + (f"\npushed to {address}" if address else ""))


def _tidying(kept: Sequence[str]) -> Tidying:
    from unbarb.data.tidy import STEPS, Tidying

    if unknown := sorted(set(kept) - set(STEPS)):
        raise ConfigError(f"--keep {unknown[0]}: cleaned are {', '.join(STEPS)}")
    return Tidying(**{step: step not in kept for step in STEPS})


def _sources(
    names: Sequence[str], folder: Corpora | None, paths: Sequence[Path], columns: Sequence[str],
    limits: Limits, kind: Kind | None,
) -> list[Source]:  # fmt: skip
    from unbarb.data.sources import all_named, as_kind, from_path

    if columns and not paths:
        raise ConfigError("--column says what the columns of --input FILE are; give that too")
    found = all_named(names, folder) + [from_path(path, columns, None, limits, kind) for path in paths]
    return [as_kind(source, kind or source.kind) for source in found]


def _prepared(
    sources: Sequence[Source], out: Path, options: Options, folder: Corpora | None, overwrite: bool
) -> Prepared:
    from unbarb.data.prepare import prepare

    rare = any(way.label for way in options.augment)
    typed = cast("Typed", folder.paths("civil")) if rare and folder else None
    with Steps() as steps:
        return prepare(sources, out, options, typed=typed, progress=steps.moved, overwrite=overwrite)


def _folder(data: Path | None) -> Corpora | None:
    """The folder of the corpora; None when nobody named one."""
    if data is None:
        return Corpora.from_environment() if os.environ.get(VARIABLE) else None
    if not data.is_dir():
        raise InputError(f"no folder {data}; --data names the folder that holds the corpora")
    return Corpora(data)
