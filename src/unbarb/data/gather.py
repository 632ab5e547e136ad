"""Reads and cleans the rows of all sources; every row that goes is counted by its reason."""

from __future__ import annotations

import json
import random
from array import array
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO

from unbarb.data.augment import Augmentation
from unbarb.data.balance import Plan
from unbarb.data.distributions import Tally
from unbarb.data.prepared import KINDS, Kind, Row, raise_all, source_key
from unbarb.data.readers.typed_spans import typed_sentences
from unbarb.data.records import Fault
from unbarb.data.sources import Source
from unbarb.data.split import SHARES, group_key
from unbarb.data.spool import short
from unbarb.data.tidy import STANDARD, Tidying, clean_row

NEAR = 0.85

PART_OF = "comment"
"""In the meta of a sentence: the digest of the normalised comment that it was taken from."""

Progress = Callable[[str, int, int | None], None]
"""Called with what is done, how many rows are through it, and of how many, where that is known."""

Typed = tuple[Path, Path, Path]
"""The files of Civil Comments: comments, annotations, spans."""


@dataclass(frozen=True, slots=True)
class Options:
    """How a set is made.

    `shares` are those of train, dev and test; sources are the same from a Jaccard index of `near` on, None
    keeps them all; `longest` is the most words a text may have; `limit` the most rows of a source.
    `instruct` writes instruction files beside the rows. `skip_faults` counts rows that cannot be read
    instead of stopping at them. `row_split` is the test share of the split by row whose leak is measured.
    `keep_dropped` writes the rows that were dropped, with their reasons.
    """

    seed: int = 13
    shares: Mapping[str, float] = field(default_factory=lambda: dict(SHARES))
    tidying: Tidying = STANDARD
    near: float | None = NEAR
    longest: int | None = None
    plan: Plan | None = None
    augment: tuple[Augmentation, ...] = ()
    instruct: bool = False
    limit: int | None = None
    skip_faults: bool = False
    row_split: float = 0.1
    keep_dropped: bool = False


DEFAULT = Options()


@dataclass(slots=True)
class Gathered:
    """What was met on the way: rows as they were read, and rows dropped by reason.

    `read` counts rows by source; `sources` holds the digest of every row's normalised source. Dropped rows
    are written to the file `kept`, where there is one.
    """

    before: Tally
    kept: IO[str] | None = None
    drops: Counter[str] = field(default_factory=Counter)
    read: Counter[str] = field(default_factory=Counter)
    sources: array[int] = field(default_factory=lambda: array("Q"))

    def drop(self, reason: str, row: Row) -> None:
        """Count a row that goes, and keep it where they are kept."""
        self.drops[reason] += 1
        if self.kept is not None:
            self.kept.write(json.dumps({"reason": reason, **row}, ensure_ascii=False) + "\n")


def gather(
    sources: Sequence[Source], options: Options, typed: Typed | None, found: Gathered, progress: Progress
) -> Iterator[Row]:
    """The cleaned rows of all sources, then those added for rare labels; counts go into `found`.

    Raises:
        InputError: rows cannot be read; all of them are told, when every source has been gone through.
    """
    kind = found.before.kind
    seen: dict[int, int] = {}
    for number, row in enumerate(_all(sources, options, typed, found), 1):
        cleaned = clean_row(row, KINDS[kind], options.tidying)
        if PART_OF in row.get("meta", {}):
            cleaned["meta"] = {**row["meta"], PART_OF: _key_of(row["meta"][PART_OF], options.tidying)}
        reason = _objection(cleaned, kind, options.longest) or _repeated(cleaned, kind, seen)
        if reason:
            found.drop(reason, row)
        else:
            yield cleaned
        progress("reading and cleaning", number, None)


def _all(
    sources: Sequence[Source], options: Options, typed: Typed | None, found: Gathered
) -> Iterator[Row]:
    problems: list[str] = []
    for source in sources:
        for row in source.rows():
            if isinstance(row, Fault):
                problems.append(f"{row.place}: {row.reason}")
            elif isinstance(row, str):
                found.drops[row] += 1
            elif options.limit is not None and found.read[source.name] == options.limit:
                break
            else:
                found.read[source.name] += 1
                found.before.add(row)
                found.sources.append(short(source_key(row, source.kind)))
                yield row
    if not options.skip_faults:
        raise_all("rows that cannot be used (--skip-faults leaves them out and counts them)", problems)
    found.drops["unreadable"] += len(problems)
    for way in options.augment:
        if way.label and typed:
            yield from _of_rare_label(way, way.label, typed, options.seed)


def _of_rare_label(way: Augmentation, label: str, typed: Typed, seed: int) -> Iterator[Row]:
    for number, example in enumerate(typed_sentences(label, *typed), 1):
        if random.Random(f"{seed}:{way.name}:{number}").random() < way.share:
            yield {
                "id": f"civil-{label}-{number}",
                "text": example.text,
                "labels": {known: round(share, 6) for known, share in example.labels.items()},
                "corpus": example.source,
                "meta": {"augmented": way.name, "of": example.source, PART_OF: example.group},
            }


def _key_of(comment: str, tidying: Tidying) -> str:
    """The digest by which the row of `comment` is known, cleaned as that row is."""
    cleaned = clean_row({"text": comment}, ("text",), tidying)["text"]
    return f"{short(group_key(cleaned)):016x}"


def _objection(row: Row, kind: Kind, longest: int | None) -> str | None:
    texts = [row[part] for part in KINDS[kind]]
    if not all(texts):
        return "empty"
    if len(texts) > 1 and group_key(texts[-1]) == group_key(texts[-2]):
        return "unchanged"
    if longest is not None and any(len(text.split()) > longest for text in texts):
        return "too_long"
    return None


def _repeated(row: Row, kind: Kind, seen: dict[int, int]) -> str | None:
    """The same letters as in a row before; of the same corpus for labels, as each may know others."""
    letters = [group_key(row[part]) for part in KINDS[kind]]
    key = short("\0".join([*letters, row["corpus"]] if kind == "labelled" else letters))
    labels = short(json.dumps(row.get("labels"), sort_keys=True))
    if key not in seen:
        seen[key] = labels
        return None
    return "duplicate" if seen[key] == labels else "duplicate_with_other_labels"
