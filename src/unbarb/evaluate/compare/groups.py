"""Which identity groups a text names, by the forms that the behaviours are written with."""

from __future__ import annotations

import re
from functools import cache

from unbarb.data.behaviours.material import Split, groups


@cache
def _patterns() -> dict[str, re.Pattern[str]]:
    forms: dict[str, set[str]] = {}
    splits: tuple[Split, ...] = ("train", "test")
    for split in splits:
        for group in groups(split):
            forms.setdefault(group.adjective, set()).update(word for form in group.forms for word in form)
    return {
        name: re.compile(
            rf"(?<!\w)(?:{'|'.join(map(re.escape, sorted(words, key=len, reverse=True)))})(?!\w)", re.I
        )
        for name, words in forms.items()
    }


def groups_in(text: str) -> frozenset[str]:
    """The adjectives of the groups named in `text`, case ignored."""
    return frozenset(name for name, pattern in _patterns().items() if pattern.search(text))
