"""A gate learns the scores it is shown, and says in whole numbers what it learnt."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("torch")

from unbarb.detect.gate import Gate
from unbarb.text import LABELS
from unbarb.train.gate import GateSettings, refloor, save_gate, train_gate

RUDE, TEXTS = 33, 240
SMALL = GateSettings(vector=8, filters=8, epochs=12, learning_rate=0.02, batch=24)


@pytest.fixture(scope="module")
def texts() -> list[list[int]]:
    rng = np.random.default_rng(0)
    made = [rng.integers(0, 30, rng.integers(3, 30)).tolist() for _ in range(TEXTS)]
    for at in range(0, TEXTS, 3):
        made[at][at % len(made[at])] = RUDE
    return made


def train(texts: list[list[int]], settings: GateSettings = SMALL) -> dict[str, np.ndarray]:
    scores = np.full((TEXTS, len(LABELS)), 0.02, np.float32)
    scores[::3, 0] = 0.97
    embeddings = np.random.default_rng(1).normal(size=(40, 16)).astype(np.float32)
    return train_gate(texts, scores, embeddings, settings)


@pytest.fixture(scope="module")
def path(tmp_path_factory: pytest.TempPathFactory, texts: list[list[int]]) -> Path:
    path = tmp_path_factory.mktemp("gate") / "gate.npz"
    save_gate(train(texts), path)
    return path


def test_the_rude_piece_is_found_in_long_and_short_texts(path: Path, texts: list[list[int]]) -> None:
    gate = Gate(path)
    scores = gate.scores(texts)[:, 0]
    assert scores[::3].min() > 0.5
    assert np.delete(scores, np.s_[::3]).max() < 0.3
    assert gate.scores([[1, 2] * 200 + [RUDE] + [2, 1] * 200])[0, 0] > 0.5
    assert gate.scores(texts)[:, 1:].max() < 0.15


def test_other_floors_change_only_the_floors(path: Path, texts: list[list[int]]) -> None:
    before = Gate(path).scores(texts)
    refloor(path, np.full(len(LABELS), 0.4, np.float32), np.full(len(LABELS), 0.25, np.float32))
    gate = Gate(path)
    assert np.array_equal(gate.shrunk(before, np.zeros_like(before)), before * np.float32(0.25))
    assert np.array_equal(gate.scores(texts), before)
    assert gate.settles(before).tolist() == [at % 3 > 0 for at in range(TEXTS)]


def test_the_same_seed_trains_the_same_gate(texts: list[list[int]]) -> None:
    short = GateSettings(vector=4, filters=4, epochs=1)
    one, other = train(texts, short), train(texts, short)
    assert all(np.array_equal(one[name], other[name]) for name in one)


def test_a_text_without_pieces_teaches_nothing(texts: list[list[int]]) -> None:
    train([[], *texts[1:]], GateSettings(vector=4, filters=4, epochs=1))
