"""What metrics there are: each file's own docstring, read as a table; nothing is imported for it.

A metric is a file of this folder with a line ``METRIC = "name/1"``. Its docstring opens with the name and
the definition, and holds the address of its source. ``python -m unbarb.metrics.catalogue docs/metrics.md``
writes the table into its page.
"""

from __future__ import annotations

import ast
import re
import sys
from dataclasses import dataclass
from pathlib import Path

from unbarb.errors import InputError

BEGIN, END = "<!-- metrics -->", "<!-- end -->"
_BLOCK = re.compile(f"{BEGIN}\n.*?{END}", re.DOTALL)
_LINK = re.compile(r"https?://[^\s,;)]+")


@dataclass(frozen=True, slots=True)
class Definition:
    """One metric: its file, its name with version, the sentence that defines it, and where from."""

    file: str
    metric: str
    says: str
    sources: tuple[str, ...]


def definitions(folder: Path | None = None) -> tuple[Definition, ...]:
    """All metrics, by the name of their file."""
    files = sorted((folder or Path(__file__).parent).glob("*.py"))
    return tuple(found for path in files if (found := _definition(path)) is not None)


def as_table(found: tuple[Definition, ...]) -> str:
    """The metrics as the table of docs/metrics.md."""
    lines = ["| file | metric | definition | source |", "|---|---|---|---|"]
    for one in found:
        links = " ".join(f"<{link}>" for link in one.sources)
        lines.append(
            f"| `{one.file}` | `{one.metric}` | {one.says.replace('|', chr(92) + '|')} | {links} |"
        )
    return "\n".join(lines)


def _definition(path: Path) -> Definition | None:
    tree = ast.parse(path.read_text(encoding="utf-8"))
    names = [
        node.value.value
        for node in tree.body
        if isinstance(node, ast.Assign)
        and any(isinstance(target, ast.Name) and target.id == "METRIC" for target in node.targets)
        and isinstance(node.value, ast.Constant)
    ]
    text = ast.get_docstring(tree) or ""
    if not names:
        return None
    first = " ".join(text.split("\n\n")[0].split())
    return Definition(path.name, str(names[0]), first, tuple(dict.fromkeys(_LINK.findall(text))))


def refreshed(page: str) -> str:
    """`page` with the table between its marks made anew.

    Raises:
        InputError: the page has no marks.
    """
    if not _BLOCK.search(page):
        raise InputError(f"no {BEGIN} … {END} in the page; put them where the table shall stand")
    return _BLOCK.sub(lambda _: f"{BEGIN}\n{as_table(definitions())}\n{END}", page)


if __name__ == "__main__":
    target = Path(sys.argv[1])
    target.write_text(refreshed(target.read_text("utf-8")), "utf-8")
