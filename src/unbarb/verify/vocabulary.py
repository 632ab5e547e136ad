"""The word lists that the checks read, from ``vocabulary.txt`` beside this file."""

from __future__ import annotations

from functools import cache
from pathlib import Path

from unbarb.errors import ModelError

FILE = Path(__file__).parent / "vocabulary.txt"


def word_set(name: str) -> frozenset[str]:
    """The words under the heading ``[name]``.

    Raises:
        ModelError: the file cannot be read, or has no such heading.
    """
    lists = _lists()
    if name not in lists:
        raise ModelError(f"{FILE}: no list [{name}]; install unbarb again")
    return lists[name]


@cache
def _lists() -> dict[str, frozenset[str]]:
    try:
        text = FILE.read_text(encoding="utf-8")
    except OSError as error:
        raise ModelError(f"{FILE}: cannot be read ({error}); install unbarb again") from error
    found: dict[str, list[str]] = {}
    heading = ""
    for line in text.splitlines():
        if line.startswith("["):
            heading = line.strip("[]")
            found[heading] = []
        elif line and not line.startswith("#"):
            found[heading] += line.split()
    return {name: frozenset(listed) for name, listed in found.items()}
