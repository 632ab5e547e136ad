"""The editing trunk: word tags for a sentence, and what the sentence heads say of a text.

Heads are plain matrices over the hidden states; see train/editor.py for how they learn.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache, lru_cache
from itertools import chain
from math import sqrt
from pathlib import Path

import numpy as np

from unbarb.detect.arrays import damaged, read_arrays
from unbarb.detect.embedded import HOME, card_digest
from unbarb.detect.pieces import PieceModel
from unbarb.detect.trunk import Embeddings, FloatArray, IntArray, Trunk, pooled, sigmoid
from unbarb.detect.wordpiece import CLS, MAX_PIECES, SEP, WORD, WordPiece
from unbarb.errors import ModelError
from unbarb.rewrite.proofreader import Proofreader
from unbarb.rewrite.tags import KEEP


@dataclass(frozen=True, slots=True)
class Impression:
    """What the sentence heads say of one text: probabilities, and a unit vector of its meaning."""

    fluency: float
    toxicity: float
    meaning: FloatArray


class Editor:
    """The second trunk of the embedded model, with the third that proofreads for it.

    Raises:
        ModelError: model files are missing or damaged.
    """

    def __init__(self, folder: Path = HOME) -> None:
        self.digest = card_digest(folder)
        self._wordpiece = WordPiece(folder / "tokenizer.json")
        embeddings = Embeddings(folder)
        self._trunk = Trunk(folder / "editor.onnx", embeddings)
        self._proofreader = Proofreader(folder, embeddings)
        self._sketch = PieceModel(folder / "sketch.npz")
        self.vocabulary = read_tags(folder / "tags.json")
        heads = read_arrays(
            folder / "editor-heads.npz", "tags", "tags_bias", "sentence", "sentence_bias", "meaning"
        )
        self._tags, self._tags_bias, self._sentence, self._sentence_bias, self._meaning = (
            head.astype(np.float32) for head in heads
        )
        # In double precision no logit hangs on how many threads the processor's library multiplies with.
        self._tags = self._tags.astype(np.float64)
        if len(self.vocabulary) != len(self._tags_bias):
            raise ModelError(
                f"{folder}: {len(self.vocabulary)} tags in tags.json, {len(self._tags_bias)} in"
                " editor-heads.npz; run `unbarb models verify`"
            )
        self._kept = np.where(np.array(self.vocabulary) == KEEP, 0.0, -40.0).astype(np.float32)
        self.read = lru_cache(maxsize=4096)(self._read)
        self.pieces = lru_cache(maxsize=32768)(self._pieces)

    def sketch(self, pieces: Sequence[Sequence[int]]) -> FloatArray:
        """A linear reading of texts given as piece ids: probabilities of damage and toxicity, (n, 2)."""
        return self._sketch.scores(pieces)

    def tag(self, words: Sequence[str]) -> FloatArray | None:
        """Log-probabilities of tags, shape (words + 1, tags); place 0 stands before the first word.

        None when the sentence is longer than the encoder reads at once.
        """
        pieces = [self.pieces(word) for word in words]
        sizes = np.array([len(ids) for ids in pieces], np.int64)
        if sizes.sum() > MAX_PIECES - 2:
            return None
        hidden = self._trunk(_ids(pieces))
        first = np.cumsum(sizes) - sizes + 1
        chosen = hidden[np.concatenate(([0], first))].astype(np.float64)
        logits = (chosen @ self._tags).astype(np.float32) + self._tags_bias
        # A character that the tokenizer drops has no piece to read: such a word is kept.
        logits[np.flatnonzero(sizes == 0) + 1] = self._kept
        logits -= logits.max(axis=1, keepdims=True)
        return np.asarray(logits - np.log(np.exp(logits).sum(axis=1, keepdims=True)), np.float32)

    def _pieces(self, text: str) -> tuple[int, ...]:
        """Piece ids of a word or phrase; the last ones asked for are remembered."""
        return tuple(self._wordpiece.ids([text])[0])

    def _ids_of(self, text: str) -> IntArray:
        return _ids([self.pieces(word.replace("’", "'")) for word in WORD.findall(text)])

    def _read(self, text: str) -> Impression:
        """Fluency, toxicity and meaning of a text; one longer than a window is read by its start."""
        states = pooled(self._trunk(self._ids_of(text)))
        fluency, toxicity = sigmoid(states @ self._sentence + self._sentence_bias).tolist()
        mean = states[len(states) // 3 : -len(states) // 3]
        meaning = mean @ self._meaning
        return Impression(fluency, toxicity, meaning / max(sqrt(float(meaning @ meaning)), 1e-9))

    def proofread(self, text: str) -> float:
        """Probability that `text` reads as a person wrote it, by its first window."""
        return self._proofreader(self._ids_of(text))


def _ids(pieces: Sequence[Sequence[int]]) -> IntArray:
    """One window of the words whose pieces these are, (pieces + 2,); what is too long is cut."""
    return np.array([CLS, *[*chain.from_iterable(pieces)][: MAX_PIECES - 2], SEP], np.int64)


def read_tags(path: Path) -> tuple[str, ...]:
    """The tag vocabulary, in the order of the tag head's outputs.

    Raises:
        ModelError: the file is missing or damaged.
    """
    try:
        return tuple(json.loads(path.read_text("utf-8")))
    except (OSError, ValueError, TypeError) as error:
        raise damaged(path, error) from error


@cache
def shared_editor(folder: Path = HOME) -> Editor:
    """The editor of a model folder, loaded once: the rewriter and the verifier read the same texts."""
    return Editor(folder)
