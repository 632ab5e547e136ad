"""Folds never share a source, hold every label, and thresholds see no fold."""

from __future__ import annotations

from collections import Counter

import numpy as np
import pytest

import labelled_rows
from unbarb.data.balance import Plan
from unbarb.data.split import group_key
from unbarb.errors import ConfigError
from unbarb.train.folds import divide, drawn, folds, thresholds

ROWS = labelled_rows.rows(240)
for one in ROWS:
    # Only a row that says so is clean.
    one["labels"]["toxicity"] = max(one["labels"].values())


def row(name: str, text: str, **labels: float) -> labelled_rows.Row:
    return {
        "id": name,
        "text": text,
        "labels": {"toxicity": max([0.0, *labels.values()]), "insult": 0.0, "threat": 0.0, **labels},
        "corpus": "written",
    }


def test_every_row_is_scored_once_and_no_source_is_in_two_parts_of_a_fold():
    doubled = [
        *ROWS,
        *(row(f"again-{one['id']}", one["text"].upper(), **one["labels"]) for one in ROWS[:60]),
    ]
    seen: Counter[str] = Counter()
    for fold in folds(doubled, None, 5, seed=3):
        parts = [{group_key(one["text"]) for one in part} for part in (fold.train, fold.dev, fold.test)]
        assert not (parts[0] | parts[1]) & parts[2]
        assert not parts[0] & parts[1]
        seen.update(one["id"] for one in fold.test)
        assert len(fold.train) + len(fold.dev) + len(fold.test) == len(doubled)
    assert set(seen.values()) == {1}
    assert len(seen) == len(doubled)


def test_a_rare_label_is_spread_evenly():
    rows = [row(f"n{at}", f"text number {at}", threat=float(at % 29 == 0)) for at in range(290)]
    parts = divide(rows, 5, seed=1)
    threats = Counter(part for part, one in zip(parts, rows, strict=True) if one["labels"]["threat"])
    assert set(threats.values()) == {2}
    sizes = Counter(parts).values()
    assert max(sizes) - min(sizes) <= 1
    assert parts == divide(rows, 5, seed=1)
    assert parts != divide(rows, 5, seed=2)


def test_a_plan_is_scaled_to_its_scarcest_class_and_takes_each_text_once():
    rows = [row(f"both{at}", f"both {at}", insult=1.0, threat=1.0) for at in range(10)]
    rows += [row(f"insult{at}", f"insult {at}", insult=1.0) for at in range(90)]
    rows += [row(f"none{at}", f"none {at}") for at in range(100)]
    rows += [row("both10", "Both 0!", insult=1.0, threat=1.0)]
    chosen = drawn(rows, {"threat": 20, "insult": 40, "none": 60}, seed=1)
    kinds = Counter(rows[at]["id"].rstrip("0123456789") for at in chosen)
    assert kinds["both"] == 10
    assert kinds["none"] == 30
    # 20 were drawn for insult; those that also threaten stand there already.
    assert 10 <= kinds["insult"] <= 20
    assert len({group_key(rows[at]["text"]) for at in chosen}) == len(chosen)


def test_a_plan_says_what_is_scored_and_what_is_learnt_from():
    plan = Plan(
        "p", {"train": {"insult": 30, "threat": 30, "none": 60}, "test": {"insult": 10, "none": 10}}
    )
    scored, learnt = drawn(ROWS, plan.splits["test"], 3), drawn(ROWS, plan.splits["train"], 3)
    found = list(folds(ROWS, plan, 4, seed=3))
    assert {one["id"] for fold in found for one in fold.test} == {ROWS[at]["id"] for at in scored}
    names = {ROWS[at]["id"] for at in learnt}
    assert all(one["id"] in names for fold in found for one in (*fold.train, *fold.dev))


def test_extra_rows_train_in_every_fold_but_where_their_source_is_held_out():
    extra = [row("new", "never seen before", threat=1.0), row("known", ROWS[0]["text"].upper(), insult=1.0)]
    for fold in folds(ROWS, None, 4, seed=3, extra=extra):
        held = {group_key(one["text"]) for one in (*fold.dev, *fold.test)}
        names = {one["id"] for one in fold.train}
        assert "new" in names
        assert ("known" in names) == (group_key(ROWS[0]["text"]) not in held)
        assert not names & {one["id"] for one in (*fold.dev, *fold.test)}


def test_folds_that_cannot_measure_are_refused():
    few = [row(f"n{at}", f"text number {at}", threat=float(at < 3)) for at in range(40)]
    with pytest.raises(ConfigError, match="too few rows of threat"):
        list(folds(few, None, 5, seed=1))
    with pytest.raises(ConfigError, match="at least 2"):
        list(folds(few, None, 1, seed=1))
    with pytest.raises(ConfigError, match="class obscene"):
        list(folds(few, Plan("p", {"test": {"obscene": 5}}), 2, seed=1))


def test_a_threshold_is_near_the_best_f1_of_many_rows():
    random = np.random.default_rng(5)
    truth = (random.random((4000, 1)) < 0.2).astype(float)
    scores = 1 / (1 + np.exp(-(random.normal(size=(4000, 1)) * 1.2 + 3 * truth - 2.5)))

    def f1(cut: float) -> float:
        flagged = scores[:, 0] >= cut
        return float(2 * (flagged * truth[:, 0]).sum() / (flagged.sum() + truth.sum()))

    best = max(f1(cut) for cut in np.linspace(0.02, 0.98, 97))
    (cut,) = thresholds(scores, truth, [None])
    assert f1(cut) > best - 0.01


@pytest.mark.parametrize("limit", [0.0, 0.02, 0.1])
def test_a_limit_on_false_alarms_is_kept_on_the_rows_it_is_chosen_on(limit: float):
    random = np.random.default_rng(5)
    truth = (random.random((500, 1)) < 0.5).astype(float)
    scores = np.clip(random.random((500, 1)) * 0.6 + 0.3 * truth, 0, 1)
    (cut,) = thresholds(scores, truth, [limit])
    assert (scores[truth == 0] >= cut).mean() <= limit
    freely = thresholds(scores, truth, [None])[0]
    assert cut >= freely


def test_thresholds_of_a_label_nobody_said_or_scores_that_know_nothing_stay_at_half():
    truth = np.array([[np.nan, 1.0], [np.nan, 1.0], [np.nan, 0.0], [np.nan, 0.0]])
    scores = np.array([[0.1, 0.2], [0.2, 0.1], [0.3, 0.8], [0.4, 0.9]])
    np.testing.assert_array_equal(thresholds(scores, truth, [None, None]), [0.5, 0.5])
