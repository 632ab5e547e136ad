"""JSON as indented lines for reading: ``key: value``, lists as items."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any


def paragraphs(value: Any, depth: int = 0) -> Iterator[str]:
    """Lines for any JSON value, nested ones two spaces further in."""
    indent = "  " * depth
    if isinstance(value, dict):
        for key, child in value.items():
            if isinstance(child, dict | list) and child and not _plain(child):
                yield f"{indent}{key}:"
                yield from paragraphs(child, depth + 1)
            else:
                yield f"{indent}{key}: {_line(child)}"
    elif isinstance(value, list):
        for child in value:
            first, *rest = list(paragraphs(child, depth + 1)) or [""]
            yield f"{indent}- {first.strip()}"
            yield from rest
    else:
        yield f"{indent}{_line(value)}"


def _plain(value: Any) -> bool:
    """Whether it is a list of a few short values, which reads best on one line."""
    return (
        isinstance(value, list)
        and not any(isinstance(child, dict | list) for child in value)
        and (sum(len(str(child)) for child in value) <= 80)
    )


def _line(value: Any) -> str:
    if isinstance(value, list):
        return ", ".join(map(str, value))
    if isinstance(value, dict) or value is None:
        return "none"
    if isinstance(value, bool):
        return "yes" if value else "no"
    return f"{value:.4g}" if isinstance(value, float) else str(value)
