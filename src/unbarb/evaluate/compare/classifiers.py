"""Classifiers side by side: over all labels and label by label, beside *always clean*."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import partial

import numpy as np

from unbarb.evaluate.compare.contenders import Contender
from unbarb.evaluate.compare.groups import groups_in
from unbarb.evaluate.compare.items import Items
from unbarb.evaluate.compare.over_labels import ROUNDS, THRESHOLD, differences, over_labels
from unbarb.evaluate.results import Example, Matrix, Progress, Row, Spread, Table, silent
from unbarb.evaluate.suites.detection import curves
from unbarb.metrics import (
    accuracy,
    bootstrap,
    calibration,
    hamming,
    identity_false_alarms,
    log_loss,
    pr_auc,
    roc_auc,
)
from unbarb.metrics.confusion import confusion
from unbarb.metrics.f1 import METRIC as F1
from unbarb.metrics.f1 import counts
from unbarb.metrics.measured import Measured, measure, share
from unbarb.metrics.scored import Floats

ALWAYS_CLEAN = "always clean"
SHOWN = 200
LEAST = 10
"""Clean texts that a group needs to stand in the table."""
NOTE = (
    "Over all labels: means over the labels (macro) and over all decisions (micro) at .5; exact: all labels"
    " of a text right; Hamming loss: share of decisions that are wrong. Then each label by itself. A text"
    " whose label is exactly .5 has no truth for it; a text without scores is unscored."
)
GROUPS_NOTE = (
    "Share of the clean texts naming a group that are flagged at .5, for groups with at least ten, and the"
    " widest gap to the share of all clean texts."
)

Column = list[float | None]


def compare_classifiers(
    items: Items, contenders: Sequence[Contender], progress: Progress = silent
) -> list[Table]:
    """All labels, each label, and false alarms by identity group where texts name any."""
    labels = items.label_names
    truth = {label: [_decided(one.get(label)) for one in items.labels] for label in labels}
    clean: Column = [0.0] * len(items.texts)
    systems: dict[str, dict[str, Column]] = {ALWAYS_CLEAN: dict.fromkeys(labels, clean)}
    for one in contenders:
        systems[one.name] = {label: _scores(one, label) for label in labels}
    digests = {one.name: one.digest for one in contenders}
    rows = []
    for name, scores in systems.items():
        progress(f"measuring: {name}")
        rows.append(Row(name, _overall(scores, truth), digests.get(name, "")))
    examples = [
        e for name in systems if name != ALWAYS_CLEAN for e in _examples(name, items, systems[name], truth)
    ]
    tables = [Table("classifiers", "all labels", NOTE, items.digest, tuple(rows), examples=tuple(examples))]
    for label in labels:
        progress(f"measuring: {label}")
        tables.append(_of_label(label, items.digest, systems, truth[label]))
    arrays = {name: _array(columns) for name, columns in systems.items() if name != ALWAYS_CLEAN}
    tables += differences(arrays, _array(truth), items.digest)
    return tables + _by_group(items, labels[0], systems, truth[labels[0]])


def _decided(vote: float | None) -> float | None:
    return None if vote is None or vote == THRESHOLD else float(vote > THRESHOLD)


def _scores(one: Contender, label: str) -> Column:
    return [output.get(label) if isinstance(output, Mapping) else None for output in one.outputs]


def _overall(scores: Mapping[str, Column], truth: Mapping[str, Column]) -> dict[str, Measured]:
    value, label = _array(scores), _array(truth)
    said = np.where(np.isnan(value), np.nan, value >= THRESHOLD)
    wrong = hamming.per_sample(said, label)
    exact = np.where(np.isnan(wrong), np.nan, wrong == 0)
    return over_labels(value, label) | {
        "exact": share(accuracy.METRIC, exact),
        "Hamming loss": measure(hamming.METRIC, bootstrap.mean, wrong, rounds=ROUNDS),
    }


def _array(columns: Mapping[str, Column]) -> Floats:
    """Columns by label as (n, labels), `None` as NaN."""
    return np.array(list(columns.values()), dtype=float).T


def _of_label(label: str, digest: str, systems: Mapping[str, Mapping[str, Column]], truth: Column) -> Table:
    rows, lines, matrices, spreads = [], [], [], []
    for name, columns in systems.items():
        scores = columns[label]
        figures = {
            "ROC-AUC": measure(roc_auc.METRIC, roc_auc.roc_auc, scores, truth, rounds=ROUNDS),
            "PR-AUC": measure(pr_auc.METRIC, pr_auc.pr_auc, scores, truth, rounds=ROUNDS),
            "log loss": measure(log_loss.METRIC, log_loss.log_loss, scores, truth, rounds=ROUNDS),
            "calibration error": measure(
                calibration.METRIC, calibration.calibration_error, scores, truth, rounds=ROUNDS
            ),
        }
        for part in ("precision", "recall", "f1", "false_alarm_rate"):
            figures[part.replace("_", " ")] = measure(
                F1, partial(_part, part), scores, truth, rounds=ROUNDS
            )
        rows.append(Row(name, figures))
        lines += curves(name, scores, truth)
        matrices.append(_matrix(name, label, scores, truth))
        known = [score for score in scores if score is not None]
        bins, _ = np.histogram(known, bins=20, range=(0, 1))
        spreads.append(Spread(name, f"score of {label}", 0.0, 1.0, tuple(bins.tolist())))
    return Table(
        "classifiers", label, NOTE, digest, tuple(rows), curves=tuple(lines), matrices=tuple(matrices),
        spreads=tuple(spreads[1:]),
    )  # fmt: skip


def _part(part: str, value: Floats, label: Floats) -> float | None:
    found: float | None = getattr(counts(value, label, THRESHOLD), part)
    return found


def _matrix(name: str, label: str, scores: Column, truth: Column) -> Matrix:
    known = [
        (s >= THRESHOLD, t == 1)
        for s, t in zip(scores, truth, strict=True)
        if s is not None and t is not None
    ]
    table = confusion([said for said, _ in known], [true for _, true in known], (False, True))
    return Matrix(name, label, ("no", "yes"), tuple(tuple(row) for row in table.tolist()))


def _by_group(
    items: Items, label: str, systems: Mapping[str, Mapping[str, Column]], truth: Column
) -> list[Table]:
    groups = [groups_in(text) for text in items.texts]
    toxic = [None if t is None else t == 1 for t in truth]
    rows = []
    for name, columns in systems.items():
        flagged = [None if score is None else score >= THRESHOLD for score in columns[label]]
        by_group = identity_false_alarms.clean_flags(flagged, toxic, groups, LEAST)
        figures = {group: share(identity_false_alarms.METRIC, flags) for group, flags in by_group.items()}
        gap = identity_false_alarms.false_alarm_gap(flagged, toxic, groups, LEAST)
        rows.append(
            Row(name, {"widest gap": Measured(identity_false_alarms.METRIC, gap, len(toxic))} | figures)
        )
    if len(rows[0].figures) == 1:  # no clean text names a group
        return []
    return [Table("identity", label, GROUPS_NOTE, items.digest, tuple(rows))]


def _examples(
    name: str, items: Items, scores: Mapping[str, Column], truth: Mapping[str, Column]
) -> list[Example]:
    """The texts on which the system is furthest from the truth, summed over labels."""
    found = []
    for at, text in enumerate(items.texts):
        said = {label: column[at] for label, column in scores.items()}
        true = {label: column[at] for label, column in truth.items()}
        both = [(said[l], true[l]) for l in truth if said[l] is not None and true[l] is not None]  # noqa: E741
        wrong = sum(abs(s - t) for s, t in both)  # type: ignore[operator]
        numbers = {label: round(score, 3) for label, score in said.items() if score is not None}
        found.append(
            Example(
                name, text, _named(said), _named(true), {"wrong": round(wrong, 3)} | numbers if both else {}
            )
        )
    return sorted(found, key=lambda example: -example.scores.get("wrong", 0.0))[:SHOWN]


def _named(values: Mapping[str, float | None]) -> str:
    return ", ".join(l for l, v in values.items() if v is not None and v >= THRESHOLD) or "clean"  # noqa: E741
