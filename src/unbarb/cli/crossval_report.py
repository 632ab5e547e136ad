"""The figures of a cross-validation: pooled over the folds, with intervals, as JSON, Markdown and HTML."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Self

import numpy as np

from unbarb.data.split import group_key
from unbarb.errors import ConfigError
from unbarb.evaluate.page import page
from unbarb.evaluate.results import Report, Row, Table, digest_of
from unbarb.metrics import bootstrap, f1
from unbarb.metrics.f1 import Counts
from unbarb.metrics.measured import Measured
from unbarb.metrics.roc_auc import METRIC as ROC_AUC
from unbarb.metrics.roc_auc import roc_auc
from unbarb.train.folds import Fold, thresholds
from unbarb.train.labels import Flags, Floats, label_matrix, positives
from unbarb.train.run import versions

ROUNDS = 500
Parts = Sequence[tuple[Fold, Mapping[str, list[float]]]]
Indices = np.ndarray[Any, np.dtype[np.int64]]


@dataclass(frozen=True)
class System:
    """One recipe over all folds: arrays (rows, labels) of scores, decisions and truth (NaN where unknown).

    `cuts` are the thresholds of every fold, (folds, labels).
    """

    name: str
    labels: Sequence[str]
    scores: Floats
    decided: Flags
    truth: Floats
    cuts: Floats
    texts: Sequence[str]

    @classmethod
    def of(cls, name: str, labels: Sequence[str], parts: Parts, limits: Mapping[str, float]) -> Self:
        """Pool the folds; each is decided by the thresholds that its own dev rows gave."""
        scores, decided, truth, cuts = [], [], [], []
        for fold, found in parts:
            dev = np.array([found[row["id"]] for row in fold.dev])
            cut = thresholds(dev, label_matrix(fold.dev, labels), [limits.get(label) for label in labels])
            test = np.array([found[row["id"]] for row in fold.test])
            scores.append(test)
            decided.append(test >= cut)
            truth.append(positives(label_matrix(fold.test, labels)))
            cuts.append(cut)
        texts = [group_key(row["text"]) for fold, _ in parts for row in fold.test]
        return cls(
            name, labels, np.concatenate(scores), np.concatenate(decided), np.concatenate(truth),
            np.stack(cuts), texts,
        )  # fmt: skip

    def figures(self) -> dict[str, Measured]:
        """Every figure by its name; a label's under ``F1 threat`` and so on."""
        everything = range(len(self.labels))
        found = {
            "macro F1": self._measured(
                "mean_f1/1", lambda at: _mean(self._f1(at, one) for one in everything)
            ),
            "micro F1": self._measured("micro_f1/1", lambda at: self._counts(at, list(everything)).f1),
            "macro ROC-AUC": self._measured(
                "mean_roc_auc/1", lambda at: _mean(self._auc(at, one) for one in everything)
            ),
        }
        for at, label in enumerate(self.labels):
            found |= {f"{kind} {label}": figure for kind, figure in self._of_label(at).items()}
        return found

    def _of_label(self, one: int) -> dict[str, Measured]:
        kinds: dict[str, Callable[[Counts], float | None]] = {
            "precision": lambda counts: counts.precision,
            "recall": lambda counts: counts.recall,
            "F1": lambda counts: counts.f1,
            "false alarms": lambda counts: counts.false_alarm_rate,
        }

        def counted(take: Callable[[Counts], float | None]) -> Measured:
            return self._measured(f1.METRIC, lambda at: take(self._counts(at, [one])), [one])

        found = {kind: counted(take) for kind, take in kinds.items()}
        return {**found, "ROC-AUC": self._measured(ROC_AUC, lambda at: self._auc(at, one), [one])}

    def _counts(self, at: Indices, labels: list[int]) -> Counts:
        truth, decided = self.truth[at][:, labels], self.decided[at][:, labels]
        yes, no = truth == 1, truth == 0
        sums = ((decided & yes), (decided & no), (~decided & yes), (~decided & no))
        return Counts(*(int(np.count_nonzero(one)) for one in sums))

    def _f1(self, at: Indices, one: int) -> float | None:
        return self._counts(at, [one]).f1

    def _auc(self, at: Indices, one: int) -> float | None:
        return roc_auc(self.scores[at, one], self.truth[at, one])

    def _measured(
        self, metric: str, statistic: Callable[[Indices], float | None], labels: list[int] | None = None
    ) -> Measured:
        n = len(self.texts)
        known = ~np.isnan(self.truth[:, labels or list(range(len(self.labels)))]).all(axis=1)
        rows = np.flatnonzero(known)
        interval = bootstrap.interval(
            lambda drawn: statistic(rows[drawn.astype(np.int64)]), np.arange(len(rows)), rounds=ROUNDS
        )
        if interval is None:
            return Measured(metric, None, len(rows), n - len(rows), seed=bootstrap.SEED)
        return Measured(
            metric,
            interval.value,
            len(rows),
            n - len(rows),
            interval.low,
            interval.high,
            seed=bootstrap.SEED,
        )


def averaged(
    names: Sequence[str], labels: Sequence[str], found: Mapping[str, Parts], limits: Mapping[str, float]
) -> System:
    """The mean of several recipes' logits as one more system.

    Raises:
        ConfigError: a name is not among the recipes.
    """
    if unknown := [name for name in names if name not in found]:
        raise ConfigError(
            f"--mean {'+'.join(names)}: no recipe {', '.join(unknown)}; there are {', '.join(found)}"
        )
    parts = []
    for together in zip(*(found[name] for name in names), strict=True):
        scores = {key: _mean_of([one[key] for _, one in together]) for key in together[0][1]}
        parts.append((together[0][0], scores))
    return System.of(" + ".join(names), labels, parts, limits)


def _mean_of(scores: Sequence[Sequence[float]]) -> list[float]:
    sure = np.clip(np.array(scores), 1e-6, 1 - 1e-6)
    logits = (np.log(sure) - np.log1p(-sure)).mean(axis=0)
    return list(1 / (1 + np.exp(-logits)))


def always_clean(system: System) -> System:
    """The system that finds nothing, on the same rows."""
    nothing = np.zeros_like(system.scores)
    return System("always clean", system.labels, nothing, nothing > 0, system.truth,
                  np.ones_like(system.cuts), system.texts)  # fmt: skip


def write_report(systems: Sequence[System], about: Mapping[str, Any], out: Path) -> str:
    """Write ``report.json``, ``report.md`` and ``report.html`` into `out`, and give the Markdown."""
    shown = [always_clean(systems[0]), *systems]
    rows = [(system, system.figures()) for system in shown]
    n, labels = len(systems[0].texts), systems[0].labels
    table = Table(
        "labels",
        f"{about['folds']}-fold cross-validation",
        "Each row is scored by a model that saw no text of its source; thresholds were chosen on training"
        " rows held out inside each fold. Intervals are of resampled rows.",
        digest_of(systems[0].texts),
        tuple(Row(system.name, figures) for system, figures in rows),
    )
    counts = {label: int(np.nansum(systems[0].truth[:, at])) for at, label in enumerate(labels)}
    none = int((np.nan_to_num(systems[0].truth).sum(axis=1) == 0).sum())
    content = {
        "schema": 1,
        "n": n,
        "counts": {**counts, "none": none},
        **about,
        "versions": versions(),
        "thresholds": {system.name: np.round(system.cuts, 4).tolist() for system in systems},
        "systems": {
            system.name: {name: _plain(one) for name, one in figures.items()} for system, figures in rows
        },
    }
    text = markdown(content, labels)
    (out / "report.json").write_text(json.dumps(content, indent=1) + "\n", encoding="utf-8")
    (out / "report.md").write_text(text, encoding="utf-8")
    report = Report((table,), about["seed"], "cross-validation", versions=versions())
    (out / "report.html").write_text(page(report), encoding="utf-8")
    return text


def markdown(content: Mapping[str, Any], labels: Sequence[str]) -> str:
    """The tables of a report: the systems, and precision / recall / F1 of every label."""
    systems = content["systems"]
    first = ["macro F1", "micro F1", "macro ROC-AUC", f"false alarms {labels[0]}"]
    counts = ", ".join(f"{label} {count}" for label, count in content["counts"].items())
    lines = [f"{content['folds']} folds, n = {content['n']:,} ({counts}); 95 % intervals.", ""]
    lines += ["| system | " + " | ".join(first) + " |", "|---" * (len(first) + 1) + "|"]
    for name, figures in systems.items():
        lines.append(f"| {name} | " + " | ".join(_sure(figures[one]) for one in first) + " |")
    for kind in ("F1", "ROC-AUC", "false alarms"):
        lines += ["", f"| {kind} | " + " | ".join(labels) + " |", "|---" * (len(labels) + 1) + "|"]
        for name, figures in systems.items():
            cells = (_sure(figures[f"{kind} {label}"]) for label in labels)
            lines.append(f"| {name} | " + " | ".join(cells) + " |")
    lines += ["", "| precision / recall | " + " | ".join(labels) + " |", "|---" * (len(labels) + 1) + "|"]
    for name, figures in systems.items():
        cells = (
            " / ".join(_short(figures[f"{kind} {label}"]["value"]) for kind in ("precision", "recall"))
            for label in labels
        )
        lines.append(f"| {name} | " + " | ".join(cells) + " |")
    return "\n".join(lines) + "\n"


def _sure(figure: Mapping[str, Any]) -> str:
    if figure["value"] is None:
        return "–"
    return f"{_short(figure['value'])} ({_short(figure['low'])}–{_short(figure['high'])})"


def _short(value: float | None) -> str:
    if value is None:
        return "–"
    text = f"{value:.3f}"
    return text.replace("0.", ".", 1) if abs(value) < 1 else text


def _plain(figure: Measured) -> dict[str, Any]:
    return {
        name: round(value, 5) if isinstance(value, float) else value
        for name, value in asdict(figure).items()
    }


def _mean(values: Any) -> float | None:
    known = [value for value in values if value is not None]
    return sum(known) / len(known) if known else None
