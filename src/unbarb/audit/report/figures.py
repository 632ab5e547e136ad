"""What a report says, counted in one pass over the records of its period."""

from __future__ import annotations

import json
from array import array
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date
from typing import Any

DAYS_AS_DAYS = 62
"""Longest period that is told by the day; longer ones are told by the month."""


@dataclass(frozen=True, slots=True)
class Seen:
    """How often something stood in the record, and when first and last."""

    name: str
    digest: str
    count: int
    first: str
    last: str


@dataclass(slots=True)
class Figures:
    """Counts of a period; `record` takes one record after the other, in order."""

    by_month: bool = False
    kinds: Counter[str] = field(default_factory=Counter)
    periods: Counter[str] = field(default_factory=Counter)
    failed_periods: Counter[str] = field(default_factory=Counter)
    surfaces: Counter[str] = field(default_factory=Counter)
    actions: Counter[str] = field(default_factory=Counter)
    steps: Counter[str] = field(default_factory=Counter)
    directions: Counter[str] = field(default_factory=Counter)
    rules: Counter[str] = field(default_factory=Counter)
    labels: Counter[str] = field(default_factory=Counter)
    errors: Counter[str] = field(default_factory=Counter)
    not_detoxifiable: int = 0
    partly_scored: int = 0
    with_text: int = 0
    unreadable: int = 0
    policies: dict[tuple[str, str], Seen] = field(default_factory=dict)
    models: dict[tuple[str, str], Seen] = field(default_factory=dict)
    policy_changes: list[dict[str, Any]] = field(default_factory=list)
    administration: list[dict[str, Any]] = field(default_factory=list)
    _seconds: array[float] = field(default_factory=lambda: array("d"))

    def over(self, records: Iterable[Mapping[Any, Any]]) -> Figures:
        """Count all records; one that was tampered with so that it cannot be read is counted as that."""
        for record in records:
            try:
                self._count(record)
            except (ValueError, TypeError, KeyError, AttributeError):
                self.unreadable += 1
        return self

    def _count(self, record: Mapping[Any, Any]) -> None:
        kind, time = record["kind"], record["time"]
        details = json.loads(record["details"]) if record["details"] else {}
        self.kinds[kind] += 1
        self.surfaces[record["surface"]] += 1
        period = time[: 7 if self.by_month else 10]
        if record["seconds"] is not None:
            self._seconds.append(record["seconds"])
        if kind == "decision":
            self.periods[period] += 1
            self._decision(record)
        elif kind == "failure":
            self.failed_periods[period] += 1
            self.errors[f"{record['error']} on {record['surface']}"] += 1
        elif kind == "policy":
            change = {"time": time, "name": record["policy"], "before": details.get("before")}
            self.policy_changes.append({**change, "digest": record["policy_digest"]})
        else:
            self.administration.append({"time": time, **details})

    def _decision(self, record: Mapping[Any, Any]) -> None:
        self.actions[record["action"]] += 1
        self.steps[record["step"]] += 1
        self.directions[record["direction"]] += 1
        self.rules[record["rule"].partition(": ")[0]] += 1
        self.labels.update({span[0] for span in json.loads(record["spans"])})
        self.not_detoxifiable += record["not_detoxifiable"]
        self.partly_scored += record["coverage"] < 1
        self.with_text += record["text_digest"] is not None
        _see(self.policies, record["policy"], record["policy_digest"], record["time"])
        for name, digest in json.loads(record["models"]).items():
            _see(self.models, name, digest, record["time"])

    def seconds(self, share: float) -> float | None:
        """The time below which `share` of the requests stayed; None where none was measured."""
        ordered = sorted(self._seconds)
        return ordered[min(int(share * len(ordered)), len(ordered) - 1)] if ordered else None

    @property
    def every_period(self) -> list[str]:
        """Each day, or month, from the first to the last with a decision or failure, quiet ones too."""
        seen = sorted({*self.periods, *self.failed_periods})
        if not seen:
            return []
        ending = "-01" if self.by_month else ""
        first, last = (date.fromisoformat(one + ending).toordinal() for one in (seen[0], seen[-1]))
        days = (date.fromordinal(day).isoformat() for day in range(first, last + 1))
        return list(dict.fromkeys(day[: len(seen[0])] for day in days))

    def to_dict(self) -> dict[str, Any]:
        """All figures as plain JSON types."""
        counters = ("kinds", "periods", "failed_periods", "surfaces", "actions", "steps", "directions")
        return {
            **{name: dict(getattr(self, name)) for name in (*counters, "rules", "labels", "errors")},
            "not_detoxifiable": self.not_detoxifiable,
            "partly_scored": self.partly_scored,
            "with_text": self.with_text,
            "unreadable": self.unreadable,
            "seconds": {"p50": self.seconds(0.5), "p95": self.seconds(0.95), "n": len(self._seconds)},
            "policies": [_row(seen) for seen in self.policies.values()],
            "models": [_row(seen) for seen in self.models.values()],
            "policy_changes": self.policy_changes,
            "administration": self.administration,
        }


def _see(known: dict[tuple[str, str], Seen], name: str, digest: str, time: str) -> None:
    before = known.get((name, digest), Seen(name, digest, 0, time, time))
    first, last = min(before.first, time), max(before.last, time)
    known[name, digest] = Seen(name, digest, before.count + 1, first, last)


def _row(seen: Seen) -> dict[str, Any]:
    return {name: getattr(seen, name) for name in ("name", "digest", "count", "first", "last")}
