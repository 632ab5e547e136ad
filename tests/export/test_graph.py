"""The graph laid by hand gives what transformers gives, within what int8 costs."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("onnx")
pytest.importorskip("torch")
pytest.importorskip("transformers")

import torch

import toy_base
from unbarb.detect.trunk import Embeddings, Trunk
from unbarb.export.graph import quantise, write_embeddings, write_graph


def cosines(left: np.ndarray, right: np.ndarray) -> np.ndarray:
    return (left * right).sum(-1) / (np.linalg.norm(left, axis=-1) * np.linalg.norm(right, axis=-1))


@pytest.mark.parametrize(("width", "heads", "layers"), [(48, 4, 2), (96, 12, 3)])
@pytest.mark.parametrize("length", [2, 9, 128])
def test_hidden_states_are_those_of_torch(
    tmp_path: Path, width: int, heads: int, layers: int, length: int
) -> None:
    model = toy_base.bert(width, heads, layers)
    state = {name: tensor.numpy() for name, tensor in model.state_dict().items()}
    write_graph(state, heads, tmp_path / "trunk.onnx")
    write_embeddings(state, 128, tmp_path)
    ids = np.random.default_rng(1).integers(1100, 1300, length)
    with torch.inference_mode():
        expected = model(input_ids=torch.from_numpy(ids)[None]).last_hidden_state[0].numpy()
    found = Trunk(tmp_path / "trunk.onnx", Embeddings(tmp_path))(ids)
    assert found.shape == expected.shape == (length, width)
    assert cosines(found, expected).min() > 0.98
    assert np.abs(found - expected).mean() < 0.1


def test_embeddings_come_back_within_half_a_step(tmp_path: Path) -> None:
    model = toy_base.bert(48, 4)
    state = {name: tensor.numpy() for name, tensor in model.state_dict().items()}
    write_embeddings(state, 128, tmp_path)
    words = state["embeddings.word_embeddings.weight"]
    ids = np.arange(1100, 1200)
    places = (
        state["embeddings.position_embeddings.weight"] + state["embeddings.token_type_embeddings.weight"][0]
    )
    found = Embeddings(tmp_path)(ids)[0] - places[:100]
    steps = np.abs(words[ids]).max(1, keepdims=True) / 127
    assert (np.abs(found - words[ids]) <= steps / 2 + 1e-6).all()
    assert np.load(tmp_path / "words.npy").dtype == np.int8
    assert np.load(tmp_path / "places.npy").shape == (128, 48)


def test_quantise_is_by_column_and_symmetric() -> None:
    matrix = np.array([[1.0, 0.0, -0.02], [-0.502, 0.0, 0.00995]], np.float32)
    values, scales = quantise(matrix)
    assert values.tolist() == [[127, 0, -127], [-64, 0, 63]]
    assert values.dtype == np.int8
    assert values * scales == pytest.approx(matrix, abs=0.5 / 127)
