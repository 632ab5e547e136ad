"""Fills gaps by a product of experts, piece by piece from left to right, each with as many as it likes.

Every length from none to `longest` is tried for every gap, by beams; what counts is the mean
log-probability a piece, so that a longer filling is not dearer for its length. Later gaps stay masked
until their turn.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from unbarb.errors import ConfigError
from unbarb.rewrite.infill.experts import Experts, Floats, Gap, Ids, Weights
from unbarb.rewrite.infill.pieces import Cut

Mask = NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class Search:
    """How far a filling is looked for.

    `longest` is the most pieces of a gap; `width` how many fillings of each length are followed; `states`
    how many ways to fill the gaps so far are gone on with, `found` how many come out. `empty` is what a gap
    left empty is worth, as a mean log-probability.

    Raises:
        ConfigError: with every setting that is out of range.
    """

    longest: int = 2
    width: int = 8
    states: int = 4
    found: int = 24
    empty: float = -2.0

    def __post_init__(self) -> None:
        wrong = [
            f"{name}: {value} is not from {low} to {high}"
            for name, value, low, high in (
                ("longest", self.longest, 0, 8),
                ("width", self.width, 1, 64),
                ("states", self.states, 1, 64),
                ("found", self.found, 1, 256),
            )
            if not low <= value <= high
        ]
        if wrong:
            raise ConfigError("\n".join(wrong))


@dataclass(frozen=True, slots=True)
class Filling:
    """Pieces for every gap, none for one that stays empty; `total` log-probability over `count` pieces."""

    pieces: tuple[Ids, ...] = ()
    total: float = 0.0
    count: int = 0

    @property
    def score(self) -> float:
        """The mean log-probability of a piece."""
        return self.total / max(1, self.count)

    def then(self, pieces: Ids, total: float) -> Filling:
        """With the next gap filled too."""
        return Filling((*self.pieces, pieces), self.total + total, self.count + max(1, len(pieces)))


def fill(
    found: Cut, gaps: Sequence[tuple[int, int]], experts: Experts, weights: Weights, search: Search
) -> list[Filling]:
    """Ways to fill `gaps`, half-open stretches of words, in order; the best first.

    No way is kept for its length: of a gap's fillings the best go on, and the empty one always does.
    """
    letters = vocabulary(experts.tokenizer)
    states = [Filling()]
    for at in range(len(gaps)):
        last = at == len(gaps) - 1
        nexts = [
            state.then(pieces, total)
            for state, fillings in zip(
                states, _of_gap(found, gaps, at, states, experts, weights, search, letters), strict=True
            )
            for pieces, total in [((), search.empty), *fillings]
        ]
        nexts.sort(key=lambda one: -one.score)
        keep = search.found if last else search.states
        empty = [one for one in nexts if not one.pieces[-1]][:1]
        states = sorted(
            {*nexts[: keep - 1], *(empty or nexts[keep - 1 : keep])},
            key=lambda one: (-one.score, one.pieces),
        )
    return states


@dataclass(frozen=True, slots=True)
class _Begun:
    """A filling of one gap in the making: of which state, how long it is to be, what there is so far."""

    state: int
    size: int
    pieces: Ids = ()
    total: float = 0.0


def _of_gap(
    found: Cut, gaps: Sequence[tuple[int, int]], at: int, states: Sequence[Filling], experts: Experts,
    weights: Weights, search: Search, letters: Letters,
) -> list[list[tuple[Ids, float]]]:  # fmt: skip
    """For each state the fillings of the gap `at`: pieces and their log-probability."""
    lefts = [_left(found, gaps, at, state.pieces) for state in states]
    right = _right(found, gaps, at, experts)
    width = max(2, search.width // len(states))
    begun = [_Begun(state, size) for state in range(len(states)) for size in range(1, search.longest + 1)]
    done: list[list[tuple[Ids, float]]] = [[] for _ in states]
    while begun:
        asked = [Gap((*lefts[one.state], *one.pieces), one.size - len(one.pieces), right) for one in begun]
        scores = weights.product(experts.views(asked))
        grown: dict[tuple[int, int], list[_Begun]] = {}
        for one, row in zip(begun, scores, strict=True):
            allowed = letters.goes_on if one.pieces else letters.begins
            for piece in _best(row, allowed, width):
                grown.setdefault((one.state, one.size), []).append(
                    _Begun(one.state, one.size, (*one.pieces, piece), one.total + float(row[piece]))
                )
        begun = []
        for (state, size), many in grown.items():
            best = sorted(many, key=lambda one: (-one.total, one.pieces))[:width]
            if len(best[0].pieces) == size:
                done[state] += [(one.pieces, one.total) for one in best]
            else:
                begun += best
    return done


def _left(found: Cut, gaps: Sequence[tuple[int, int]], at: int, filled: Sequence[Ids]) -> Ids:
    """Everything before the gap `at`, the gaps before it filled."""
    pieces: list[int] = []
    word = 0
    for (first, last), filling in zip(gaps, filled, strict=False):
        pieces += [*found.between(word, first), *filling]
        word = last
    return (*pieces, *found.between(word, gaps[at][0]))


def _right(found: Cut, gaps: Sequence[tuple[int, int]], at: int, experts: Experts) -> Ids:
    """Everything after the gap `at`, later gaps hidden as they were in training."""
    pieces: list[int] = []
    word = gaps[at][1]
    for first, last in gaps[at + 1 :]:
        hidden = len(found.between(first, last))
        masks = [experts.mask] * (min(1, hidden) if experts.one_mask else hidden)
        pieces += [*found.between(word, first), *masks]
        word = last
    return (*pieces, *found.between(word, len(found.words)))


def _best(row: Floats, allowed: Mask, count: int) -> list[int]:
    """The likeliest allowed pieces, ties by their number."""
    masked = np.where(allowed, row, -np.inf)
    top = np.argpartition(-masked, min(count, len(masked) - 1))[: 4 * count]
    return [int(piece) for piece in top[np.lexsort((top, -masked[top]))][:count] if allowed[piece]]


@dataclass(frozen=True, slots=True)
class Letters:
    """Which pieces may begin a filling, and which may follow in one; (vocabulary,) each.

    Fillings are words of plain letters: a number, a mark or a sign would be a fact made up.
    """

    begins: Mask
    goes_on: Mask


def vocabulary(tokenizer: Any) -> Letters:
    """What the tokenizer's pieces may do, looked up once."""
    return _vocabulary(tokenizer)


@lru_cache(maxsize=4)
def _vocabulary(tokenizer: Any) -> Letters:
    pieces = tokenizer.convert_ids_to_tokens(list(range(len(tokenizer))))
    special = set(tokenizer.all_special_ids)
    hashes = any(piece.startswith("##") for piece in pieces)
    begins, goes_on = np.zeros(len(pieces), bool), np.zeros(len(pieces), bool)
    for at, piece in enumerate(pieces):
        inside = piece.startswith("##") if hashes else not piece.startswith(("Ġ", "▁"))
        bare = piece.removeprefix("##") if hashes else piece.lstrip("Ġ▁")
        goes_on[at] = at not in special and bare.isascii() and bare.isalpha()
        # A lone letter is no word, but for these.
        begins[at] = goes_on[at] and not inside and (len(bare) > 1 or bare in ("a", "A", "I", "i"))
    return Letters(begins, goes_on)
