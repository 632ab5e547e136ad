"""The baseline *delete listed words*: whole words of a list are taken out, and nothing else is done."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence


class DeleteWords:
    """Rewrites by deletion: longer entries win, case is ignored, under three characters is no entry."""

    def __init__(self, words: Iterable[str]) -> None:
        entries = sorted({w.casefold() for w in words if len(w) > 2}, key=len, reverse=True)
        either = "|".join(re.escape(entry) for entry in entries) or r"(?!)"
        self._pattern = re.compile(rf"(?<!\w)(?:{either})(?!\w)", re.IGNORECASE)

    def __call__(self, texts: Sequence[str]) -> list[str | None]:
        """Every text without listed words, spaces closed up."""
        return [" ".join(self._pattern.sub(" ", text).split()) for text in texts]
