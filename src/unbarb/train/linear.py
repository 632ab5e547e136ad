"""Trains linear models over the runtime's hashed rows, a logistic regression per label.

One is the second opinion; another stands beside the encoder, and their logits are added.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import sparse
from sklearn.linear_model import LogisticRegression

from unbarb.data.examples import Labelled
from unbarb.detect.features import ROWS, rows
from unbarb.detect.linear import LinearWeights
from unbarb.detect.normalize import normalize
from unbarb.errors import InputError
from unbarb.text import LABELS

_Floats = NDArray[np.float32]
_Matrix = Any  # scipy ships no types; always a csr_matrix


@dataclass(frozen=True, slots=True)
class LinearSettings:
    """What the recipe may set.

    `strength` is the inverse of the L2 penalty (C of scikit-learn) for rows scaled by their inverse
    document frequency; `least` is the weight of a text whose votes are split evenly (1 for a sure one);
    `weights` are those of the texts of a corpus, 1 where it is not named; `counts` is how much the logits
    of a label count in a sum with another model's, 1 where it is not named.
    """

    labels: tuple[str, ...] = ("toxicity", "identity_attack", "threat", "insult", "obscene")
    strength: float = 0.2
    least: float = 0.1
    iterations: int = 60
    weights: Mapping[str, float] = field(default_factory=dict)
    counts: Mapping[str, float] = field(default_factory=dict)


def train_linear(
    examples: Sequence[Labelled], held_out: Sequence[Labelled], settings: LinearSettings | None = None
) -> LinearWeights:
    """Learn from `examples`, calibrate on `held_out`; no group may stand in both.

    Raises:
        InputError: a label has no texts of both kinds.
    """
    weights = learnt(examples, settings or LinearSettings())
    return calibrated(weights, matrix(held_out) @ (weights.table * weights.scale), held_out)


def learnt(examples: Sequence[Labelled], settings: LinearSettings) -> LinearWeights:
    """Weights learnt from `examples`, not calibrated yet.

    Each corpus gets an intercept of its own while learning, because corpora mean different things by
    toxic; the calibration puts one in their place.

    Raises:
        InputError: a label has no texts of both kinds, or one counts that is not learnt.
    """
    if unknown := sorted(set(settings.counts) - set(settings.labels)):
        raise InputError(
            f"counts name {', '.join(map(repr, unknown))}; learnt are {', '.join(settings.labels)}"
        )
    table = matrix(examples)
    rarity = np.log((1 + len(examples)) / (1 + np.bincount(table.indices, minlength=ROWS))).astype(
        np.float32
    )
    table = (table @ sparse.diags(rarity)).tocsr()
    sources = sorted({example.source for example in examples})
    corpora = sparse.csr_matrix(
        np.array([[e.source == source for source in sources] for e in examples], np.float32)
    )
    both = sparse.hstack([table, corpora]).tocsr()
    weight = np.array([settings.weights.get(example.source, 1.0) for example in examples], np.float32)
    columns = [
        _fit(both, _known(examples, label), weight, label, settings)[:ROWS] * rarity
        for label in settings.labels
    ]
    stored, scale = quantized(np.stack(columns, axis=1).astype(np.float32))
    counts = np.array([settings.counts.get(label, 1.0) for label in settings.labels], np.float32)
    nothing = np.zeros_like(scale)
    return LinearWeights(settings.labels, stored, scale * counts, nothing, nothing + 1, nothing)


def calibrated(weights: LinearWeights, logits: _Floats, held_out: Sequence[Labelled]) -> LinearWeights:
    """`weights` with the slope and shift that make probabilities of `logits`, shape (texts, labels).

    Raises:
        InputError: a label has no texts of both kinds.
    """
    platt = [_platt(logits[:, i], _known(held_out, label), label) for i, label in enumerate(weights.labels)]
    slope, shift = np.array(platt, np.float32).T
    return replace(weights, slope=slope, shift=shift)


def matrix(examples: Sequence[Labelled]) -> _Matrix:
    """The rows of each text, of length 1: sparse, shape (texts, rows)."""
    found = [rows(normalize(example.text).text) for example in examples]
    sizes = np.array([len(on) for on in found], np.int64)
    values = np.repeat(1 / np.sqrt(np.maximum(sizes, 1)), sizes).astype(np.float32)
    starts = np.concatenate((np.zeros(1, np.int64), np.cumsum(sizes)))
    columns = np.concatenate([*found, np.empty(0, np.int64)]).astype(np.int32)
    return sparse.csr_matrix((values, columns, starts), shape=(len(found), ROWS))


def quantized(coefficients: _Floats) -> tuple[NDArray[np.int8], _Floats]:
    """Int8 table and one scale per label; the few weights beyond the 99.99th percentile are cut."""
    size = np.abs(coefficients)
    top = np.array([np.quantile(c[c > 0], 0.9999) if (c > 0).any() else 1.0 for c in size.T], np.float32)
    scale = (top / 127).astype(np.float32)
    return np.clip(np.round(coefficients / scale), -127, 127).astype(np.int8), scale


def _known(examples: Sequence[Labelled], label: str) -> _Floats:
    """The label of each text, NaN where nobody said."""
    if label not in LABELS:
        raise InputError(f"unknown label {label!r}; known are {', '.join(LABELS)}")
    return np.array([example.labels.get(label, np.nan) for example in examples], np.float32)


def _fit(table: _Matrix, known: _Floats, weight: _Floats, label: str, settings: LinearSettings) -> _Floats:
    said = ~np.isnan(known)
    sure = np.clip(np.abs(2 * known[said] - 1), settings.least, 1)
    model = LogisticRegression(C=settings.strength, max_iter=settings.iterations, tol=1e-3)
    model.fit(table[said], _both_kinds(known[said], label), sample_weight=sure * weight[said])
    return np.asarray(model.coef_[0], np.float32)


def _platt(logits: _Floats, known: _Floats, label: str) -> tuple[float, float]:
    """Slope and shift that turn held-out logits into probabilities."""
    said = ~np.isnan(known)
    model = LogisticRegression(C=1e4).fit(logits[said, None], _both_kinds(known[said], label))
    return float(model.coef_[0, 0]), float(model.intercept_[0])


def _both_kinds(known: _Floats, label: str) -> NDArray[np.bool_]:
    toxic = known >= 0.5
    if toxic.all() or not toxic.any():
        raise InputError(
            f"{label}: {toxic.sum()} of {len(toxic)} texts have it; some with and some without are needed"
        )
    return toxic
