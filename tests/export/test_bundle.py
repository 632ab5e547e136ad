"""The card pins every file of the folder; heads are stored small."""

from __future__ import annotations

import json
from hashlib import sha256
from pathlib import Path

import numpy as np
import pytest

import toy_model

pytest.importorskip("onnx")

from unbarb.export.bundle import write_card, write_shared, write_trunk


def test_the_card_has_the_digest_and_size_of_every_other_file(tmp_path: Path) -> None:
    (tmp_path / "a.bin").write_bytes(b"abc")
    (tmp_path / "folder").mkdir()
    write_card({"name": "toy", "note": "naïve"}, tmp_path)
    write_card({"name": "toy", "note": "naïve"}, tmp_path)  # its own digest is never among them
    card = json.loads((tmp_path / "card.json").read_text("utf-8"))
    assert card == {
        "name": "toy",
        "note": "naïve",
        "files": {"a.bin": {"sha256": sha256(b"abc").hexdigest(), "bytes": 3}},
    }


def test_a_written_model_holds_what_the_runtime_reads(tiny_model: Path) -> None:
    card = json.loads((tiny_model / "card.json").read_text("utf-8"))
    assert set(card["files"]) == {path.name for path in tiny_model.iterdir()} - {"card.json"}
    for name, entry in card["files"].items():
        content = (tiny_model / name).read_bytes()
        assert entry == {"sha256": sha256(content).hexdigest(), "bytes": len(content)}
    assert {
        "detector.onnx",
        "editor.onnx",
        "words.npy",
        "places.npy",
        "tags.json",
        "tokenizer.json",
    } <= set(card["files"])


def test_matrices_are_halved_and_biases_are_not(tmp_path: Path) -> None:
    write_trunk(toy_model.state(), toy_model.detector_heads(), "detector", tmp_path)
    with np.load(tmp_path / "detector-heads.npz") as stored:
        assert {name: stored[name].dtype for name in stored} == {
            "labels": np.float16, "labels_bias": np.float32, "spans": np.float16, "spans_bias": np.float32,
        }  # fmt: skip


def test_writing_twice_writes_the_same_bytes(tmp_path: Path) -> None:
    made = [toy_model.write(tmp_path / name) for name in ("one", "two")]
    files = [json.loads((folder / "card.json").read_text())["files"] for folder in made]
    for name in ("detector.onnx", "editor.onnx", "words.npy", "tags.json", "tokenizer.json"):
        assert files[0][name] == files[1][name]


def test_the_tag_vocabulary_is_kept_in_order(tmp_path: Path) -> None:
    tokenizer = tmp_path / "t.json"
    tokenizer.write_text("{}")
    write_shared(toy_model.state(), tokenizer, ["keep", "delete", "replace|naïve"], 128, tmp_path)
    assert json.loads((tmp_path / "tags.json").read_text("utf-8")) == ["keep", "delete", "replace|naïve"]
