"""Words of a text, and the word pieces the encoder reads; shared by training and runtime.

A word is a run of word characters, the tail of a contraction ("'t", "'s") or a single other mark.
Heads that speak about words read the first piece of each word.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from tokenizers import Tokenizer

from unbarb.detect.arrays import damaged
from unbarb.errors import ModelError
from unbarb.text import Span

WORD = re.compile(r"['’](?:t|s|m|d|re|ve|ll)\b|\w+|[^\w\s]", re.IGNORECASE)
CLS, SEP = 101, 102
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

    def ids(self, texts: Sequence[str]) -> list[list[int]]:
        """Piece ids of whole texts; the same pieces as :meth:`encode` gives for their words."""
        batch = self._tokenizer.encode_batch_fast(list(texts), add_special_tokens=False)
        return [item.ids for item in batch]

    def encode(self, texts: Sequence[Sequence[str]]) -> list[Pieces]:
        """Piece ids of each text, given as its words."""
        batch = self._tokenizer.encode_batch(
            [list(words) for words in texts], is_pretokenized=True, add_special_tokens=False
        )
        return [Pieces(np.array(item.ids, np.int64), np.array(item.word_ids, np.int64)) for item in batch]


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
    words, first = np.unique(pieces.owner[begin:end], return_index=True)
    if 0 < begin < end and pieces.owner[begin] == pieces.owner[begin - 1]:
        words, first = words[1:], first[1:]  # its first piece stands in the window before
    ids = np.concatenate(([CLS], pieces.ids[begin:end], [SEP])).astype(np.int64)
    return Window(ids, words, first.astype(np.int64) + 1)
