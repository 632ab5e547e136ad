"""Lists of test sentences kept as files: one a line, or rows of a CSV, TSV or JSONL file."""

from __future__ import annotations

import json
from pathlib import Path

from unbarb.errors import InputError


def lines(path: Path) -> list[str]:
    """The lines of `path` that are neither blank nor begin with ``#``.

    Raises:
        InputError: there is no such file.
    """
    return [line for line in _read(path).splitlines() if line.strip() and not line.startswith("#")]


def rows(path: Path, *fields: str) -> list[tuple[str, ...]]:
    """The `fields` of every JSON object, one a line.

    Raises:
        InputError: there is no such file, or a line is no object with these fields as text.
    """
    found = []
    for at, line in enumerate(_read(path).splitlines(), 1):
        if not line.strip():
            continue
        try:
            row = json.loads(line)
        except ValueError as error:
            raise InputError(f"{path}, line {at}: not JSON ({error})") from error
        if not isinstance(row, dict) or not all(isinstance(row.get(field), str) for field in fields):
            raise InputError(f"{path}, line {at}: give an object with the texts {', '.join(fields)}")
        found.append(tuple(row[field] for field in fields))
    return found


def _read(path: Path) -> str:
    if not path.is_file():
        raise InputError(f"no file {path}; name a folder with the test lists (docs/evaluate.md says which)")
    return path.read_text(encoding="utf-8")
