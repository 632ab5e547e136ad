"""Cross-validation of classifiers: the same folds for all, thresholds chosen before a fold is seen.

Rows of one normalised source are in one fold; folds have like numbers of every label, the rarest seen to
first. A plan's ``test`` says what is scored and its ``train`` what is learnt from. So many rows of each
class are drawn, whatever other labels they have, and a row drawn for two classes stands once: classes keep
the company that they have in the corpus.
"""

from __future__ import annotations

import hashlib
from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from sklearn.linear_model import LogisticRegression

from unbarb.data.balance import NONE, Plan, classes_of
from unbarb.data.split import group_key
from unbarb.errors import ConfigError
from unbarb.train.labels import Floats, positives

Row = Mapping[str, Any]

DEV_PARTS = 5
"""One in so many training rows is held out for early stopping and thresholds."""


@dataclass(frozen=True, slots=True)
class Fold:
    """What one model learns from, is stopped by, and is measured on; no source is in two of them."""

    number: int
    train: list[Row]
    dev: list[Row]
    test: list[Row]


def folds(
    rows: Sequence[Row], plan: Plan | None, number: int, seed: int, extra: Sequence[Row] = ()
) -> Iterator[Fold]:
    """`number` folds of `rows`; every row that the plan scores is in the test part of exactly one.

    `extra` rows only ever train; one whose source is in a fold's dev or test part is left out of that fold.

    Raises:
        ConfigError: fewer than two folds, or more than a label has sources; a class of the plan has no row.
    """
    scored = drawn(rows, plan.splits["test"], seed) if plan and "test" in plan.splits else None
    learnt = drawn(rows, plan.splits["train"], seed) if plan and "train" in plan.splits else None
    everything = set(range(len(rows)))
    scored = scored if scored is not None else learnt or everything
    learnt = learnt if learnt is not None else everything
    used = sorted(scored | learnt)
    of = dict(zip(used, divide([rows[at] for at in used], number, seed), strict=True))
    check(rows, scored, of, number)
    for fold in range(number):
        test = [rows[at] for at in sorted(scored) if of[at] == fold]
        rest = [rows[at] for at in used if of[at] != fold and at in learnt]
        part = divide(rest, DEV_PARTS, seed + fold + 1)
        dev = [row for row, one in zip(rest, part, strict=True) if one == 0]
        held = {group_key(row["text"]) for row in (*test, *dev)}
        train = [row for row, one in zip(rest, part, strict=True) if one != 0]
        yield Fold(fold, train + [row for row in extra if group_key(row["text"]) not in held], dev, test)


def drawn(rows: Sequence[Row], counts: Mapping[str, int], seed: int) -> set[int]:
    """Indices of `rows` by a plan's `counts`, scaled as far as its scarcest class goes; each source once.

    Raises:
        ConfigError: a class of the plan has no row.
    """
    first: dict[str, int] = {}
    for at in sorted(range(len(rows)), key=lambda at: _rank(seed, rows[at]["id"])):
        first.setdefault(group_key(rows[at]["text"]), at)
    there: dict[str, list[int]] = defaultdict(list)
    for at in first.values():
        for label in classes_of(rows[at]["labels"]):
            there[label].append(at)
    if absent := [label for label in counts if not there[label]]:
        raise ConfigError(
            f"the plan wants rows of class {', '.join(absent)}, and there are none;"
            f" there are {', '.join(sorted(label for label in there if there[label]))}"
        )
    scale = min(len(there[label]) / count for label, count in counts.items())
    return {at for label, count in counts.items() for at in there[label][: int(count * scale + 1e-9)]}


def divide(rows: Sequence[Row], parts: int, seed: int) -> list[int]:
    """The part, 0…`parts` − 1, of each row: whole sources, dealt out label by label, the rarest first."""
    common = Counter(label for row in rows for label in classes_of(row["labels"]))
    sources: dict[str, set[str]] = defaultdict(set)
    for row in rows:
        sources[group_key(row["text"])] |= classes_of(row["labels"])

    def rarest(source: str) -> str:
        # A row that knows nothing of toxicity is of no class; it is dealt out with the clean ones.
        return min(sources[source] or {NONE}, key=lambda label: (label == NONE, common[label], label))

    order = sorted(
        sources, key=lambda source: (common[rarest(source)], rarest(source), _rank(seed, source))
    )
    part = {source: at % parts for at, source in enumerate(order)}
    return [part[group_key(row["text"])] for row in rows]


def check(rows: Sequence[Row], scored: set[int], of: Mapping[int, int], number: int) -> None:
    """Refuse folds in which a label cannot be measured.

    Raises:
        ConfigError: a fold has no row of some label.
    """
    if number < 2:
        raise ConfigError(f"{number} folds; at least 2 are needed: one to measure on, one to learn from")
    found: dict[str, set[int]] = defaultdict(set)
    for at in scored:
        for label in classes_of(rows[at]["labels"]):
            found[label].add(of[at])
    if short := sorted(label for label, where in found.items() if len(where) < number):
        raise ConfigError(
            f"{number} folds, but too few rows of {', '.join(short)} to have one in each;"
            " ask for fewer folds or add rows"
        )


def thresholds(scores: Floats, truth: Floats, limits: Sequence[float | None]) -> Floats:
    """One threshold a label, (labels,), from dev `scores` and `truth`, both (rows, labels).

    A threshold is where the F1 that calibrated scores promise is highest: the scores' logits are calibrated
    by a logistic regression (Platt 1999), and the F1 expected of calling all from a score on is computed
    from the probabilities (as in Lipton et al. 2014, https://arxiv.org/abs/1402.1892). With few positive
    rows that errs less than the F1 counted on them. `limits` bound the share of false alarms among the
    negative dev rows: a threshold rises until it is kept.
    """
    classes = positives(truth)
    found = np.full(scores.shape[1], 0.5)
    for at, limit in enumerate(limits):
        known = ~np.isnan(classes[:, at])
        score, positive = scores[known, at], classes[known, at] == 1
        if positive.any() and not positive.all():
            found[at] = _expected_f1_threshold(score, positive)
        if limit is not None and (~positive).any():
            found[at] = max(found[at], _limit_threshold(score[~positive], limit))
    return found


def _expected_f1_threshold(score: Floats, positive: np.ndarray[Any, Any]) -> float:
    logit = np.log(np.clip(score, 1e-6, 1 - 1e-6)) - np.log1p(-np.clip(score, 1e-6, 1 - 1e-6))
    model = LogisticRegression(C=100.0).fit(logit[:, None], positive)
    if model.coef_[0, 0] <= 0:
        return 0.5  # The scores know nothing of this label; no threshold helps.
    sure = np.sort(model.predict_proba(logit[:, None])[:, 1])[::-1]
    f1 = 2 * np.cumsum(sure) / (np.arange(1, len(sure) + 1) + sure.sum())
    return float(np.sort(score)[::-1][int(np.argmax(f1))])


def _limit_threshold(negative: Floats, limit: float) -> float:
    """The lowest threshold at which rows like the `negative` ones are expected to alarm at most `limit`.

    One alarm fewer than the share allows (split conformal prediction, Vovk et al. 2005): a threshold chosen
    on a few rows fits them better than others.
    """
    order = np.sort(negative)[::-1]
    allowed = max(0, int(limit * (len(order) + 1) + 1e-9) - 1)
    return float(np.nextafter(order[allowed], 2.0)) if allowed < len(order) else 0.0


def _rank(seed: int, name: str) -> bytes:
    return hashlib.blake2b(f"{seed}:{name}".encode(), digest_size=8).digest()
