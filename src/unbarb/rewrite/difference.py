"""A generated text becomes edits: what differs from the original, by words."""

from __future__ import annotations

import re
from difflib import SequenceMatcher

from unbarb.rewrite.protocol import Candidate
from unbarb.text import Edit

_PIECE = re.compile(r"\w+|\s+|[^\w\s]")


def edits_between(original: str, rewritten: str) -> tuple[Edit, ...]:
    """Edits with ``apply(edits, original) == rewritten``, in order, each of whole words and marks."""
    ours = [(found.start(), found.end()) for found in _PIECE.finditer(original)]
    pieces = [original[start:end] for start, end in ours]
    theirs = _PIECE.findall(rewritten)
    edits: list[Edit] = []
    for kind, first, last, begin, end in SequenceMatcher(
        None, pieces, theirs, autojunk=False
    ).get_opcodes():
        if kind != "equal":
            at = ours[first][0] if first < len(ours) else len(original)
            until = ours[last - 1][1] if last > first else at
            edits.append(Edit(at, until, "".join(theirs[begin:end])))
    return tuple(edits)


def candidate(original: str, generated: str, score: float) -> Candidate | None:
    """The proposal that `generated` stands for; None where it says nothing, or nothing new.

    White space around the original stays: a sentence of a text must not run into the next one.
    """
    said = generated.strip()
    bare = original.strip()
    if not said or said == bare:
        return None
    start = original.index(bare)
    text = original[:start] + said + original[start + len(bare) :]
    return Candidate(text, edits_between(original, text), "edit", score)
