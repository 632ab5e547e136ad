"""Writes the ``--help`` of every command into docs/cli.md: ``python -m unbarb.cli.docs docs/cli.md``.

Prose is kept; what stands between ``<!-- help: unbarb NAME -->`` and ``<!-- end -->`` is made anew.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import typer

from unbarb.cli import app

WIDTH = 96
_BLOCK = re.compile(r"<!-- help: ([^>]*?) -->\n.*?<!-- end -->", re.DOTALL)


def helps() -> dict[str, str]:
    """Command → its help; ``unbarb`` itself first."""
    return dict(_helps(typer.main.get_command(app()), "unbarb", None))


def _helps(command: Any, path: str, parent: Any) -> Iterator[tuple[str, str]]:
    name = path.rsplit(" ", 1)[-1]
    widths = {**command.context_settings, "terminal_width": WIDTH, "max_content_width": WIDTH}
    context = command.context_class(command, info_name=name, parent=parent, **widths)
    lines = command.get_help(context).splitlines()
    yield path, "\n".join(line.rstrip() for line in lines)
    for called, child in getattr(command, "commands", {}).items():
        yield from _helps(child, f"{path} {called}", context)


def refreshed(page: str) -> str:
    """The page with the help of each command in its block."""
    known = helps()

    def block(found: re.Match[str]) -> str:
        name = found[1]
        if name not in known:
            return found[0]
        return f"<!-- help: {name} -->\n```text\n{known[name]}\n```\n<!-- end -->"

    return _BLOCK.sub(block, page)


def blocks(page: str) -> list[str]:
    """The commands that the page has blocks for, in its order."""
    return [found[1] for found in _BLOCK.finditer(page)]


if __name__ == "__main__":
    target = Path(sys.argv[1])
    target.write_text(refreshed(target.read_text("utf-8")), "utf-8")
