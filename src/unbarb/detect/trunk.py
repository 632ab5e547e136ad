"""Runs the int8 encoder: piece ids in, hidden states out. Every window is run alone.

The model's activations are quantised by the range of what one run holds, so a window that shares
a run with others would get other numbers. Run alone, a text's result depends on nothing else, and
a rewrite is scored exactly as it would be if it came as a text of its own.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import cached_property, lru_cache
from pathlib import Path
from typing import TypeVar

import numpy as np
import onnxruntime
from numpy.typing import NDArray

from unbarb.detect.arrays import damaged, read_array

FloatArray = NDArray[np.float32]
IntArray = NDArray[np.int64]
T = TypeVar("T")
R = TypeVar("R")
RECENT = 32
"""Windows whose hidden states a trunk remembers."""


class Embeddings:
    """Word and place embeddings, shared by the trunks: int8 rows with a scale each, memory-mapped."""

    def __init__(self, folder: Path) -> None:
        # As a plain array over the mapped file: memmap's own indexing is slow.
        self._words = np.asarray(read_array(folder / "words.npy", mapped=True))
        self._scales = read_array(folder / "word-scales.npy")
        self._places = read_array(folder / "places.npy")
        self.places = len(self._places)
        """Pieces of the longest window that can be read."""

    def __call__(self, ids: IntArray) -> FloatArray:
        """Sum of word and place embeddings: (t,) → (1, t, d)."""
        words = self._words[ids] * self._scales[ids, None]
        return np.asarray((words + self._places[: len(ids)])[None], np.float32)


class Trunk:
    """One encoder graph over the shared embeddings."""

    def __init__(self, path: Path, embeddings: Embeddings) -> None:
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = 1
        options.inter_op_num_threads = 1
        options.log_severity_level = 3
        # Fusing residual and norm, as the higher levels do, is slower on short windows.
        options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_ENABLE_BASIC
        try:
            self._session = onnxruntime.InferenceSession(
                str(path), options, providers=["CPUExecutionProvider"]
            )
        except Exception as error:  # onnxruntime raises bare classes of its own
            raise damaged(path, error) from error
        self._embeddings = embeddings
        self.places = embeddings.places
        self._recent = lru_cache(maxsize=RECENT)(self._run)

    def __call__(self, ids: IntArray) -> FloatArray:
        """Hidden states of one window: (t,) → (t, d); not to be written to.

        The last few are remembered: one rewrite asks several times about the same text.
        """
        return self._recent(ids.astype(np.int64).tobytes())

    def _run(self, content: bytes) -> FloatArray:
        ids = np.frombuffer(content, np.int64)
        hidden: FloatArray = self._session.run(["hidden"], {"embedded": self._embeddings(ids)})[0][0]
        hidden.setflags(write=False)
        return hidden


class Crew:
    """Does independent work side by side; one thread does it in the caller's own."""

    def __init__(self, threads: int) -> None:
        self.threads = max(1, threads)

    @cached_property
    def _pool(self) -> ThreadPoolExecutor:
        return ThreadPoolExecutor(self.threads, thread_name_prefix="unbarb")

    def run(self, work: Callable[[T], R], items: Sequence[T]) -> list[R]:
        """What `work` gives for each item, in order."""
        if self.threads == 1 or len(items) < 2:
            return [work(item) for item in items]
        return list(self._pool.map(work, items))


def pooled(hidden: FloatArray) -> FloatArray:
    """[CLS], mean and maximum over the pieces, side by side: (t, d) → (3 d,)."""
    # As hidden.mean(0) and hidden.max(0), without what these methods cost on a short text.
    mean = np.add.reduce(hidden, 0) / np.float32(len(hidden))
    states: FloatArray = np.concatenate((hidden[0], mean, np.maximum.reduce(hidden, 0)))
    return states


def sigmoid(logits: FloatArray) -> FloatArray:
    """Probabilities of logits, without overflow."""
    return np.asarray(1.0 / (1.0 + np.exp(-np.minimum(np.maximum(logits, -30.0), 30.0))), np.float32)
