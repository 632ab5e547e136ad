"""Sections of docs/benchmarks.md that commands of their own write, each between its markers."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path

_SECTION = re.compile(r"<!-- section: (\S+) -->\n.*?<!-- end -->\n?", re.DOTALL)


def sections(page: str) -> list[str]:
    """The sections of a page with their markers, in order."""
    return [found[0] for found in _SECTION.finditer(page)]


def write_section(page: Path, name: str, lines: Sequence[str]) -> None:
    """Put a section in place of the one of its name, or at the end."""
    fresh = "\n".join([f"<!-- section: {name} -->", *lines, "<!-- end -->", ""])
    text = page.read_text("utf-8")
    old = next((found[0] for found in _SECTION.finditer(text) if found[1] == name), None)
    page.write_text(text.replace(old, fresh) if old else f"{text.rstrip()}\n\n{fresh}", "utf-8")
