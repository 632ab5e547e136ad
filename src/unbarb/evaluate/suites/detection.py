"""Is a text toxic? Ranking, share found at 1 % false alarms, and what the policy makes of it.

Suites ``detection`` (toxicity per corpus) and ``labels`` (six labels, mean AUC).
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np

from unbarb.evaluate.results import Curve, Progress, Row, Table, digest_of, silent
from unbarb.evaluate.subjects import Outcome, Subject
from unbarb.metrics import calibration, pr_auc, recall_at_false_alarm, roc_auc
from unbarb.metrics.measured import Measured, measure, share
from unbarb.metrics.scored import scored
from unbarb.text import LABELS

NOTE = (
    "ROC-AUC and average precision of the toxicity score; share of the toxic texts found when 1 %"
    " of the clean are flagged; shares of toxic and of clean texts that the policy flags; expected"
    " calibration error."
)
LABELS_NOTE = "ROC-AUC of each of the six labels and their mean, over the labels that have both classes."


@dataclass(frozen=True, slots=True)
class Texts:
    """A named set of texts with labels 0, 1 or unknown (`None`) by name of the label."""

    name: str
    texts: tuple[str, ...]
    labels: dict[str, tuple[float | None, ...]]

    @property
    def digest(self) -> str:
        return digest_of([self.texts, self.labels])


def detection(data: Texts, subjects: Sequence[Subject], progress: Progress = silent) -> Table:
    """The table of one set of texts, which needs the label ``toxicity``."""
    truth = data.labels["toxicity"]
    rows: list[Row] = []
    lines: list[Curve] = []
    for subject in subjects:
        outcomes = subject.outcomes(data.texts, progress)
        rows.append(Row(subject.name, _figures(outcomes, truth), subject.digest))
        scores = [outcome.scores.get("toxicity") for outcome in outcomes]
        lines += curves(subject.name, scores, truth)
    return Table("detection", data.name, NOTE, data.digest, tuple(rows), tuple(lines))


def labels(data: Texts, subjects: Sequence[Subject], progress: Progress = silent) -> Table:
    """The table of the six labels of one set of texts."""
    rows: list[Row] = []
    for subject in subjects:
        outcomes = subject.outcomes(data.texts, progress)
        figures: dict[str, Measured] = {}
        for label in LABELS:
            scores = [outcome.scores.get(label) for outcome in outcomes]
            figures[label] = measure(
                roc_auc.METRIC, roc_auc.roc_auc, scores, data.labels[label], rounds=200
            )
        rows.append(Row(subject.name, {"mean": _mean(outcomes, data)} | figures, subject.digest))
    return Table("labels", data.name, LABELS_NOTE, data.digest, tuple(rows))


def _figures(outcomes: Sequence[Outcome], truth: Sequence[float | None]) -> dict[str, Measured]:
    scores = [outcome.scores.get("toxicity") for outcome in outcomes]
    flags = [float(outcome.flagged) for outcome in outcomes]
    toxic = [flag for flag, label in zip(flags, truth, strict=True) if label == 1]
    clean = [flag for flag, label in zip(flags, truth, strict=True) if label == 0]
    return {
        "roc_auc": measure(roc_auc.METRIC, roc_auc.roc_auc, scores, truth),
        "pr_auc": measure(pr_auc.METRIC, pr_auc.pr_auc, scores, truth),
        "found at 1 % false alarms": measure(
            recall_at_false_alarm.METRIC, recall_at_false_alarm.recall_at_false_alarm, scores, truth
        ),
        "found by policy": share("flagged_share/1", toxic),
        "false alarms by policy": share("flagged_share/1", clean),
        "calibration error": measure(
            calibration.METRIC, calibration.calibration_error, scores, truth, rounds=200
        ),
    }


def curves(system: str, scores: Sequence[float | None], truth: Sequence[float | None]) -> list[Curve]:
    """The ROC curve and the calibration of one system, none when a class is missing."""
    value, label = scored(scores, truth).columns
    if not len(value) or label.min() == label.max():
        return []
    order = np.argsort(-value, kind="stable")
    hits = np.concatenate(([0.0], np.cumsum(label[order]) / label.sum()))
    alarms = np.concatenate(([0.0], np.cumsum(1 - label[order]) / (1 - label).sum()))
    ends = np.concatenate(([True], np.diff(value[order]) != 0, [True]))  # tied samples move together
    hits, alarms = hits[ends], alarms[ends]
    kept = np.unique(np.linspace(0, len(hits) - 1, 200).astype(int))
    found = calibration.bins(value, label)
    return [
        Curve("roc", system, _rounded(alarms[kept].tolist()), _rounded(hits[kept].tolist())),
        Curve(
            "calibration",
            system,
            _rounded(b.mean_score for b in found),
            _rounded(b.positive for b in found),
        ),
    ]


def _rounded(values: Iterable[float]) -> tuple[float, ...]:
    return tuple(round(float(value), 5) for value in values)


def _mean(outcomes: Sequence[Outcome], data: Texts) -> Measured:
    """The mean over labels, resampling texts: all labels of a text stay together."""
    columns = [[outcome.scores.get(label) for outcome in outcomes] for label in LABELS]
    truths = [data.labels[label] for label in LABELS]

    def statistic(*both: np.ndarray) -> float | None:
        half = len(both) // 2
        values = [roc_auc.roc_auc(both[i], both[half + i]) for i in range(half)]
        there = [value for value in values if value is not None]
        return sum(there) / len(there) if there else None

    return measure("mean_roc_auc/1", statistic, *columns, *truths, rounds=200)
