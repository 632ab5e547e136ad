"""Thresholds on cases whose answers can be counted by hand."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from unbarb.errors import InputError
from unbarb.text import Analysis, Span, Word
from unbarb.train.thresholds import LEAST, MOST, at_false_alarms, covered, gate_floor, word_threshold


def column(*scores: float) -> np.ndarray:
    return np.array(scores, float).reshape(-1, 1)


def test_one_label_is_cut_above_the_scores_it_may_not_reach() -> None:
    clean = column(*np.linspace(0.51, 0.80, 30), *np.linspace(0.0, 0.49, 70))
    assert at_false_alarms(clean, column(), 0.05) == [0.76]
    assert at_false_alarms(clean, column(), 0.0) == [0.81]


@given(seed=st.integers(0, 500), rate=st.sampled_from([0.0, 0.01, 0.05, 0.2]))
def test_all_labels_together_keep_within_the_rate(seed: int, rate: float) -> None:
    rng = np.random.default_rng(seed)
    clean, toxic = (rng.beta(1, odds, (300, 3)) * 0.94 for odds in (4, 1))
    cut = at_false_alarms(clean, toxic, rate)
    assert (clean >= cut).any(axis=1).mean() <= rate
    assert ((cut >= LEAST) & (cut <= MOST)).all()


def test_no_threshold_leaves_its_bounds() -> None:
    clean = np.array([[0.999, 0.0]] * 10)
    assert at_false_alarms(clean, clean, 0.1).tolist() == [MOST, LEAST]
    assert at_false_alarms(column(0.0), column(), 1.0).tolist() == [LEAST]


def test_the_label_that_finds_least_gives_way() -> None:
    clean = np.array([[0.6, 0.1], [0.1, 0.6], [0.1, 0.1], [0.1, 0.1]])
    toxic = np.array([[0.55, 0.1], [0.58, 0.1], [0.9, 0.58]])
    assert at_false_alarms(clean, toxic, 0.25).tolist() == [LEAST, 0.61]


def test_thresholds_that_are_given_only_rise() -> None:
    begin = np.array([0.7, 0.6])
    clean = np.array([[0.65, 0.1], [0.1, 0.62], [0.1, 0.1], [0.1, 0.1]])
    toxic = np.array([[0.9, 0.1], [0.72, 0.65]])
    assert at_false_alarms(clean, toxic, 0.25, begin).tolist() == [0.7, 0.6]
    assert at_false_alarms(clean, toxic, 0.0, begin).tolist() == [0.7, 0.63]
    assert begin.tolist() == [0.7, 0.6]


def test_thresholds_need_clean_texts() -> None:
    with pytest.raises(InputError, match="no clean text"):
        at_false_alarms(column(), column(), 0.1)


def analysis(*toxicity: float, score: float = 0.9) -> Analysis:
    text = " ".join("word" for _ in toxicity)
    words = tuple(Word(5 * at, 5 * at + 4, value) for at, value in enumerate(toxicity))
    return Analysis(text, {"toxicity": score}, words=words)


def test_neighbours_are_covered_with_the_space_between() -> None:
    assert covered(analysis(0.9, 0.8, 0.1, 0.7), 0.5, 0.2) == {*range(9), *range(15, 19)}
    assert covered(analysis(0.9), 0.5, 0.95) == set()
    assert covered(analysis(0.5), 0.5, 0.9) == set(range(4))


def test_the_word_threshold_parts_the_marked_words_from_the_others() -> None:
    analyses = [analysis(0.1, 0.45, 0.9), analysis(0.5, 0.55, 0.2)]
    truth = [[Span(10, 14)], [Span(5, 9)]]
    threshold, f1 = word_threshold(analyses, truth, 0.2)
    assert 0.5 < threshold <= 0.55
    assert f1 == 1.0


def test_the_gates_floor_costs_no_more_than_it_may() -> None:
    gate = np.array([0.5, 0.1, 0.2, 0.3, 0.4, 0.01, 0.9])
    positive = np.array([True, True, True, True, True, False, False])
    assert gate_floor(gate, positive, 0.0) == 0.1
    assert gate_floor(gate, positive, 0.2) == 0.2
    assert gate_floor(gate, positive, 0.39) == 0.2
    assert gate_floor(gate, positive, 1.0) == 0.5


def test_no_kind_of_text_pays_for_the_others() -> None:
    gate = np.concatenate((np.linspace(0.5, 0.9, 900), np.linspace(0.1, 0.5, 100)))
    found = np.ones(1000, bool)
    kinds = ["common"] * 900 + ["rare"] * 100
    assert gate_floor(gate, found, 0.05) == pytest.approx(np.sort(gate)[50])
    floor = gate_floor(gate, found, 0.05, kinds)
    assert (gate[900:] < floor).mean() <= 0.02
    assert gate_floor(gate[:930], found[:930], 0.05, kinds[:930]) > 0.5  # thirty say too little


@given(seed=st.integers(0, 500), lost=st.sampled_from([0.0, 0.01, 0.1, 0.5]))
def test_the_floor_settles_at_most_that_share(seed: int, lost: float) -> None:
    rng = np.random.default_rng(seed)
    gate, positive = rng.random(200).round(2), rng.random(200) < 0.3
    floor = gate_floor(gate, positive, lost)
    assert (gate[positive] < floor).mean() <= lost


def test_the_gate_needs_findings() -> None:
    with pytest.raises(InputError, match="finds nothing"):
        gate_floor(np.ones(2), np.zeros(2, bool), 0.1)
