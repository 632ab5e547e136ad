"""What every trained classifier is: labels, probabilities, and a folder it is saved in and read from."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from importlib import import_module
from pathlib import Path
from typing import Any, Protocol, cast

from unbarb.errors import MissingExtra, ModelError
from unbarb.metrics.f1 import counts
from unbarb.metrics.roc_auc import roc_auc
from unbarb.train.labels import Floats, label_matrix, positives
from unbarb.train.run import Run

FILE = "classifier.json"
SCHEMA = 1

KINDS: Mapping[str, tuple[str, str]] = {
    "linear": ("unbarb.train.linear_classifier", "LinearClassifier"),
    "bilstm": ("unbarb.train.bilstm", "BiLSTM"),
    "transformer": ("unbarb.train.classification", "TransformerClassifier"),
}


class Classifier(Protocol):
    """Scores texts by label; the same texts give the same scores whatever they are scored with."""

    labels: tuple[str, ...]

    def predict_proba(self, texts: Sequence[str]) -> Floats:
        """Probabilities 0…1, shape (texts, labels)."""
        ...

    def save(self, folder: Path) -> None:
        """Write everything that `load_classifier` needs; no pickle."""
        ...


def load_classifier(folder: Path) -> Classifier:
    """Read a classifier that a run saved in its ``model/``.

    Raises:
        ModelError: the folder holds none, or one of another version, or is damaged.
        MissingExtra: it needs a package that is not installed.
    """
    about = read_about(folder)
    kind = str(about.get("kind"))
    if kind not in KINDS:
        raise ModelError(f"{folder / FILE}: kind {kind!r} is none of {', '.join(KINDS)}")
    module, name = KINDS[kind]
    try:
        found = getattr(import_module(module), name)
    except ModuleNotFoundError as error:
        if error.name is None or error.name.startswith("unbarb"):
            raise
        raise MissingExtra.for_feature(f"a {kind} classifier", error.name, "train") from error
    return cast(Classifier, found.load(folder))


def write_about(folder: Path, kind: str, labels: Sequence[str], **more: Any) -> None:
    """Write ``classifier.json``; last, so that a folder that has it is whole."""
    content = {"schema": SCHEMA, "kind": kind, "labels": list(labels), **more}
    (folder / FILE).write_text(json.dumps(content, indent=2) + "\n", encoding="utf-8")


def read_about(folder: Path) -> dict[str, Any]:
    """Read ``classifier.json``.

    Raises:
        ModelError: it is missing, damaged or of another version.
    """
    path = folder / FILE
    try:
        content = json.loads(path.read_text("utf-8"))
    except (OSError, ValueError) as error:
        raise ModelError(f"{path} does not load ({error}); name the model/ folder of a run") from error
    if not isinstance(content, dict) or content.get("schema") != SCHEMA or "labels" not in content:
        raise ModelError(f"{path}: not a classifier of version {SCHEMA}; train it anew")
    return content


def conclude(run: Run, classifier: Classifier, rows: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """Save `classifier`, score the dev `rows` with what is read back, and give the run's figures.

    The figures are those of the saved model, not of the one in memory: what is served is what was measured.
    """
    run.model.mkdir(parents=True, exist_ok=True)
    classifier.save(run.model)
    loaded = load_classifier(run.model)
    scores = loaded.predict_proba([row["text"] for row in rows])
    run.predicted(
        {"id": row["id"], "text": row["text"], "labels": row["labels"],
         "scores": dict(zip(loaded.labels, np_round(one), strict=True))}
        for row, one in zip(rows, scores, strict=True)
    )  # fmt: skip
    return {"dev": figures(scores, label_matrix(rows, loaded.labels), loaded.labels)} if rows else {}


def np_round(scores: Floats) -> list[float]:
    """Scores as they are written."""
    return [round(float(score), 6) for score in scores]


def figures(scores: Floats, truth: Floats, labels: Sequence[str]) -> dict[str, Any]:
    """ROC-AUC and F1 at .5 of each label, and their means over the labels that have them."""
    classes = positives(truth)
    found: dict[str, Any] = {"n": len(scores), "roc_auc": {}, "f1": {}}
    for at, label in enumerate(labels):
        found["roc_auc"][label] = roc_auc(scores[:, at], classes[:, at])
        found["f1"][label] = counts(scores[:, at], classes[:, at]).f1
    for name in ("roc_auc", "f1"):
        known = [value for value in found[name].values() if value is not None]
        found[f"macro_{name}"] = sum(known) / len(known) if known else None
    return found
