"""The likeliest tag rows are exact: compared with all of them."""

from __future__ import annotations

from itertools import product

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from unbarb.rewrite import beam


def likeliest(logp: np.ndarray, width: int, choices: int = 6) -> list[tuple[float, np.ndarray]]:
    """The ways as rows of tags with their log-probability."""
    ways = beam.likeliest(logp, width, choices)
    rows = ways.tags[np.arange(len(logp)), ways.ranks]
    return list(zip(ways.likelihood.tolist(), rows, strict=True))


def log_probabilities(places: int, tags: int, seed: int, sharp: float) -> np.ndarray:
    logits = np.random.default_rng(seed).normal(0, sharp, (places, tags))
    return (logits - np.log(np.exp(logits).sum(1, keepdims=True))).astype(np.float32)


@given(
    places=st.integers(1, 5),
    tags=st.integers(1, 5),
    seed=st.integers(0, 10_000),
    sharp=st.sampled_from([0.1, 1.0, 6.0]),
    width=st.integers(1, 40),
    choices=st.integers(1, 6),
)
def test_rows_are_the_likeliest_of_all(
    places: int, tags: int, seed: int, sharp: float, width: int, choices: int
) -> None:
    logp = log_probabilities(places, tags, seed, sharp)
    allowed = [np.argsort(-row, kind="stable")[:choices].tolist() for row in logp]
    everything = sorted(
        (sum(float(logp[at, tag]) for at, tag in enumerate(row)) for row in product(*allowed)), reverse=True
    )
    found = likeliest(logp, width, choices)
    assert len(found) == min(width, len(everything))
    assert [score for score, _ in found] == pytest.approx(everything[: len(found)], abs=1e-4)
    for score, row in found:
        assert score == pytest.approx(float(logp[np.arange(places), row].sum()), abs=1e-4)
        assert all(tag in choice for tag, choice in zip(row.tolist(), allowed, strict=True))


@given(seed=st.integers(0, 1000))
def test_rows_are_distinct_and_best_first(seed: int) -> None:
    found = likeliest(log_probabilities(6, 4, seed, 2.0), 30)
    assert len({tuple(row.tolist()) for _, row in found}) == len(found) == 30
    scores = [score for score, _ in found]
    assert scores == sorted(scores, reverse=True)


def test_the_first_row_takes_the_best_tag_everywhere() -> None:
    logp = np.log(np.array([[0.7, 0.2, 0.1], [0.1, 0.3, 0.6]], np.float32))
    rows = [row.tolist() for _, row in likeliest(logp, 4)]
    assert rows == [[0, 2], [0, 1], [1, 2], [0, 0]] or rows == [[0, 2], [0, 1], [1, 2], [1, 1]]


def test_places_without_a_choice_have_one_row() -> None:
    assert [row.tolist() for _, row in likeliest(np.zeros((3, 1), np.float32), 10)] == [[0, 0, 0]]


def test_no_place_is_one_empty_row() -> None:
    ((score, row),) = likeliest(np.zeros((0, 4), np.float32), 10)
    assert (score, row.tolist()) == (0.0, [])
