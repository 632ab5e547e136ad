"""A text as the encoder reads it: its normalised view, its words, their pieces, and its sentences."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from unbarb.detect.doubt import strangeness
from unbarb.detect.normalize import Normalized
from unbarb.detect.spared import spared
from unbarb.detect.wordpiece import Pieces, WordPiece, words_of
from unbarb.segment import sentences
from unbarb.text import Span

DOZEN = 12
"""A text of no more words is not read by its sentences."""
HEARD = 0.3
"""A sentence of several with a word so toxic is read by itself too."""


@dataclass(frozen=True, slots=True)
class Reading:
    """One text, cut: its normalised view, its words and what each is read as, and their pieces.

    `breaks` are the words that begin a sentence.
    """

    view: Normalized
    words: list[Span]
    read: Sequence[str]
    pieces: Pieces
    breaks: list[int]

    @property
    def original(self) -> list[Span]:
        """Where the words stand in the original text."""
        return [self.view.span(word.start, word.end) for word in self.words]

    @property
    def strangeness(self) -> float:
        """By how much to divide its odds; see `unbarb.detect.doubt.strangeness`."""
        counts = np.bincount(self.pieces.owner, minlength=len(self.words))
        return strangeness([span.of(self.view.text) for span in self.words], counts.tolist())

    def heard(self, toxicity: NDArray[np.float32]) -> list[Reading]:
        """The sentences of a text of several that a toxic word is heard in, each by itself."""
        if len(self.breaks) < 2 or len(self.words) <= DOZEN:
            return []
        edges = pairwise([*self.breaks, len(self.words)])
        return [self._part(*edge) for edge in edges if (toxicity[slice(*edge)] >= HEARD).any()]

    def _part(self, begin: int, end: int) -> Reading:
        inside = (self.pieces.owner >= begin) & (self.pieces.owner < end)
        pieces = Pieces(self.pieces.ids[inside], self.pieces.owner[inside] - begin)
        return Reading(self.view, self.words[begin:end], self.read[begin:end], pieces, [0])


def read(views: Sequence[Normalized], wordpiece: WordPiece) -> list[Reading]:
    """Read texts, given as their normalised views."""
    spans = [words_of(view.text) for view in views]
    words = [spared([span.of(view.text) for span in of]) for view, of in zip(views, spans, strict=True)]
    return [
        Reading(view, of, as_read, pieces, breaks_of(view.text, of))
        for view, of, as_read, pieces in zip(views, spans, words, wordpiece.encode(words), strict=True)
    ]


def breaks_of(text: str, words: Sequence[Span]) -> list[int]:
    """Indices of the words that begin a sentence."""
    starts = [span.start for span in sentences(text)]
    if len(starts) < 2:
        return [0]
    begun: list[int] = np.unique(np.searchsorted([word.start for word in words], starts)).tolist()
    return begun
