"""What an evaluation gives: tables of figures, curves and examples, in one report.

A table is one suite on one set of texts: a row a system, a figure a column. Everything is plain data;
`to_dict` is what ``report.json`` holds.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Mapping
from dataclasses import asdict, dataclass, field
from typing import Any

from unbarb.metrics.measured import Measured

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
    """A line to plot: `x` and `y` of one system, equally long; `kind` is ``roc`` or ``calibration``."""

    kind: str
    system: str
    x: tuple[float, ...]
    y: tuple[float, ...]


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

    @property
    def columns(self) -> tuple[str, ...]:
        """The figures that any row has, in the order in which they first occur."""
        return tuple(dict.fromkeys(name for row in self.rows for name in row.figures))


@dataclass(frozen=True, slots=True)
class Report:
    """Everything one run found out, and about what.

    `models` maps a detector or rewriter to its digest, `policy` holds name and digest, `versions` those
    of unbarb and of what computed the figures, `seed` is that of the split.
    """

    tables: tuple[Table, ...]
    seed: int
    split: str
    models: Mapping[str, str] = field(default_factory=dict)
    policy: Mapping[str, str] = field(default_factory=dict)
    judges: Mapping[str, Any] = field(default_factory=dict)
    versions: Mapping[str, str] = field(default_factory=dict)
    schema: int = 1

    def to_dict(self) -> dict[str, Any]:
        """Plain JSON types."""
        return asdict(self)
