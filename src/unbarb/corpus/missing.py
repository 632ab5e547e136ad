"""What is said of a column that is not there."""

from __future__ import annotations

from collections.abc import Sequence
from difflib import get_close_matches


def missing(wanted: str, names: Sequence[str]) -> str:
    """The column, one that may have been meant, and those there are."""
    near = get_close_matches(wanted, names, n=1)
    hint = f"; did you mean {near[0]!r}?" if near else ""
    shown = ", ".join(map(repr, names[:20])) or "none"
    return f"no column {wanted!r}{hint}; there are {shown}"
