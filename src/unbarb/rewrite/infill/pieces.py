"""Words are the unit, pieces are what a model reads: which pieces belong to which word of a text.

Training and runtime cut texts here alike.
"""

from __future__ import annotations

from bisect import bisect_right
from dataclasses import dataclass
from typing import Any

from unbarb.detect.wordpiece import words_of
from unbarb.text import Span


@dataclass(frozen=True, slots=True)
class Cut:
    """A text's words, and its piece ids without special tokens; ``bounds[w]`` are the pieces of word ``w``.

    Words may have no piece (a character that the tokenizer drops); every piece belongs to one word.
    """

    words: tuple[Span, ...]
    ids: tuple[int, ...]
    bounds: tuple[tuple[int, int], ...]

    def between(self, first: int, last: int) -> tuple[int, ...]:
        """The pieces of the words ``[first, last)``."""
        return self.ids[self.bounds[first][0] : self.bounds[last - 1][1]] if first < last else ()


def cut(text: str, tokenizer: Any) -> Cut:
    """Cut `text` by a fast tokenizer of transformers; a "[MASK]" that a user wrote is six characters."""
    encoded = tokenizer(
        text, add_special_tokens=False, return_offsets_mapping=True, split_special_tokens=True
    )
    words = words_of(text)
    starts = [word.start for word in words]
    ids: list[int] = []
    owners: list[int] = []
    for piece, (start, end) in zip(encoded["input_ids"], encoded["offset_mapping"], strict=True):
        while start < end and text[start].isspace():  # byte-level tokenizers count the space before
            start += 1
        if start < end and words:
            ids.append(piece)
            owners.append(max(0, bisect_right(starts, start) - 1))
    bounds, at = [], 0
    for word in range(len(words)):
        first = at
        while at < len(owners) and owners[at] <= word:
            at += 1
        bounds.append((first, at))
    return Cut(tuple(words), tuple(ids), tuple(bounds))


def around(tokenizer: Any) -> tuple[tuple[int, ...], tuple[int, ...]]:
    """The special tokens that a tokenizer puts before and after a text."""
    bare = tuple(tokenizer("a", add_special_tokens=False)["input_ids"])
    whole = tuple(tokenizer("a")["input_ids"])
    at = next(at for at in range(len(whole)) if whole[at : at + len(bare)] == bare)
    return whole[:at], whole[at + len(bare) :]
