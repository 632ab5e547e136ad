"""``unbarb data prepare``: from corpora and files to a set to train and test on."""

from __future__ import annotations

import json as json_format
import os
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, cast

import typer

from unbarb.cli.data_told import lines
from unbarb.cli.progress import Steps
from unbarb.data.corpora import VARIABLE, Corpora
from unbarb.errors import ConfigError, InputError

if TYPE_CHECKING:
    from unbarb.data.gather import Options, Typed
    from unbarb.data.prepared import Prepared
    from unbarb.data.sources import Source


def register(group: typer.Typer) -> None:
    """Add the command to the group ``data``."""
    group.command("prepare")(prepare)


def prepare(
    corpora: Annotated[
        list[str] | None,
        typer.Argument(metavar="CORPUS...", show_default=False, help="Names as in `unbarb data list`."),
    ] = None,
    out: Annotated[
        Path, typer.Option("--out", "-o", metavar="FOLDER", help="Folder of the set.")
    ] = Path("prepared"),
    input: Annotated[
        list[Path] | None,
        typer.Option(
            "--input", "-i", metavar="FILE", show_default=False,
            help="A .csv, .tsv, .jsonl, .json (each also .gz) or .parquet file, or a folder that datasets"
            " saved; repeatable. ParaNMT-detox, RealToxicityPrompts, ParaDetox, Jigsaw 2018 and prepared"
            " rows are known by their columns.",
        ),
    ] = None,
    column: Annotated[
        list[str] | None,
        typer.Option(
            "--column", metavar="PART=COLUMN", show_default=False,
            help="What a column of --input is; repeatable. Parts: source and target; or text and"
            " label:NAME (…=COLUMN:CLASS,CLASS for names of classes); or source, chosen and rejected; id.",
        ),
    ] = None,
    data: Annotated[
        Path | None,
        typer.Option("--data", metavar="FOLDER", help=f"Folder with the corpora. Default: {VARIABLE}."),
    ] = None,
    seed: Annotated[int, typer.Option(help="Decides which source is in which split.")] = 13,
    dev: Annotated[float, typer.Option(min=0, max=1, help="Share of sources to develop on.")] = 0.05,
    test: Annotated[float, typer.Option(min=0, max=1, help="Share of sources to test on.")] = 0.05,
    plan: Annotated[
        str | None,
        typer.Option(
            metavar="NAME|FILE", show_default=False,
            help="Rows per class: six-labels-7400, six-labels-train-7400, six-labels-test-350, or YAML such"
            " as `train: {threat: 400, none: 1500}`. Scaled down where rows are short.",
        ),
    ] = None,
    augment: Annotated[
        list[str] | None,
        typer.Option(
            metavar="WAY=SHARE", show_default=False,
            help="Add changed training rows: leet, spaced, joined, swapped, dropped, stars, identity"
            " (another group is named), minority:LABEL (sentences with such spans, of civil); repeatable.",
        ),
    ] = None,
    near: Annotated[
        float, typer.Option(help="Sources this similar (Jaccard) are the same. 0 keeps them all.")
    ] = 0.85,
    keep: Annotated[
        list[str] | None,
        typer.Option(show_default=False, help="Not cleaned: markup, addresses, punctuation; repeatable."),
    ] = None,
    longest: Annotated[
        int | None, typer.Option(min=1, help="Most words of a text.", show_default=False)
    ] = None,
    toxic: Annotated[float, typer.Option(help="ParaNMT: the toxic side is above this.")] = 0.9,
    neutral: Annotated[float, typer.Option(help="ParaNMT: the neutral side is below this.")] = 0.2,
    similarity: Annotated[
        tuple[float, float], typer.Option(help="ParaNMT: similarity above the first, up to the second.")
    ] = (0.6, 0.95),
    length: Annotated[float, typer.Option(help="ParaNMT: most difference in length.")] = 0.4,
    limit: Annotated[
        int | None, typer.Option(min=1, help="Most rows of a source.", show_default=False)
    ] = None,
    skip_faults: Annotated[
        bool, typer.Option("--skip-faults", help="Leave out and count rows that cannot be read.")
    ] = False,
    instruct: Annotated[
        bool, typer.Option("--instruct", help="Write instruction, input, output as JSON lists too.")
    ] = False,
    row_split: Annotated[
        float, typer.Option(metavar="SHARE", help="Test share of the split by row whose leak is told.")
    ] = 0.1,
    push: Annotated[
        str | None,
        typer.Option(
            metavar="ORG/NAME", show_default=False,
            help="Push the set to this repository of the hub; without corpora and --input, the set that is"
            " in --out already.",
        ),
    ] = None,
    public: Annotated[bool, typer.Option("--public", help="A new repository of --push is public.")] = False,
    overwrite: Annotated[bool, typer.Option("--overwrite", help="Replace a set that is there.")] = False,
    json: Annotated[bool, typer.Option("--json", help="Print the manifest.")] = False,
) -> None:  # fmt: skip
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
    from unbarb.data.sources import all_named, from_path
    from unbarb.data.tidy import STEPS, Tidying

    hub = reach(push) if push else None
    if unknown := sorted(set(keep or ()) - set(STEPS)):
        raise ConfigError(f"--keep {unknown[0]}: cleaned are {', '.join(STEPS)}")
    if push and not corpora and not input:
        done = Prepared.load(out)
    else:
        options = Options(
            seed=seed,
            shares={"train": round(1 - dev - test, 9), "dev": dev, "test": test},
            tidying=Tidying(**{step: step not in (keep or ()) for step in STEPS}),
            near=near or None,
            longest=longest,
            plan=load_plan(plan) if plan else None,
            augment=tuple(Augmentation.parse(one) for one in augment or ()),
            instruct=instruct,
            limit=limit,
            skip_faults=skip_faults,
            row_split=row_split,
        )
        limits = Limits(toxic, neutral, similarity, length)
        folder = _folder(data)
        sources = all_named(corpora or (), folder)
        sources += [from_path(path, column or (), limits=limits) for path in input or ()]
        done = _prepared(sources, out, options, folder, overwrite)
    address = hub.push(done, push, private=not public) if hub and push else None
    if json:
        told = {**done.manifest, "folder": str(out), **({"pushed": address} if address else {})}
        typer.echo(json_format.dumps(told, ensure_ascii=False))
    else:
        typer.echo("\n".join(lines(done)) + (f"\npushed to {address}" if address else ""))


def _prepared(
    sources: list[Source], out: Path, options: Options, folder: Corpora | None, overwrite: bool
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
