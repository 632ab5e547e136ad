"""Packs trained parts into the folder that the runtime reads, and writes its card."""

from __future__ import annotations

import json
import shutil
from collections.abc import Mapping, Sequence
from hashlib import sha256
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from unbarb.export.graph import State, write_embeddings, write_graph

HEADS = 12
Arrays = Mapping[str, NDArray[np.floating[Any]]]


def write_trunk(state: State, heads: Arrays, name: str, folder: Path) -> None:
    """Write ``name.onnx`` and ``name-heads.npz`` (matrices in float16, biases in float32)."""
    write_graph(state, HEADS, folder / f"{name}.onnx")
    stored = {
        key: values.astype(np.float32 if key.endswith("_bias") else np.float16)
        for key, values in heads.items()
    }
    np.savez(folder / f"{name}-heads.npz", **stored)  # type: ignore[arg-type]


def write_shared(state: State, tokenizer: Path, tags: Sequence[str], places: int, folder: Path) -> None:
    """Write what all trunks share: embeddings, tokenizer, and the tag vocabulary.

    `places` is the length of the longest window that the trunks read.
    """
    write_embeddings(state, places, folder)
    shutil.copyfile(tokenizer, folder / "tokenizer.json")
    (folder / "tags.json").write_text(json.dumps(list(tags), ensure_ascii=False, indent=0) + "\n", "utf-8")


def write_card(card: Mapping[str, Any], folder: Path) -> None:
    """Write ``card.json``, with the digest and size of every other file of the folder."""
    files = {
        path.name: {"sha256": sha256(path.read_bytes()).hexdigest(), "bytes": path.stat().st_size}
        for path in sorted(folder.iterdir())
        if path.is_file() and path.name != "card.json"
    }
    content = json.dumps({**card, "files": files}, ensure_ascii=False, indent=2)
    (folder / "card.json").write_text(content + "\n", encoding="utf-8")
