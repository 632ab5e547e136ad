"""Word tags for a sentence, by the editing trunk, and the drafts they make."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from functools import lru_cache
from itertools import chain
from pathlib import Path

import numpy as np

from unbarb.detect.arrays import damaged, read_arrays
from unbarb.detect.embedded import HOME
from unbarb.detect.normalize import normalize
from unbarb.detect.trunk import Embeddings, FloatArray, IntArray, Trunk
from unbarb.detect.wordpiece import CLS, MAX_PIECES, SEP, WORD, WordPiece, words_of
from unbarb.errors import ModelError
from unbarb.rewrite.assemble import Assembler
from unbarb.rewrite.beam import likeliest
from unbarb.rewrite.drafts import Drafts, drafts_of
from unbarb.rewrite.tags import KEEP
from unbarb.text import Span


class Tagger:
    """The second trunk of the embedded model, with its head for tags.

    Raises:
        ModelError: model files are missing or damaged.
    """

    def __init__(self, folder: Path = HOME) -> None:
        self._wordpiece = WordPiece(folder / "tokenizer.json")
        self._embeddings = Embeddings(folder)
        self._trunk = Trunk(folder / "editor.onnx", self._embeddings)
        self.vocabulary = read_tags(folder / "tags.json")
        tags, bias = read_arrays(folder / "editor-heads.npz", "tags", "tags_bias")
        # In double precision no logit hangs on how many threads the processor's library multiplies with.
        self._tags, self._tags_bias = tags.astype(np.float64), bias.astype(np.float32)
        if len(self.vocabulary) != len(self._tags_bias):
            raise ModelError(
                f"{folder}: {len(self.vocabulary)} tags in tags.json, {len(self._tags_bias)} in"
                " editor-heads.npz; run `unbarb models verify`"
            )
        self._kept = np.where(np.array(self.vocabulary) == KEEP, 0.0, -40.0).astype(np.float32)
        self.pieces = lru_cache(maxsize=32768)(self._pieces)

    def drafts(
        self, text: str, width: int, toxicity: Callable[[Sequence[Span]], FloatArray]
    ) -> tuple[Assembler, Drafts] | None:
        """The drafts among the `width` likeliest ways to tag `text`, and what makes texts of their tags.

        None where there are none, or the text is longer than the encoder reads at once.
        ``toxicity(places)`` is that of the words at these places of the text, shape (places,).
        """
        view = normalize(text)
        words = words_of(view.text)
        lowered = [span.of(view.text).lower().replace("’", "'") for span in words]
        logp = self.tag(lowered) if words else None
        if logp is None:
            return None
        places = [view.span(span.start, span.end) for span in words]
        drafts = drafts_of(
            likeliest(logp, width),
            self.vocabulary,
            [self.pieces(word) for word in lowered],
            toxicity(places),
            self.pieces,
        )
        return (Assembler(text, places), drafts) if drafts.tags else None

    def tag(self, words: Sequence[str]) -> FloatArray | None:
        """Log-probabilities of tags, shape (words + 1, tags); place 0 stands before the first word.

        None when the sentence is longer than the encoder reads at once.
        """
        pieces = [self.pieces(word) for word in words]
        sizes = np.array([len(ids) for ids in pieces], np.int64)
        if sizes.sum() > MAX_PIECES - 2:
            return None
        hidden = self._trunk(_window(pieces))
        first = np.cumsum(sizes) - sizes + 1
        chosen = hidden[np.concatenate(([0], first))].astype(np.float64)
        logits = (chosen @ self._tags).astype(np.float32) + self._tags_bias
        # A character that the tokenizer drops has no piece to read: such a word is kept.
        logits[np.flatnonzero(sizes == 0) + 1] = self._kept
        logits -= logits.max(axis=1, keepdims=True)
        return np.asarray(logits - np.log(np.exp(logits).sum(axis=1, keepdims=True)), np.float32)

    def ids(self, text: str) -> IntArray:
        """One window of piece ids from the start of `text`, shape (pieces + 2,)."""
        return _window([self.pieces(word.replace("’", "'")) for word in WORD.findall(text)])

    def _pieces(self, text: str) -> tuple[int, ...]:
        """Piece ids of a word or phrase; the last ones asked for are remembered."""
        return tuple(self._wordpiece.ids([text])[0])


def _window(pieces: Sequence[Sequence[int]]) -> IntArray:
    """One window of the words whose pieces these are; what is too long is cut."""
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
