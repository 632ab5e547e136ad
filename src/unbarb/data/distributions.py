"""What a set looks like: rows, corpora, labels, lengths and toxicity, counted in one pass."""

from __future__ import annotations

from bisect import bisect_right
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, Self

from unbarb.data.balance import classes_of
from unbarb.data.prepared import KINDS, Kind, Row

LENGTHS = (0, 1, 2, 3, 5, 8, 12, 18, 27, 40, 60, 90, 135, 200, 300)
"""Bins of lengths in words: each from its edge to below the next, the last without an end."""

TENTHS = 10
"""Bins of toxicity, of equal width, from 0 to 1."""


@dataclass(slots=True)
class Tally:
    """Counts of rows of one kind.

    `labels` counts the rows that have a label, from a share of .5 on, and those that have none; `known` the
    rows that know it. `lengths` and `toxicity` hold the bins `LENGTHS` and `TENTHS` by part: ``text``, or
    ``source`` and ``target``.
    """

    kind: Kind
    rows: int = 0
    corpora: Counter[str] = field(default_factory=Counter)
    labels: Counter[str] = field(default_factory=Counter)
    known: Counter[str] = field(default_factory=Counter)
    lengths: dict[str, list[int]] = field(default_factory=dict)
    toxicity: dict[str, list[int]] = field(default_factory=dict)
    augmented: Counter[str] = field(default_factory=Counter)

    def add(self, row: Row) -> None:
        """Count one row."""
        self.rows += 1
        self.corpora[row["corpus"]] += 1
        for part in KINDS[self.kind]:
            words = len(row[part].split())
            self._bins(self.lengths, part, len(LENGTHS))[bisect_right(LENGTHS, words) - 1] += 1
        meta = row.get("meta", {})
        scores = meta.get("toxicity")
        if self.kind == "labelled":
            self.labels.update(classes_of(row["labels"]))
            self.known.update(row["labels"].keys())
            scores = {"text": row["labels"].get("toxicity")}
        for part, score in (scores if isinstance(scores, dict) else {}).items():
            if isinstance(score, int | float):
                self._bins(self.toxicity, part, TENTHS)[min(int(score * TENTHS), TENTHS - 1)] += 1
        if "augmented" in meta:
            self.augmented[meta["augmented"]] += 1

    @classmethod
    def of(cls, kind: Kind, rows: Iterable[Row]) -> Self:
        """Count all of `rows`."""
        tally = cls(kind)
        for row in rows:
            tally.add(row)
        return tally

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> Self:
        """As `to_dict` gave it."""
        counters = {name: Counter(values[name]) for name in ("corpora", "labels", "known", "augmented")}
        return cls(
            values["kind"], values["rows"], lengths=dict(values["lengths"]),
            toxicity=dict(values["toxicity"]), **counters,
        )  # fmt: skip

    def to_dict(self) -> dict[str, Any]:
        """Plain JSON types; labels by how many rows have them."""
        return {
            "kind": self.kind,
            "rows": self.rows,
            "corpora": dict(self.corpora.most_common()),
            "labels": dict(self.labels.most_common()),
            "known": dict(self.known.most_common()),
            "lengths": self.lengths,
            "toxicity": self.toxicity,
            "augmented": dict(self.augmented.most_common()),
        }

    def shares(self) -> dict[str, float]:
        """The share of the rows, 0…1, that have each label, or none; the largest first."""
        return {label: count / self.rows for label, count in self.labels.most_common()}

    @staticmethod
    def _bins(counts: dict[str, list[int]], part: str, size: int) -> list[int]:
        return counts.setdefault(part, [0] * size)
