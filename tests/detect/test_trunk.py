"""Embeddings are looked up as they were stored; damaged files are model errors."""

from __future__ import annotations

import shutil
from pathlib import Path

import numpy as np
import pytest

import toy_model
from unbarb.detect.trunk import Crew, Embeddings, Trunk, pooled, sigmoid
from unbarb.errors import ModelError


def test_an_embedding_is_its_word_plus_its_place(tmp_path: Path) -> None:
    np.save(tmp_path / "words.npy", np.array([[0, 0], [127, -127], [10, 20]], np.int8))
    np.save(tmp_path / "word-scales.npy", np.array([1.0, 0.5, 0.1], np.float32))
    np.save(tmp_path / "places.npy", np.array([[1, 2], [3, 4], [5, 6]], np.float32))
    found = Embeddings(tmp_path)(np.array([2, 1]))
    assert found.dtype == np.float32
    assert found[0].ravel().tolist() == pytest.approx([1 + 1.0, 2 + 2.0, 3 + 63.5, 4 - 63.5])
    assert found.shape == (1, 2, 2)


def test_a_window_may_be_as_long_as_there_are_places(tiny_model: Path) -> None:
    trunk = Trunk(tiny_model / "editor.onnx", Embeddings(tiny_model))
    assert trunk(np.full(128, 1100)).shape == (128, toy_model.WIDTH)


def test_a_crew_gives_what_one_thread_gives(tiny_model: Path) -> None:
    trunk = Trunk(tiny_model / "detector.onnx", Embeddings(tiny_model))
    windows = [np.arange(1100, 1105 + n) for n in range(9)]
    alone = Crew(1).run(trunk, windows)
    together = Crew(3).run(trunk, windows)
    assert all(np.array_equal(a, b) for a, b in zip(alone, together, strict=True))


def test_pooled_is_cls_mean_and_maximum() -> None:
    hidden = np.array([[1.0, -1.0], [3.0, 0.0]], np.float32)
    assert pooled(hidden).tolist() == [1.0, -1.0, 2.0, -0.5, 3.0, 0.0]


def test_sigmoid_is_even_and_never_overflows() -> None:
    values = sigmoid(np.array([-1e9, -2.0, 0.0, 2.0, 1e9], np.float32))
    assert values.dtype == np.float32
    assert values.tolist() == pytest.approx([0.0, 0.1192029, 0.5, 0.8807971, 1.0], abs=1e-7)
    assert 0 < values[0] < values[1] < values[3] <= values[4] <= 1


@pytest.mark.parametrize("name", ["words.npy", "word-scales.npy", "places.npy"])
@pytest.mark.parametrize("damage", ["absent", "empty", "garbage", "cut short"])
def test_damaged_embeddings_are_a_model_error(
    tiny_model: Path, tmp_path: Path, name: str, damage: str
) -> None:
    folder = shutil.copytree(tiny_model, tmp_path / "copy")
    break_file(folder / name, damage)
    with pytest.raises(ModelError, match=rf"{name} does not load.*unbarb models verify"):
        Embeddings(folder)


@pytest.mark.parametrize("damage", ["absent", "empty", "garbage", "cut short"])
def test_a_damaged_graph_is_a_model_error(tiny_model: Path, tmp_path: Path, damage: str) -> None:
    path = shutil.copy(tiny_model / "detector.onnx", tmp_path / "detector.onnx")
    break_file(Path(path), damage)
    with pytest.raises(ModelError, match=r"detector\.onnx does not load"):
        Trunk(Path(path), Embeddings(tiny_model))


def break_file(path: Path, damage: str) -> None:
    content = path.read_bytes()
    path.unlink()
    if damage != "absent":
        path.write_bytes(
            {"empty": b"", "garbage": b"garbage" * 9, "cut short": content[: len(content) // 2]}[damage]
        )
