"""Writes the demonstrations in README.md: what ``unbarb rewrite`` and the chat through the proxy print.

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


def demo() -> str:
    """The table for those lines, as a pipe gets it."""
    lines = (ROOT / "examples" / "comments.txt").read_text(encoding="utf-8").splitlines()
    return printed(
        "-m", "unbarb", "rewrite", "--view", "table", given="".join(f"{lines[n - 1]}\n" for n in LINES)
    )


def chat() -> str:
    """The last picture of the chat."""
    return printed(str(ROOT / "examples" / "chat_through_proxy.py"))


def printed(*arguments: str, given: str = "") -> str:
    """What Python prints for `arguments`, without white space that nobody sees."""
    done = subprocess.run(
        [sys.executable, *arguments], input=given, capture_output=True, encoding="utf-8", check=True
    )
    return "\n".join(line.rstrip() for line in done.stdout.splitlines()).strip("\n")


def main() -> None:
    page = ROOT / "README.md"
    content = page.read_text(encoding="utf-8")
    for name, text in (("demo", demo()), ("chat", chat())):
        block = re.compile(rf"(<!-- {name} -->\n).*?(<!-- end -->)", re.DOTALL)
        content, blocks = block.subn(
            lambda found, text=text: f"{found[1]}```\n{text}\n```\n{found[2]}", content
        )
        if blocks != 1:
            raise SystemExit(f"{page}: {blocks} blocks between <!-- {name} --> and <!-- end -->, not one")
    page.write_text(content, encoding="utf-8")
    print(page)


if __name__ == "__main__":
    main()
