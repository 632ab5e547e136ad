"""Proofreads candidates: how likely is it that a person wrote this, and no edit went wrong?

The third trunk: half as many layers as the others, so that many candidates can be read.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np

from unbarb.detect.arrays import read_arrays
from unbarb.detect.trunk import Embeddings, IntArray, Trunk, pooled, sigmoid


class Proofreader:
    """The proofreading trunk of a model folder, over the shared embeddings.

    Raises:
        ModelError: model files are missing or damaged.
    """

    def __init__(self, folder: Path, embeddings: Embeddings) -> None:
        self._trunk = Trunk(folder / "proofreader.onnx", embeddings)
        heads = read_arrays(folder / "proofreader-heads.npz", "intact", "intact_bias")
        self._intact, self._intact_bias = (head.astype(np.float32) for head in heads)

    def __call__(self, ids: IntArray) -> float:
        """Probability that the text of one window is intact; ids as the other trunks read them, (t,)."""
        return float(sigmoid(pooled(self._trunk(ids)) @ self._intact + self._intact_bias)[0])
