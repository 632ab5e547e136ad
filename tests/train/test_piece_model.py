"""A trained piece model, stored in int8, scores at run time what it scored in training."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("torch")

from unbarb.detect.pieces import PieceModel, pair_rows
from unbarb.train.piece_model import PieceSettings, save_pieces, train_pieces

RUDE = 2500


@pytest.fixture(scope="module")
def texts() -> list[np.ndarray]:
    rng = np.random.default_rng(0)
    made = [rng.integers(2000, 2040, rng.integers(3, 12)) for _ in range(300)]
    for at in range(0, 300, 3):
        made[at][1] = RUDE
    return made


@pytest.fixture(scope="module")
def trained(texts: list[np.ndarray]) -> tuple[np.ndarray, np.ndarray]:
    targets = np.zeros((300, 6), np.float32)
    targets[::3, 0] = 1.0
    targets[:, 1] = np.nan
    targets[:, 2] = np.where(np.arange(300) % 2, np.nan, targets[:, 0])
    return train_pieces(texts, targets, PieceSettings(epochs=6, batch=32, learning_rate=0.1))


def test_the_rude_piece_is_learnt_and_the_unknown_label_is_not(
    trained: tuple[np.ndarray, np.ndarray],
) -> None:
    weights, bias = trained
    assert np.argmax(weights[:, 0]) == np.argmax(weights[:, 2]) == RUDE
    assert not weights[:, 1].any()  # unknown targets teach nothing
    assert bias[1] == pytest.approx(np.log(0.05 / 0.95), abs=1e-5)


def test_stored_scores_are_the_trained_ones(
    tmp_path: Path, trained: tuple[np.ndarray, np.ndarray], texts: list[np.ndarray]
) -> None:
    weights, bias = trained
    save_pieces(weights, bias, tmp_path / "sketch.npz")
    model = PieceModel(tmp_path / "sketch.npz")
    expected = []
    for ids in texts:
        rows = np.concatenate((ids, pair_rows(ids)))
        expected.append(1 / (1 + np.exp(-(weights[rows].sum(0) / np.sqrt(len(rows)) + bias))))
    found = model.scores([ids.tolist() for ids in texts])
    assert found == pytest.approx(np.array(expected), abs=0.03)
    assert found[::3, 0].min() > found[1::3, 0].max()


def test_the_same_seed_trains_the_same_model(texts: list[np.ndarray]) -> None:
    targets = np.zeros((300, 6), np.float32)
    targets[::3] = 1.0
    one, two = (train_pieces(texts, targets, PieceSettings(epochs=1)) for _ in range(2))
    assert np.array_equal(one[0], two[0])
    assert np.array_equal(one[1], two[1])
