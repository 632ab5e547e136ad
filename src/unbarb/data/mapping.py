"""Says which column of a table is which part of a row: ``text=comment``, ``label:toxicity=toxic``."""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from difflib import get_close_matches
from typing import Any, Self

from unbarb.data.prepared import KINDS, Kind, Row
from unbarb.data.records import Fault, Record
from unbarb.errors import ConfigError
from unbarb.text import LABELS

PARTS = ("id", "text", "source", "target", "chosen", "rejected")
NAME = re.compile(r"[a-z][a-z0-9_]*")
ABSENT = object()
"""What a column that is not there holds; None is an empty cell."""

TRUE, FALSE = {"true", "yes"}, {"false", "no"}


@dataclass(frozen=True, slots=True)
class Columns:
    """The columns of a table, by the part of a row that they are.

    `labels` gives each label its column and, where that holds names of classes, the names that mean 1.
    """

    kind: Kind
    parts: Mapping[str, str]
    labels: Mapping[str, tuple[str, frozenset[str]]] = field(default_factory=dict)

    @classmethod
    def parse(cls, given: Iterable[str]) -> Self:
        """Read ``PART=COLUMN`` or ``label:NAME=COLUMN`` or ``label:NAME=COLUMN:CLASS,CLASS``, once each.

        Raises:
            ConfigError: one cannot be read, or together they are no kind of row; all problems at once.
        """
        parts: dict[str, str] = {}
        labels: dict[str, tuple[str, frozenset[str]]] = {}
        problems = []
        for one in given:
            part, equals, column = one.partition("=")
            if not equals or not part or not column:
                problems.append(f"{one!r} is not PART=COLUMN")
            elif part.startswith("label:"):
                label = part.removeprefix("label:")
                problems += _unfit(label)
                name, _, classes = column.partition(":")
                labels[label] = (name, frozenset(filter(None, classes.split(","))))
            elif part in PARTS:
                parts[part] = column
            else:
                problems.append(
                    f"{part!r} is no part of a row{_near(part, PARTS)};"
                    f" parts are {', '.join(PARTS)}, label:NAME"
                )
        kind = _kind_of(parts, labels)
        if kind is None and not problems:
            problems.append(
                "together they are no row; needed are source and target, or text and label:NAME,"
                " or source, chosen and rejected"
            )
        if problems or kind is None:
            raise ConfigError("--column: " + "; ".join(problems))
        return cls(kind, parts, labels)

    @property
    def columns(self) -> tuple[str, ...]:
        """Every column that it reads."""
        return (*self.parts.values(), *(column for column, _ in self.labels.values()))

    def missing(self, columns: Iterable[str]) -> list[str]:
        """What a table of these `columns` lacks: each absent one, with the nearest that is there."""
        there = list(columns)
        absent = [column for column in dict.fromkeys(self.columns) if column not in there]
        return [f"no column {column!r}{_near(column, there)}" for column in absent]

    def row(self, record: Record) -> Row | Fault:
        """The row of a record, without its id and corpus where there is no column for the id."""
        row: Row = {}
        problems = []
        for part, column in self.parts.items():
            value = value_of(record.values, column)
            if value is ABSENT:
                problems.append(f"no column {column!r}{_near(column, record.values)}")
            elif isinstance(value, str) or (part == "id" and value is not None):
                row[part] = str(value)
            elif value is None:
                row[part] = ""  # an empty text, which cleaning drops and counts
            else:
                problems.append(f"column {column!r} must hold text, not {type(value).__name__}")
        if self.kind == "labelled":
            labels: dict[str, float] = {}
            for label, (column, classes) in self.labels.items():
                value = value_of(record.values, column)
                if value is ABSENT:
                    problems.append(f"no column {column!r}{_near(column, record.values)}")
                    continue
                share = float(str(value) in classes) if classes else _share(value)
                if share is None:
                    problems.append(
                        f"column {column!r} holds {value!r}, no number from 0 to 1 for {label!r}"
                        f" (for names of classes: label:{label}={column}:NAME,NAME)"
                    )
                elif not math.isnan(share):
                    labels[label] = share
            row["labels"] = labels
        return Fault(record.place, "; ".join(problems)) if problems else row


def value_of(values: Mapping[str, Any], column: str) -> Any:
    """The value of a column, or `ABSENT`; ``outer.inner`` looks into an object where none has that name."""
    if column in values:
        return values[column]
    outer, _, inner = column.partition(".")
    nested = values.get(outer)
    return nested.get(inner, ABSENT) if isinstance(nested, dict) else ABSENT


def _share(value: object) -> float | None:
    """A label as a share, 0…1; NaN where nothing is known, None where it is no share."""
    if value is None or value == "":
        return math.nan
    text = str(value).strip().lower()
    if text in TRUE | FALSE:
        return float(text in TRUE)
    try:
        share = float(text)
    except ValueError:
        return None
    return share if math.isnan(share) or 0 <= share <= 1 else None


def _unfit(label: str) -> list[str]:
    """A label that is nearly a known one is a slip of the pen; any other name is the user's own."""
    if label in LABELS:
        return []
    if near := _near(label, LABELS):
        return [f"label {label!r} is not known{near}"]
    return [] if NAME.fullmatch(label) else [f"label {label!r} must be of small letters, digits and _"]


def _kind_of(parts: Mapping[str, str], labels: Mapping[str, object]) -> Kind | None:
    texts = set(parts) - {"id"}
    for kind in ("pairs", "labelled", "preferences"):
        if texts == set(KINDS[kind]) and bool(labels) == (kind == "labelled"):
            return kind
    return None


def _near(wanted: str, known: Iterable[str]) -> str:
    near = get_close_matches(wanted, list(known), n=1, cutoff=0.75)
    return f"; did you mean {near[0]!r}?" if near else ""
