"""A piece model's sums are exact: a text's score is its own, whatever stands beside it in the batch."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from unbarb.detect.pieces import BUCKETS, PIECES, STRETCH, PieceModel, pair_rows
from unbarb.errors import ModelError

STOP = 1012
SCALE, BIAS = 0.01, -2.0


def stored(path: Path, **changed: object) -> Path:
    """Weights for the pieces 2000 … 2099, and small ones for whatever pairs they make."""
    weights = np.zeros((PIECES + BUCKETS, 6), np.int8)
    weights[2000:2100] = np.arange(600).reshape(100, 6) * 37 % 255 - 127
    weights[PIECES:] = np.arange(BUCKETS * 6).reshape(-1, 6) * 7 % 41 - 20
    arrays = {
        "weights": weights,
        "scale": np.full(6, SCALE, np.float32),
        "bias": np.full(6, BIAS, np.float32),
    }
    np.savez(path, **{**arrays, **changed})  # type: ignore[arg-type]
    return path


@pytest.fixture(scope="module")
def weights(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return stored(tmp_path_factory.mktemp("sketch") / "sketch.npz")


@pytest.fixture(scope="module")
def model(weights: Path) -> PieceModel:
    return PieceModel(weights)


def by_hand(path: Path, ids: list[int]) -> np.ndarray:
    """The same by its definition: stretches end at end marks and every STRETCH pieces."""
    with np.load(path) as arrays:
        table = arrays["weights"].astype(float)
    stretches: list[list[int]] = []
    for at, piece in enumerate(ids):
        if at % STRETCH == 0 or ids[at - 1] in (999, 1012, 1029):
            stretches.append([])
        stretches[-1].append(piece)
    best = np.zeros(6)
    for stretch in stretches:
        rows = [*stretch, *pair_rows(np.array(stretch)).tolist()]
        logits = table[rows].sum(0) * SCALE / np.sqrt(len(rows)) + BIAS
        best = np.maximum(best, 1 / (1 + np.exp(-logits)))
    return best


pieces = st.lists(st.one_of(st.integers(2000, 2120), st.sampled_from([999, 1012, 1029])), max_size=120)


@given(texts=st.lists(pieces, min_size=1, max_size=6))
def test_a_batch_equals_its_texts_one_by_one(model: PieceModel, texts: list[list[int]]) -> None:
    together = model.scores(texts)
    alone = np.concatenate([model.scores([text]) for text in texts])
    assert np.array_equal(together, alone)


@given(ids=pieces)
def test_scores_are_what_the_definition_says(model: PieceModel, weights: Path, ids: list[int]) -> None:
    assert model.scores([ids])[0] == pytest.approx(by_hand(weights, ids), abs=1e-6)


def test_golden_numbers(model: PieceModel) -> None:
    found = model.scores([[2000, 2001, 2002, STOP, 2003], [], [2050] * 60])
    assert found.shape == (3, 6)
    assert found[:, :2].ravel().tolist() == pytest.approx(GOLDEN, abs=1e-6)


GOLDEN = [0.1531637, 0.2075101, 0.0, 0.0, 0.1252560, 0.5538190]


def test_an_empty_text_scores_nothing(model: PieceModel) -> None:
    assert model.scores([]).shape == (0, 6)
    assert model.scores([[], []]).tolist() == [[0.0] * 6] * 2
    assert model.scores([[], [2000], []])[[0, 2]].tolist() == [[0.0] * 6] * 2


def test_a_stretch_does_not_thin_out_in_a_long_text(tmp_path: Path) -> None:
    weights = np.zeros((PIECES + BUCKETS, 6), np.int8)
    weights[2000] = 100
    model = PieceModel(stored(tmp_path / "sketch.npz", weights=weights, scale=np.full(6, 0.5, np.float32)))
    short = [*[2001] * (STRETCH - 1), 2000]
    assert model.scores([short]).tolist() == model.scores([[*[2001] * STRETCH * 10, *short]]).tolist()
    assert model.scores([short]).max() > 0.9


def test_pairs_do_not_reach_over_an_end_mark(model: PieceModel, weights: Path) -> None:
    apart = model.scores([[2000, STOP], [2001]]).max(axis=0)
    assert np.array_equal(model.scores([[2000, STOP, 2001]])[0], apart)


def test_pair_rows_lie_in_the_table() -> None:
    rows = pair_rows(np.array([0, PIECES - 1, PIECES - 1, 5]))
    assert len(rows) == 3
    assert (rows >= PIECES).all()
    assert (rows < PIECES + BUCKETS).all()
    assert len(pair_rows(np.array([7]))) == 0


def test_damaged_weights_are_a_model_error(tmp_path: Path, weights: Path) -> None:
    whole = weights.read_bytes()
    path = tmp_path / "sketch.npz"
    for content in (b"", b"no zip", whole[: len(whole) // 2], b"\x93NUMPY"):
        path.write_bytes(content)
        with pytest.raises(ModelError, match=r"sketch\.npz does not load"):
            PieceModel(path)
    with pytest.raises(ModelError, match="does not load"):
        PieceModel(tmp_path / "absent.npz")
    np.savez(path, weights=np.zeros(3, np.int8))
    with pytest.raises(ModelError, match="scale"):
        PieceModel(path)
    with pytest.raises(ModelError, match=r"5 rows of weights, must be 161594"):
        PieceModel(stored(tmp_path / "small.npz", weights=np.zeros((5, 6), np.int8)))
