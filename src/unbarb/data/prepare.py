"""From corpora and files to a prepared set: read, clean, split, balance, augment, write."""

from __future__ import annotations

import shutil
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict
from importlib.metadata import version
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np

from unbarb.data.balance import Balanced, balance, classes_of
from unbarb.data.distributions import Tally
from unbarb.data.gather import DEFAULT, PART_OF, Gathered, Options, Progress, Typed, gather
from unbarb.data.instruct import write_instructions
from unbarb.data.leaks import row_split_leak
from unbarb.data.near import representatives
from unbarb.data.prepared import (
    SPLITS,
    Kind,
    Prepared,
    Row,
    file_digest,
    refuse_other,
    source_key,
    write_prepared,
)
from unbarb.data.sources import SIDE_OF, Source, one_kind
from unbarb.data.split import group_key, place
from unbarb.data.spool import Spool, only_train, read_rows, short
from unbarb.errors import ConfigError, InputError
from unbarb.text import LABELS

DROPPED = "dropped.jsonl"

OUT = ""
"""The split of a row that is in none."""


def prepare(
    sources: Sequence[Source],
    folder: Path,
    options: Options = DEFAULT,
    *,
    typed: Typed | None = None,
    progress: Progress = lambda step, rows, total: None,
    overwrite: bool = False,
) -> Prepared:
    """Make a set of `sources` in `folder`; the same sources and options give the same bytes.

    `typed` are the files of Civil Comments, from which rows for rare labels are taken.

    Raises:
        ConfigError: options that do not go together, or a plan that cannot be met.
        InputError: rows that cannot be read, all of them told at once; no row is left for train; or the
            folder cannot be written.
    """
    kind = one_kind(sources)
    _agree(kind, options, typed)
    refuse_other(folder, overwrite=overwrite)
    with _scratch(folder) as scratch, (scratch / DROPPED).open("w", encoding="utf-8") as dropped:
        found = Gathered(Tally(kind), dropped if options.keep_dropped else None)
        spool = Spool(scratch / "rows.jsonl", kind)
        spool.fill(gather(sources, options, typed, found, progress))
        splits = _placed(spool, options, found, progress)
        if "train" not in splits:
            told = ", ".join(f"{count:,} {reason}" for reason, count in found.drops.items() if count)
            read = sum(found.read.values())
            raise InputError(f"nothing to train on is left of {read:,} rows ({told or 'nothing dropped'})")
        taken = _balanced(spool, splits, options, found)
        after = {split: Tally(kind) for split in SPLITS}

        def finish(part: Path) -> Mapping[str, Any]:
            labels = _labels(after)
            for split in SPLITS if options.instruct else ():
                rows = read_rows(part / f"{split}.jsonl")
                write_instructions(part / f"{split}.instruct.json", rows, kind, labels)
            if options.keep_dropped:
                dropped.flush()
                shutil.copyfile(dropped.name, part / DROPPED)
            manifest = _manifest(sources, found, after, taken, options)
            return {"labels": labels, **manifest} if labels else manifest

        written = _written(spool, splits, options, found, after, progress)
        return write_prepared(folder, kind, written, finish=finish, overwrite=overwrite)


@contextmanager
def _scratch(folder: Path) -> Iterator[Path]:
    """A folder for what is needed meanwhile, beside `folder`; a disk that is full is told as such."""
    try:
        folder.parent.mkdir(parents=True, exist_ok=True)
        with TemporaryDirectory(prefix=f".{folder.name}.", dir=folder.parent) as scratch:
            yield Path(scratch)
    except OSError as error:
        raise InputError(f"{folder} cannot be written: {error.strerror or error}") from error


def _agree(kind: Kind, options: Options, typed: Typed | None) -> None:
    problems = []
    if set(options.shares) != set(SPLITS) or abs(sum(options.shares.values()) - 1) > 1e-6:
        problems.append(f"shares {dict(options.shares)} must be of {', '.join(SPLITS)} and add up to 1")
    elif min(options.shares.values()) < 0 or not options.shares["train"]:
        problems.append(f"shares {dict(options.shares)}: none may be below 0, and train not 0")
    if options.plan and kind != "labelled":
        problems.append(f"plan {options.plan.name} counts labels, and these are {kind}")
    for way in options.augment:
        if way.label and kind != "labelled":
            problems.append(f"{way.name} adds labelled rows, and these are {kind}")
        elif way.label and typed is None:
            problems.append(f"{way.name} reads the corpus civil; name its folder by --data or UNBARB_DATA")
    if problems:
        raise ConfigError("; ".join(problems))


def _placed(spool: Spool, options: Options, found: Gathered, progress: Progress) -> list[str]:
    """The split of every row; `OUT` for a row whose source is nearly the same as an earlier one."""
    near = set() if options.near is None else _near(spool, options.near, progress)
    rows = zip(spool.rows(), spool.keys, strict=True)
    sourced = {key for row, key in rows if not only_train(row)}
    splits = []
    first: dict[int, str] = {}  # a side of a pair may stand alone too: where it stood first, it stays
    for row, key in zip(spool.rows(), spool.keys, strict=True):
        if key in near:
            found.drop("near_duplicate", row)
            splits.append(OUT)
        elif only_train(row) and key in sourced:
            found.drop("duplicate", row)
            splits.append(OUT)
        elif only_train(row) and _held_out(row, near, first):
            found.drop("augmented_into_test", row)
            splits.append(OUT)
        elif only_train(row):
            splits.append("train")
        else:
            pair = row.get("meta", {}).get(SIDE_OF)
            by = source_key(row, spool.kind) if pair is None else group_key(pair)
            splits.append(first.setdefault(key, place(by, options.seed, options.shares)))
    return splits


def _held_out(row: Row, near: set[int], first: Mapping[int, str]) -> bool:
    """Whether a made row is a part of a comment that stands in dev or test, or is nearly one of any split.

    Rows that were found come before those that were made, so all of them are in `first`.
    """
    comment = row["meta"].get(PART_OF)
    if comment is None:
        return False
    key = int(comment, 16)
    return key in near or first.get(key, "train") != "train"


def _near(spool: Spool, threshold: float, progress: Progress) -> set[int]:
    order: dict[int, None] = {}

    def sources() -> Iterator[str]:
        for row, key in zip(spool.rows(), spool.keys, strict=True):
            if key not in order:
                order[key] = None
                yield source_key(row, spool.kind)

    total = len(set(spool.keys))
    first = representatives(
        sources(), threshold, lambda done: progress("finding near-duplicates", done, total)
    )
    later = first != np.arange(len(first))
    return {key for key, repeats in zip(order, later, strict=True) if repeats}


def _balanced(spool: Spool, splits: list[str], options: Options, found: Gathered) -> dict[str, Balanced]:
    """Apply the plan: rows that it does not take lose their split."""
    taken = {}
    for split in options.plan.splits if options.plan else ():
        assert options.plan is not None
        at = [index for index, own in enumerate(splits) if own == split]
        rows = zip(spool.rows(), splits, strict=True)
        classes = [classes_of(row["labels"]) for row, own in rows if own == split]
        taken[split] = balance(classes, options.plan, split, options.seed)
        gone = set(at) - {at[chosen] for chosen in taken[split].chosen}
        for index, row in enumerate(spool.rows()):
            if index in gone:
                splits[index] = OUT
                found.drop("not_in_plan", row)
    return taken


def _written(
    spool: Spool, splits: Sequence[str], options: Options, found: Gathered, after: Mapping[str, Tally],
    progress: Progress,
) -> dict[str, Iterator[Row]]:  # fmt: skip
    """The rows of each split; those of train are followed by what is made of them."""
    held = {key for key, own in zip(spool.keys, splits, strict=True) if own not in ("train", OUT)}
    ways = [way for way in options.augment if way.label is None]
    total, written = len(splits) - splits.count(OUT), [0]

    def made(row: Row) -> Iterator[Row]:
        for way in ways:
            for one in way.rows(row, spool.kind, options.seed):
                if short(source_key(one, spool.kind)) in held:
                    found.drop("augmented_into_test", one)
                else:
                    yield one

    def rows(split: str) -> Iterator[Row]:
        for row, own in zip(spool.rows(), splits, strict=True):
            if own == split:
                for each in (row, *(made(row) if split == "train" else ())):
                    after[split].add(each)
                    yield each
                written[0] += 1
                progress("writing", written[0], total)

    return {split: rows(split) for split in SPLITS}


def _manifest(
    sources: Sequence[Source], found: Gathered, after: Mapping[str, Tally], taken: Mapping[str, Balanced],
    options: Options,
) -> dict[str, Any]:  # fmt: skip
    plan = options.plan
    balanced = {split: done.to_dict() for split, done in taken.items()}
    share, rows = options.row_split, len(found.sources)
    there = 0 < round(share * rows) < rows
    leak = asdict(row_split_leak(found.sources, share, options.seed)) if there else None
    return {
        "sources": [_about(source, found.read[source.name]) for source in sources],
        "options": {
            **asdict(options),
            "plan": plan and plan.name,
            "augment": {way.name: way.share for way in options.augment},
        },
        "read": sum(found.read.values()),
        "drops": {reason: count for reason, count in found.drops.most_common() if count},
        "plan": plan and {"name": plan.name, "short": plan.short, "splits": balanced},
        "augmented": dict(after["train"].augmented),
        "leaks": {"shared_sources": 0, "of_a_split_by_row": leak},
        "before": found.before.to_dict(),
        "after": {split: tally.to_dict() for split, tally in after.items()},
        "versions": {"unbarb": version("unbarb")},
    }


def _about(source: Source, rows: int) -> dict[str, Any]:
    """What is known of a source; of its files only names and digests, not where they were."""
    return {
        "name": source.name,
        "rows": rows,
        "layout": source.layout,
        "files": {file.name: file_digest(file) for file in source.files},
        "licence": source.licence,
        "url": source.url,
    }


def _labels(after: Mapping[str, Tally]) -> list[str]:
    """The labels that rows know, the package's own first and in their order."""
    known = {label: None for tally in after.values() for label in tally.known}
    return [label for label in LABELS if label in known] + [label for label in known if label not in LABELS]
