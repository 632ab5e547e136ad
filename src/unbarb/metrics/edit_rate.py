"""Edit rate: how many words were changed, per word of the source.

Word insertions, deletions and substitutions (Levenshtein 1966) over the words of the source, as TER
without shifts (Snover et al. 2006, https://aclanthology.org/2006.amta-papers.25/), that is word error
rate. It says how much a system meddles, not how well: a copy has 0.
"""

from __future__ import annotations

from collections.abc import Sequence

from unbarb.errors import InputError

METRIC = "edit_rate/1"


def edits(source: Sequence[str], output: Sequence[str]) -> int:
    """The least number of insertions, deletions and substitutions from one to the other."""
    row = list(range(len(output) + 1))
    for i, one in enumerate(source, 1):
        before, row[0] = row[0], i
        for j, other in enumerate(output, 1):
            before, row[j] = row[j], min(row[j] + 1, row[j - 1] + 1, before + (one != other))
    return row[-1]


def edit_rate(source: str, output: str) -> float | None:
    """0 or more, 1 when as many edits as words; case counts; `None` for a source without words."""
    words = source.split()
    return edits(words, output.split()) / len(words) if words else None


def edit_rates(sources: Sequence[str], outputs: Sequence[str | None]) -> list[float | None]:
    """Of every sentence; `None` where there is no output.

    Raises:
        InputError: the two differ in length.
    """
    if len(sources) != len(outputs):
        raise InputError(f"{len(outputs)} outputs for {len(sources)} sources; give one each")
    return [None if o is None else edit_rate(s, o) for s, o in zip(sources, outputs, strict=True)]
