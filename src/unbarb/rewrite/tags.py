"""The words that training and rewriting share about edits: what a tag is and what it does."""

from __future__ import annotations

from collections.abc import Sequence

KEEP = "keep"
DELETE = "delete"
REPLACE = "replace|"
APPEND = "append|"


def carry_out(words: Sequence[str], tags: Sequence[str]) -> list[str]:
    """The words after the edits; ``tags[0]`` stands before the first word, ``tags[i + 1]`` at word i."""
    done: list[str] = []
    for word, tag in zip(["", *words], tags, strict=True):
        if tag.startswith(REPLACE):
            done += tag[len(REPLACE) :].split()
            continue
        if tag != DELETE and word:
            done.append(word)
        if tag.startswith(APPEND):
            done += tag[len(APPEND) :].split()
    return done
