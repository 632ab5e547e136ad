"""Distinct-n: how various are several continuations of one prompt?

Different n-grams of words over all n-grams, of a prompt's continuations together: Li et al. 2016
(https://aclanthology.org/N16-1014/), by prompt as in Liu et al. 2021
(https://aclanthology.org/2021.acl-long.522/); where we differ: over the n-grams there are, not over the
tokens, so that 1 is the most for every n. A model that says the same every time has little of it.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from unbarb.errors import InputError

METRIC = "distinct_n/1"

_WORD = re.compile(r"\w+(?:'\w+)*|[^\w\s]")


def distinct_n(texts: Sequence[str], n: int) -> float | None:
    """0…1, higher is more various; case ignored; `None` when no text has `n` words.

    Raises:
        InputError: `n` is less than 1.
    """
    if n < 1:
        raise InputError(f"distinct-{n}; n is 1 or more")
    grams = [gram for text in texts for gram in _grams(text, n)]
    return len(set(grams)) / len(grams) if grams else None


def _grams(text: str, n: int) -> Iterator[tuple[str, ...]]:
    words = _WORD.findall(text.casefold())
    return (tuple(words[at : at + n]) for at in range(len(words) - n + 1))
