"""Writes the demonstration in README.md: what ``unbarb rewrite`` prints for some lines of the examples.

Run ``python benchmarks/readme.py`` on a machine that does nothing else; the milliseconds are its own.
"""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[1]
LINES = (3, 4, 5, 6, 12, 16, 25, 26, 27, 30, 32, 33, 34, 35)
"""Lines of examples/comments.txt that are shown: enough to see every action."""

BLOCK = re.compile(r"(<!-- demo -->\n```\n).*?(\n```\n<!-- end -->)", re.DOTALL)


def printed() -> str:
    """The table for those lines, as a pipe gets it."""
    lines = (ROOT / "examples" / "comments.txt").read_text(encoding="utf-8").splitlines()
    texts = "\n".join(lines[number - 1] for number in LINES) + "\n"
    command = [sys.executable, "-m", "unbarb", "rewrite", "--view", "table"]
    done = subprocess.run(command, input=texts, capture_output=True, encoding="utf-8", check=True)
    return "\n".join(line.rstrip() for line in done.stdout.splitlines()).strip("\n")


def main() -> None:
    page = ROOT / "README.md"
    content, blocks = BLOCK.subn(
        lambda found: found[1] + printed() + found[2], page.read_text(encoding="utf-8")
    )
    if blocks != 1:
        raise SystemExit(f"{page}: {blocks} blocks between <!-- demo --> and <!-- end -->, not one")
    page.write_text(content, encoding="utf-8")
    print(page)


if __name__ == "__main__":
    main()
