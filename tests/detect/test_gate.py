"""The gate's sums are exact: a text's score is its own, whatever stands beside it in the batch."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from unbarb.detect.gate import TEXTS, Gate
from unbarb.errors import ModelError
from unbarb.text import LABELS

PIECES, WIDTH, FILTERS = 50, 4, 6


def arrays() -> dict[str, np.ndarray]:
    rng = np.random.default_rng(0)
    pieces = rng.integers(-127, 128, (PIECES + 1, WIDTH)).astype(np.int8)
    pieces[PIECES] = 0
    return {
        "pieces": pieces,
        "filters": rng.integers(-127, 128, (3 * WIDTH, FILTERS)).astype(np.int8),
        "offsets": rng.integers(-9000, 9000, FILTERS).astype(np.int32),
        "outputs": rng.integers(-127, 128, (FILTERS, len(LABELS))).astype(np.int8),
        "scale": np.full(len(LABELS), 4e-7, np.float32),
        "bias": np.linspace(-3, -1, len(LABELS)).astype(np.float32),
        "floors": np.full(len(LABELS), 0.3, np.float32),
        "shrinkage": np.full(len(LABELS), 0.5, np.float32),
    }


@pytest.fixture(scope="module")
def gate(tmp_path_factory: pytest.TempPathFactory) -> Gate:
    path = tmp_path_factory.mktemp("gate") / "gate.npz"
    np.savez(path, **arrays())
    return Gate(path)


def by_hand(ids: list[int]) -> np.ndarray:
    """The same by its definition, one piece at a time."""
    given = {name: array.astype(float) for name, array in arrays().items()}
    around = [PIECES, *ids, PIECES]
    lights = [
        np.maximum(given["pieces"][around[at : at + 3]].ravel() @ given["filters"] + given["offsets"], 0)
        for at in range(len(ids))
    ]
    logits = (np.max(lights, axis=0) @ given["outputs"]) * given["scale"] + given["bias"]
    return 1 / (1 + np.exp(-logits))


texts = st.lists(st.lists(st.integers(0, PIECES - 1), max_size=12), min_size=1, max_size=8)


@given(texts)
def test_scores_are_what_the_definition_says(gate: Gate, batch: list[list[int]]) -> None:
    expected = [by_hand(ids) if ids else np.zeros(len(LABELS)) for ids in batch]
    assert gate.scores(batch) == pytest.approx(np.array(expected), abs=1e-6)


@given(texts)
def test_a_batch_equals_its_texts_one_by_one(gate: Gate, batch: list[list[int]]) -> None:
    together = gate.scores(batch)
    assert np.array_equal(together, np.concatenate([gate.scores([ids]) for ids in batch]))


def test_many_texts_are_read_in_turns(gate: Gate) -> None:
    batch = [[at % PIECES, at % 7] for at in range(2 * TEXTS + 5)]
    assert np.array_equal(gate.scores(batch), np.concatenate([gate.scores([ids]) for ids in batch]))


def test_no_text_scores_nothing(gate: Gate) -> None:
    assert gate.scores([]).shape == (0, len(LABELS))
    assert gate.scores([[], []]).tolist() == [[0.0] * len(LABELS)] * 2


def test_a_text_is_settled_when_every_score_is_under_its_floor(gate: Gate) -> None:
    scores = np.full((3, len(LABELS)), 0.1, np.float32)
    scores[1, 3] = 0.3
    scores[2] = 0.9
    assert gate.settles(scores).tolist() == [True, False, False]


def test_damaged_weights_are_a_model_error(tmp_path: Path) -> None:
    path = tmp_path / "gate.npz"
    with pytest.raises(ModelError, match=r"gate\.npz does not load"):
        Gate(path)
    np.savez(path, pieces=np.zeros((3, 2), np.int8))
    with pytest.raises(ModelError, match="filters"):
        Gate(path)
    np.savez(path, **{**arrays(), "filters": np.zeros((3, FILTERS), np.int8)})
    with pytest.raises(ModelError, match="do not fit"):
        Gate(path)


def test_a_sentence_that_leaves_the_ngrams_calm_must_be_louder_to_be_read(gate: Gate) -> None:
    scores = np.zeros((4, len(LABELS)), np.float32)
    grams = np.zeros_like(scores)
    scores[:, 0], grams[:, 0] = (0.5, 0.5, 0.9, 0.3), (0.2, 1.0, 0.2, 1.0)
    assert gate.alarmed(scores, grams).tolist() == [False, True, True, False]
