"""The editor: tags for a sentence, and what the sentence heads and the proofreader say of a text.

Heads are plain matrices over the hidden states; see train/editor.py for how they learn.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache, lru_cache
from math import sqrt
from pathlib import Path

import numpy as np

from unbarb.detect.arrays import read_arrays
from unbarb.detect.embedded import HOME, card_digest
from unbarb.detect.pieces import PieceModel
from unbarb.detect.trunk import FloatArray, pooled, sigmoid
from unbarb.rewrite.proofreader import Proofreader
from unbarb.rewrite.tagger import Tagger


@dataclass(frozen=True, slots=True)
class Impression:
    """What the sentence heads say of one text: probabilities, and a unit vector of its meaning."""

    fluency: float
    toxicity: float
    meaning: FloatArray


class Editor(Tagger):
    """The second trunk of the embedded model, with the third that proofreads for it.

    Raises:
        ModelError: model files are missing or damaged.
    """

    def __init__(self, folder: Path = HOME) -> None:
        super().__init__(folder)
        self.digest = card_digest(folder)
        self._proofreader = Proofreader(folder, self._embeddings)
        self._sketch = PieceModel(folder / "sketch.npz")
        heads = read_arrays(folder / "editor-heads.npz", "sentence", "sentence_bias", "meaning")
        self._sentence, self._sentence_bias, self._meaning = (head.astype(np.float32) for head in heads)
        self.read = lru_cache(maxsize=4096)(self._read)

    def sketch(self, pieces: Sequence[Sequence[int]]) -> FloatArray:
        """A linear reading of texts given as piece ids: probabilities of damage and toxicity, (n, 2)."""
        return self._sketch.scores(pieces)

    def _read(self, text: str) -> Impression:
        """Fluency, toxicity and meaning of a text; one longer than a window is read by its start."""
        states = pooled(self._trunk(self.ids(text)))
        fluency, toxicity = sigmoid(states @ self._sentence + self._sentence_bias).tolist()
        mean = states[len(states) // 3 : -len(states) // 3]
        meaning = mean @ self._meaning
        return Impression(fluency, toxicity, meaning / max(sqrt(float(meaning @ meaning)), 1e-9))

    def proofread(self, text: str) -> float:
        """Probability that `text` reads as a person wrote it, by its first window."""
        return self._proofreader(self.ids(text))


@cache
def shared_editor(folder: Path = HOME) -> Editor:
    """The editor of a model folder, loaded once: the rewriter and the verifier read the same texts."""
    return Editor(folder)
