"""The code on the pages of the integrations."""

from __future__ import annotations

import re
from pathlib import Path

PAGES = Path(__file__).parents[2] / "docs" / "integrations"


def blocks(page: str, language: str) -> list[str]:
    """The blocks of `language` on a page; no page has blocks in another."""
    text = (PAGES / f"{page}.md").read_text("utf-8")
    found = re.findall(r"^```(\w*)\n(.*?)^```$", text, re.MULTILINE | re.DOTALL)
    assert {name for name, _ in found} == {language}
    return [block for _, block in found]
