"""The texts of an experiment: divided by source text, so that no arm is measured on what it read."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from random import Random
from typing import TYPE_CHECKING, Any

from unbarb.data.corpora import Corpora
from unbarb.data.records import Fault, open_records
from unbarb.data.sources import NAMES, SIDE_OF, as_kind, named
from unbarb.data.split import group_key, place
from unbarb.errors import ConfigError, InputError

if TYPE_CHECKING:
    from unbarb.train.experiment import Experiment, TextsPart

Row = dict[str, Any]

CLEAN = 0.5
"""A held-out text is clean when fewer people than that share called it toxic."""


@dataclass(frozen=True, slots=True)
class Divided:
    """Rows with id, text and corpus: what is tuned on, what the base reads first, what is held out.

    `clean` maps a source to its held-out clean texts.
    """

    tuned: list[Row]
    first: list[Row]
    clean: dict[str, list[str]]


def divided(experiment: Experiment, corpora: Corpora | None) -> Divided:
    """The texts of an experiment in their three parts; no source text is in two of them.

    Raises:
        ConfigError: a source is no corpus and no file, or nobody said where the corpora are.
        InputError: a file cannot be read, or nothing is left of one.
    """
    texts, scratch = experiment.texts, experiment.scratch
    shares = {"base": scratch.share, "tune": 1 - scratch.share} if scratch else {"tune": 1.0}
    tuned = [
        row
        for row in _train_side(texts.sources, texts.seed, corpora)
        if _part(row, texts.seed, shares) == "tune" and _fits(row["text"], texts)
    ]
    tuned = _drawn(_once(tuned), texts)
    first = []
    if scratch is not None:
        first = [
            row
            for row in _once(_train_side(scratch.sources, texts.seed, corpora))
            if row["corpus"] not in texts.sources or _part(row, texts.seed, shares) == "base"
        ]
        taken = {row["group"] for row in tuned}
        first = [row for row in first if row["group"] not in taken]
    read = {*texts.sources, *(scratch.sources if scratch else ())}
    clean = {
        source: clean_texts(source, experiment.measuring.clean_texts, corpora, seed=texts.seed, read=read)
        for source in experiment.measuring.clean
    }
    for what, rows in (
        ("texts.sources", tuned),
        *((f"measuring.clean {one}", clean[one]) for one in clean),
    ):
        if not rows:
            raise InputError(f"{what}: no text is left; take more words, rows or sources")
    return Divided([_plain(row) for row in tuned], [_plain(row) for row in first], clean)


def rows_of(source: str, corpora: Corpora | None) -> Iterator[Row]:
    """The rows of a corpus by name, or of a file with a column text: id, text, corpus and labels if known.

    Raises:
        ConfigError: it is neither, or nobody said where the corpora are.
        InputError: the file has no column text.
    """
    if source in NAMES:
        corpora = corpora or Corpora.from_environment()
        found = as_kind(named(source, corpora), "labelled").rows()
        yield from (row for row in found if isinstance(row, dict))
        return
    path = Path(source)
    if not path.exists():
        raise ConfigError(f"{source}: no such file and no corpus; corpora are {', '.join(NAMES)}")
    records = open_records(path)
    if "text" not in records.columns:
        raise InputError(f"{path}: no column text; it has {', '.join(records.columns) or 'none'}")
    for number, record in enumerate(records.rows, 1):
        if not isinstance(record, Fault) and str(record.values["text"]).strip():
            yield {"id": f"{path.stem}-{number}", "text": str(record.values["text"]), "corpus": source}


def clean_texts(
    source: str, limit: int, corpora: Corpora | None, *, seed: int, read: Collection[str] = ()
) -> list[str]:
    """The clean texts of a source, at most `limit`, chosen by the seed.

    Of a corpus, and of a file in `read`, it is the texts of the test side; of another file all. A text that
    nobody labelled counts as clean.

    Raises:
        ConfigError, InputError: as `rows_of`.
    """
    sides = {"test"} if source in read or source in NAMES else {"train", "dev", "test"}
    found = [
        row["text"]
        for row in rows_of(source, corpora)
        if row.get("labels", {}).get("toxicity", 0.0) < CLEAN and place(_group(row), seed) in sides
    ]
    once = list(dict.fromkeys(found))
    Random(seed).shuffle(once)
    return once[:limit]


def _train_side(sources: Sequence[str], seed: int, corpora: Corpora | None) -> Iterator[Row]:
    for source in sources:
        for row in rows_of(source, corpora):
            row["group"] = _group(row)
            if place(row["group"], seed) == "train":
                yield row


def _group(row: Row) -> str:
    """The source text of a row; both sides of a pair have the pair's."""
    return group_key(row.get("meta", {}).get(SIDE_OF, row["text"]))


def _part(row: Row, seed: int, shares: dict[str, float]) -> str:
    # Another seed than that of the sides, or the shares would be those of one stretch of a side.
    return place(row["group"], seed + 1, shares)


def _fits(text: str, part: TextsPart) -> bool:
    fewest, most = part.words
    return fewest <= len(text.split()) <= most


def _once(rows: Iterator[Row] | list[Row]) -> list[Row]:
    """The first row of each source text: what stands in two corpora is not read twice."""
    return list({row["group"]: row for row in reversed(list(rows))}.values())[::-1]


def _drawn(rows: list[Row], part: TextsPart) -> list[Row]:
    Random(part.seed).shuffle(rows)
    return rows if part.rows is None else rows[: part.rows]


def _plain(row: Row) -> Row:
    return {name: row[name] for name in ("id", "text", "corpus")}
