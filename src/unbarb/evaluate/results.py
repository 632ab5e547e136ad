"""What an evaluation gives: tables of figures, curves and examples, in one report.

A table is one suite on one set of texts: a row a system, a figure a column. Everything is plain data;
`to_dict` is what ``report.json`` holds.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Mapping
from dataclasses import asdict, dataclass, field
from typing import Any, Self

from unbarb.metrics.measured import Measured

WHOLE_FILE = "whole file"
"""The side of a report whose texts were not split."""

Progress = Callable[[str], None]


def silent(message: str) -> None:
    """Progress that nobody reads."""


def digest_of(texts: Iterable[object]) -> str:
    """``sha256:…`` of the texts (or rows) in their order."""
    state = hashlib.sha256()
    for text in texts:
        state.update(repr(text).encode() + b"\n")
    return f"sha256:{state.hexdigest()}"


@dataclass(frozen=True, slots=True)
class Row:
    """One system's figures; `digest` pins its model or list, empty for what has none."""

    system: str
    figures: Mapping[str, Measured]
    digest: str = ""


@dataclass(frozen=True, slots=True)
class Curve:
    """A line to plot: `x` and `y` of one system, equally long.

    `kind` says what: ``roc``, ``calibration``, or the losses ``loss`` and ``eval_loss`` by step.
    """

    kind: str
    system: str
    x: tuple[float, ...]
    y: tuple[float, ...]


@dataclass(frozen=True, slots=True)
class Matrix:
    """A confusion matrix of one system: `counts[true][predicted]`, in the order of `classes`."""

    system: str
    name: str
    classes: tuple[str, ...]
    counts: tuple[tuple[int, ...], ...]


@dataclass(frozen=True, slots=True)
class Spread:
    """How one score of one system is distributed: `counts` of equal bins over `low`…`high`."""

    system: str
    name: str
    low: float
    high: float
    counts: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Point:
    """One system in a plane: what people say (`x`) and what a judge says (`y`)."""

    system: str
    judge: str
    x: float
    y: float


@dataclass(frozen=True, slots=True)
class Example:
    """One text before and after, and what the judges said; `output` is `None` when nothing may leave."""

    system: str
    source: str
    output: str | None
    reference: str
    scores: Mapping[str, float]


@dataclass(frozen=True, slots=True)
class Table:
    """One suite on one set of texts; `note` says in a sentence how to read it."""

    suite: str
    name: str
    note: str
    data: str
    rows: tuple[Row, ...]
    curves: tuple[Curve, ...] = ()
    examples: tuple[Example, ...] = ()
    matrices: tuple[Matrix, ...] = ()
    spreads: tuple[Spread, ...] = ()
    points: tuple[Point, ...] = ()

    @property
    def columns(self) -> tuple[str, ...]:
        """The figures that any row has, in the order in which they first occur."""
        return tuple(dict.fromkeys(name for row in self.rows for name in row.figures))


@dataclass(frozen=True, slots=True)
class Report:
    """Everything one run found out, and about what.

    `models` maps a detector or rewriter to its digest, `policy` holds name and digest, `versions` those
    of unbarb and of what computed the figures, `seed` is that of the split. `agreement` says how far the
    judges of this report agree with people, in a sentence; empty when that was not measured.
    """

    tables: tuple[Table, ...]
    seed: int
    split: str
    models: Mapping[str, str] = field(default_factory=dict)
    policy: Mapping[str, str] = field(default_factory=dict)
    judges: Mapping[str, Any] = field(default_factory=dict)
    versions: Mapping[str, str] = field(default_factory=dict)
    schema: int = 1
    title: str = "evaluation"
    agreement: str = ""

    def to_dict(self) -> dict[str, Any]:
        """Plain JSON types."""
        return asdict(self)

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> Self:
        """The report that `to_dict` wrote, of this version or an earlier one of the same schema.

        Raises:
            KeyError, TypeError: it is no report.
        """
        judges = dict(data.get("judges", {}))
        if "quality" in judges:
            judges["quality"] = {name: Measured(**one) for name, one in judges["quality"].items()}
        return cls(**{**data, "tables": tuple(map(_table, data["tables"])), "judges": judges})


def _table(data: Mapping[str, Any]) -> Table:
    rows = tuple(
        Row(row["system"], {name: Measured(**one) for name, one in row["figures"].items()}, row["digest"])
        for row in data["rows"]
    )
    parts: dict[str, Any] = {
        name: tuple(kind(**_tuples(one)) for one in data.get(name, ()))
        for name, kind in (
            ("curves", Curve), ("examples", Example), ("matrices", Matrix), ("spreads", Spread),
            ("points", Point),
        )
    }  # fmt: skip
    return Table(data["suite"], data["name"], data["note"], data["data"], rows, **parts)


def _tuples(data: Mapping[str, Any]) -> dict[str, Any]:
    return {name: _tuple(value) if isinstance(value, list) else value for name, value in data.items()}


def _tuple(values: list[Any]) -> tuple[Any, ...]:
    return tuple(_tuple(value) if isinstance(value, list) else value for value in values)
