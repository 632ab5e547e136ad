"""Words of a text, and the word pieces the encoder reads; shared by training and runtime.

A word is a run of word characters, the tail of a contraction ("'t", "'s") or a single other mark.
Heads that speak about words read the first piece of each word.
"""

from __future__ import annotations

import re
from collections import ChainMap
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import chain
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from tokenizers import Tokenizer

from unbarb.detect.arrays import damaged
from unbarb.errors import ModelError
from unbarb.text import Span

WORD = re.compile(r"['’](?:t|s|m|d|re|ve|ll)\b|\w+|[^\w\s]", re.IGNORECASE)
CLS, SEP = 101, 102
REMEMBERED, LONGEST = 1 << 16, 40
"""Stretches whose pieces are remembered, and the characters of the longest."""

MAX_PIECES = 128
"""Length of the longest window the encoder reads, [CLS] and [SEP] included."""


def words_of(text: str) -> list[Span]:
    """The words of `text`, in order, disjoint."""
    return [Span(*match.span()) for match in WORD.finditer(text)]


@dataclass(frozen=True, slots=True)
class Pieces:
    """Piece ids of one text without [CLS] and [SEP]; ``owner[i]`` is the word of piece ``i``."""

    ids: NDArray[np.int64]
    owner: NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Window:
    """One stretch the encoder reads at once.

    `ids` has shape (length,), [CLS] … [SEP]; `words` are indices into the text's words that begin
    here, and ``first[k]`` is the place in `ids` where the first piece of ``words[k]`` stands.
    """

    ids: NDArray[np.int64]
    words: NDArray[np.int64]
    first: NDArray[np.int64]


class WordPiece:
    """The encoder's tokenizer over words that are already cut."""

    def __init__(self, path: Path) -> None:
        if not path.is_file():
            raise ModelError(f"no tokenizer at {path}; reinstall unbarb or name another model folder")
        try:
            self._tokenizer = Tokenizer.from_file(str(path))
        except Exception as error:  # tokenizers raises Exception itself
            raise damaged(path, error) from error
        self._tokenizer.no_truncation()
        self._tokenizer.no_padding()
        # A user's "[SEP]" is five characters, not the end of the text.
        self._tokenizer.encode_special_tokens = True
        self._known: dict[str, tuple[int, ...]] = {}

    def ids(self, texts: Sequence[str]) -> list[list[int]]:
        """Piece ids of whole texts; the same pieces as :meth:`encode` gives for their words."""
        chunks = [text.split() for text in texts]
        known = self._pieces(chunks)
        return [[*chain.from_iterable(map(known.__getitem__, one))] for one in chunks]

    def encode(self, texts: Sequence[Sequence[str]]) -> list[Pieces]:
        """Piece ids of each text, given as its words."""
        known = self._pieces(texts)
        found = []
        for words in texts:
            pieces = [known[word] for word in words]
            ids = np.array([*chain.from_iterable(pieces)], np.int64)
            found.append(Pieces(ids, np.repeat(np.arange(len(words)), [*map(len, pieces)])))
        return found

    def _pieces(self, texts: Sequence[Sequence[str]]) -> Mapping[str, Sequence[int]]:
        """Piece ids of all stretches of `texts`, none of which holds white space.

        Pieces never reach over white space, so the stretches met before need no second look.
        """
        known = self._known
        new = [*set().union(*texts).difference(known)]
        if new:
            if len(known) > REMEMBERED:
                self._known = known = {}
                new = [*set().union(*texts)]
            batch = self._tokenizer.encode_batch_fast(new, add_special_tokens=False)
            pieces = {stretch: tuple(item.ids) for stretch, item in zip(new, batch, strict=True)}
            known.update((stretch, ids) for stretch, ids in pieces.items() if len(stretch) <= LONGEST)
            if len(max(new, key=len)) > LONGEST:
                return ChainMap(known, pieces)
        return known


def windows(pieces: Pieces, breaks: Sequence[int], size: int = MAX_PIECES) -> list[Window]:
    """Cut a text into windows of at most `size` pieces that together hold every piece.

    `breaks` are the indices of the words that begin a sentence. Windows begin and end at
    sentences where they can; neighbours share their last and first sentence, so that what is
    said across a border is read once whole.
    """
    room = size - 2
    total = len(pieces.ids)
    if total <= room:
        return [_window(pieces, 0, total)]
    starts = np.searchsorted(pieces.owner, np.asarray(breaks, np.int64), side="left")
    edges = np.array(sorted({0, total, *starts.tolist()}))
    found: list[Window] = []
    begin = 0
    while True:
        inside = edges[(edges > begin) & (edges <= begin + room)]
        end = int(inside[-1]) if len(inside) else begin + room
        found.append(_window(pieces, begin, end))
        if end == total:
            return found
        # Share the last sentence; of a sentence that had to be cut, a quarter of the window.
        again = int(inside[-2]) if len(inside) > 1 else end if len(inside) else end - room // 4
        after = edges[edges > end][0]  # sharing must leave room for what comes next
        begin = again if end - again <= room // 2 and (not len(inside) or after - again <= room) else end


def _window(pieces: Pieces, begin: int, end: int) -> Window:
    owner = pieces.owner[begin:end]  # in order: a word begins where it changes
    first = np.flatnonzero(np.append(len(owner) > 0, owner[1:] != owner[:-1]))
    words = owner[first]
    if 0 < begin < end and pieces.owner[begin] == pieces.owner[begin - 1]:
        words, first = words[1:], first[1:]  # its first piece stands in the window before
    ids = np.concatenate(([CLS], pieces.ids[begin:end], [SEP])).astype(np.int64)
    return Window(ids, words, first.astype(np.int64) + 1)
