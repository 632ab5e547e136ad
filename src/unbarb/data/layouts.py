"""Published tables that are known by their columns, so that their files need no column mapping."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

from unbarb.data.mapping import Columns
from unbarb.data.prepared import KINDS, Kind
from unbarb.data.readers.jigsaw import COLUMNS as JIGSAW
from unbarb.data.readers.paradetox import NEUTRALS
from unbarb.data.readers.paranmt import COLUMNS as PARANMT
from unbarb.data.readers.paranmt import STANDARD, Limits, paranmt
from unbarb.data.readers.real_toxicity_prompts import prompts_and_continuations, real_toxicity_prompts
from unbarb.data.records import Fault, Record
from unbarb.text import LABELS

PROMPTS = ("prompt", "continuation")

Reader = Callable[[Mapping[str, Any]], Iterator[dict[str, Any] | str | Fault]]


@dataclass(frozen=True, slots=True)
class Layout:
    """How the records of a table become rows.

    `read` gives for a record its rows, without id and corpus, and for each that is left out the reason.
    """

    name: str
    kind: Kind
    columns: tuple[str, ...]
    read: Reader

    def rows(self, record: Record) -> Iterator[dict[str, Any] | str | Fault]:
        """As `read`, but what cannot be read is a fault with its place."""
        try:
            for row in self.read(record.values):
                reason = row.reason if isinstance(row, Fault) else _unfit(row, self.kind)
                yield Fault(record.place, reason) if reason else row
        except (AttributeError, KeyError, TypeError, ValueError) as error:
            yield Fault(record.place, f"not as {self.name} is: {type(error).__name__}: {error}")


def _unfit(row: dict[str, Any] | str, kind: Kind) -> str:
    """Why a row cannot be used: a text that is none, a label that is no share; '' when it can."""
    if isinstance(row, str):
        return ""
    reasons = [
        f"{part!r} must be text, not {type(row.get(part)).__name__}"
        for part in KINDS[kind]
        if not isinstance(row.get(part), str)
    ]
    reasons += [
        f"label {label!r} must be a number from 0 to 1, not {share}"
        for label, share in row.get("labels", {}).items()
        if not 0 <= share <= 1
    ]
    if not isinstance(row.get("meta", {}), dict):
        reasons.append("'meta' must be an object")
    try:
        json.dumps(row, ensure_ascii=False).encode()
    except UnicodeEncodeError:
        reasons.append("not Unicode text: half of a surrogate pair stands alone")
    return "; ".join(reasons)


def of_mapping(mapping: Columns) -> Layout:
    """The layout that a column mapping describes; its faults tell the column."""

    def read(values: Mapping[str, Any]) -> Iterator[dict[str, Any] | str | Fault]:
        row = mapping.row(Record("", values))
        unlabelled = isinstance(row, dict) and row.get("labels") == {}
        yield "unlabelled" if unlabelled else row

    return Layout("mapped columns", mapping.kind, mapping.columns, read)


def layouts(limits: Limits = STANDARD) -> tuple[Layout, ...]:
    """All of them; the first whose columns are there is taken, or the first of the wanted kind."""
    jigsaw = {label: column for column, label in JIGSAW.items()}
    civil = {label: label for label in LABELS}
    hub_pairs = Columns("pairs", {"source": "en_toxic_comment", "target": "en_neutral_comment"})
    return (
        Layout("ParaNMT-detox", "pairs", PARANMT, lambda values: paranmt(values, limits)),
        Layout("RealToxicityPrompts", "labelled", PROMPTS, real_toxicity_prompts),
        Layout("RealToxicityPrompts", "pairs", PROMPTS, prompts_and_continuations),
        _labelled("Jigsaw 2018", "comment_text", jigsaw),
        _labelled("Jigsaw 2018", "text", jigsaw),
        _labelled("Civil Comments", "text", civil),
        _labelled("Civil Comments", "comment_text", {**civil, "toxicity": "target"}),
        Layout("ParaDetox", "pairs", ("toxic", "neutral1"), _paradetox),
        replace(of_mapping(hub_pairs), name="ParaDetox on the hub"),
        Layout("rows of preferences", "preferences", KINDS["preferences"], _own("preferences")),
        Layout("rows of pairs", "pairs", KINDS["pairs"], _own("pairs")),
        Layout("labelled rows", "labelled", ("text", "labels"), _own("labelled")),
    )


def recognised(
    columns: Iterable[str], limits: Limits = STANDARD, kind: Kind | None = None
) -> Layout | None:
    """The layout of a table with these columns, of `kind` where there is one; None for no known table."""
    there = set(columns)
    known = [one for one in layouts(limits) if set(one.columns) <= there]
    return next((one for one in known if one.kind == kind), known[0] if known else None)


def _labelled(name: str, text: str, columns: Mapping[str, str]) -> Layout:
    """Texts with a column for each label; `columns` gives them by label."""
    labels = {label: (column, frozenset[str]()) for label, column in columns.items()}
    return replace(of_mapping(Columns("labelled", {"text": text}, labels)), name=name)


def _paradetox(values: Mapping[str, Any]) -> Iterator[dict[str, Any] | str]:
    """A pair for each rewrite; a sentence that nobody rewrote is left out as ``no_neutral``."""
    neutrals = [values.get(column) or "" for column in NEUTRALS]
    there = [neutral for neutral in neutrals if neutral.strip()]
    yield from ({"source": values["toxic"], "target": neutral} for neutral in there)
    if not there:
        yield "no_neutral"


def _own(kind: Kind) -> Reader:
    """Rows as a prepared set holds them; other columns are left behind."""
    kept = ("id", *KINDS[kind], *(("labels",) if kind == "labelled" else ()), "meta")

    def read(values: Mapping[str, Any]) -> Iterator[dict[str, Any] | str]:
        row = {column: values[column] for column in kept if values.get(column) is not None}
        if kind == "labelled":
            row["labels"] = {label: float(share) for label, share in row.get("labels", {}).items()}
            if not row["labels"]:
                yield "unlabelled"
                return
        yield {**dict.fromkeys(KINDS[kind], ""), **row}

    return read
