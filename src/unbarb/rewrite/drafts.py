"""What is known about the ways to tag a sentence before any of their texts is made or read."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import chain

import numpy as np

from unbarb.detect.trunk import FloatArray
from unbarb.rewrite.beam import Ways
from unbarb.rewrite.tags import APPEND, DELETE, REPLACE

Ids = tuple[int, ...]


@dataclass(frozen=True, slots=True, eq=False)
class Drafts:
    """Ways that leave other pieces than the source's, the likeliest first; columns of shape (drafts,).

    `tags` are rows of one tag a place, `pieces` what they leave (before repairs). `deleted` is the share
    of the words deleted, `kept` the highest toxicity of a word kept.
    """

    tags: list[list[str]]
    pieces: list[Ids]
    likelihood: FloatArray
    deleted: FloatArray
    kept: FloatArray


def drafts_of(
    ways: Ways, vocabulary: Sequence[str], words: Sequence[Ids], toxicity: FloatArray,
    pieces_of: Callable[[str], Ids],
) -> Drafts:  # fmt: skip
    """The distinct drafts among `ways` that change something and leave something.

    Args:
        words: pieces of each word; place 0 of the ways stands before the first.
        toxicity: of each word, shape (words,).
        pieces_of: pieces of a tag's phrase.
    """
    choices = [[vocabulary[tag] for tag in row] for row in ways.tags.tolist()]
    left = [
        [_left(tag, own, pieces_of) for tag in row] for own, row in zip(((), *words), choices, strict=True)
    ]
    kept = np.zeros(ways.tags.shape, np.float32)
    gone = np.zeros(ways.tags.shape, np.float32)
    for place, row in enumerate(choices):
        gone[place] = [tag == DELETE for tag in row]
        if place:
            kept[place] = [
                0.0 if tag == DELETE or tag.startswith(REPLACE) else toxicity[place - 1] for tag in row
            ]
    first: dict[Ids, int] = {tuple(chain.from_iterable(words)): -1, (): -1}
    ranks = ways.ranks.tolist()
    for way, row in enumerate(ranks):
        first.setdefault(tuple(chain.from_iterable([left[p][rank] for p, rank in enumerate(row)])), way)
    found = {pieces: way for pieces, way in first.items() if way >= 0}
    chosen = list(found.values())
    places = np.arange(len(ways.tags))
    taken = ways.ranks[chosen]
    return Drafts(
        tags=[[choices[p][rank] for p, rank in enumerate(ranks[way])] for way in chosen],
        pieces=list(found),
        likelihood=ways.likelihood[chosen],
        deleted=gone[places, taken].sum(1) / np.float32(max(1, len(words))),
        kept=kept[places, taken].max(1, initial=0.0),
    )


def _left(tag: str, own: Ids, pieces_of: Callable[[str], Ids]) -> Ids:
    """The pieces that stand where a word of the pieces `own` stood."""
    if tag == DELETE:
        return ()
    if tag.startswith(REPLACE):
        return pieces_of(tag[len(REPLACE) :])
    if tag.startswith(APPEND):
        return own + pieces_of(tag[len(APPEND) :])
    return own


def consensus(
    pieces: Sequence[Ids], likelihood: FloatArray, temperature: float, recall: float
) -> FloatArray:
    """How much of the others each draft is expected to share, 0…1, shape (drafts,).

    The mean F-measure of its pieces against every draft's, weighted by how likely that draft is at
    `temperature`: the choice of least expected loss (Kumar and Byrne 2004), as a stand-in for overlap
    with what a person would write. `recall` is the F-measure's beta.
    """
    sizes = np.array([len(row) for row in pieces])
    known, columns = np.unique(
        np.fromiter(chain.from_iterable(pieces), np.int64, sizes.sum()), return_inverse=True
    )
    owner = np.repeat(np.arange(len(pieces)), sizes)
    counts = np.bincount(owner * len(known) + columns, minlength=len(pieces) * len(known))
    counts = counts.reshape(len(pieces), len(known))
    # The common part of two bags is the sum over k of "both hold it k times": products of 0 and 1.
    levels = np.concatenate([counts >= k for k in range(1, counts.max() + 1)], axis=1).astype(np.float32)
    shared = levels @ levels.T
    weight = recall * recall
    overlap = (1 + weight) * shared / (weight * sizes[None, :] + sizes[:, None])
    belief = np.exp((likelihood - likelihood.max()) / temperature)
    return np.asarray(overlap @ (belief / belief.sum()), np.float32)
