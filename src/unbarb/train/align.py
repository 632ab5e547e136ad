"""Turns a pair (toxic, neutral) into one tag per word of the toxic side.

Tags are strings: ``keep``, ``delete``, ``replace|phrase`` and ``append|phrase`` (the phrase comes
after the word; before the first word it is the tag of place 0, the [CLS] piece). The idea of
tagging edits follows GECToR (Omelianchuk et al. 2020) and LaserTagger (Malmi et al. 2019).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from functools import lru_cache

from unbarb.detect.wordpiece import words_of
from unbarb.rewrite.tags import APPEND, DELETE, KEEP, REPLACE

MAX_PHRASE = 4


@lru_cache(maxsize=65536)
def lowered(text: str) -> tuple[str, ...]:
    """The words of `text`, lower-cased, typographic apostrophes made plain."""
    return tuple(span.of(text).lower().replace("’", "'") for span in words_of(text))


def align(source: Sequence[str], target: Sequence[str]) -> list[tuple[int, int, int, int]]:
    """Blocks (i1, i2, j1, j2) in which source[i1:i2] became target[j1:j2], by least edit cost.

    A substitution costs as much as a deletion and an insertion less a trifle, so that kept
    words anchor the alignment; among equals, blocks stay together.
    """
    n, m = len(source), len(target)
    cost = [[0.0] * (m + 1) for _ in range(n + 1)]
    for i in range(1, n + 1):
        cost[i][0] = i
    for j in range(1, m + 1):
        cost[0][j] = j
    for i in range(1, n + 1):
        row, above, word = cost[i], cost[i - 1], source[i - 1]
        for j in range(1, m + 1):
            if word == target[j - 1]:
                row[j] = above[j - 1]
            else:
                row[j] = min(above[j] + 1, row[j - 1] + 1, above[j - 1] + 1.6)
    return _blocks(cost, source, target)


def _blocks(
    cost: list[list[float]], source: Sequence[str], target: Sequence[str]
) -> list[tuple[int, int, int, int]]:
    i, j = len(source), len(target)
    moves: list[tuple[int, int, bool]] = []
    while i or j:
        if i and j and source[i - 1] == target[j - 1] and cost[i][j] == cost[i - 1][j - 1]:
            i, j = i - 1, j - 1
            moves.append((i, j, True))
            continue
        if i and j and cost[i][j] == cost[i - 1][j - 1] + 1.6:
            i, j = i - 1, j - 1
        elif i and cost[i][j] == cost[i - 1][j] + 1:
            i -= 1
        else:
            j -= 1
        moves.append((i, j, False))
    blocks: list[tuple[int, int, int, int]] = []
    at_i = at_j = 0
    for i, j, same in [*reversed(moves), (len(source), len(target), True)]:
        if same:
            if (at_i, at_j) != (i, j):
                blocks.append((at_i, i, at_j, j))
            at_i, at_j = i + 1, j + 1
    return blocks


def tags_of(source: Sequence[str], target: Sequence[str]) -> list[str] | None:
    """Tags for places 0…n of `source` (place 0 stands before the first word), or None.

    None when a phrase would be longer than four words: such a pair is a real rewrite, which
    tags cannot say.
    """
    tags = [KEEP] * (len(source) + 1)
    for i1, i2, j1, j2 in align(source, target):
        phrase = " ".join(target[j1:j2])
        if j2 - j1 > MAX_PHRASE:
            return None
        if i1 == i2:
            if tags[i1] != KEEP:
                return None
            tags[i1] = APPEND + phrase
            continue
        for at in range(i1, i2):
            tags[at + 1] = DELETE
        if phrase:
            tags[i1 + 1] = REPLACE + phrase
    return tags


def vocabulary(tagged: Iterable[Sequence[str]], seen: int) -> list[str]:
    """The tags met at least `seen` times, commonest first, `keep` and `delete` in front."""
    counts = Counter(tag for tags in tagged for tag in tags)
    rest = [tag for tag, n in counts.most_common() if n >= seen and tag not in (KEEP, DELETE)]
    return [KEEP, DELETE, *rest]
