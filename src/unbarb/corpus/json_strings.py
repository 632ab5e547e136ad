"""Replace strings inside a line of JSON and leave every other byte as it stands."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from json.decoder import scanstring  # type: ignore[attr-defined]
from typing import Any

from unbarb.corpus.fields import Number, Path

_DECODER = json.JSONDecoder(parse_int=Number, parse_float=Number)
_SPACE = " \t\n\r"


class DuplicateKeyError(ValueError):
    """A key stands twice in one object: readers differ in which of the two they see."""


def parse(line: str) -> Any:
    """The value of a line; numbers stay as they are written.

    Raises:
        json.JSONDecodeError: it is not JSON.
        RecursionError: it is nested too deeply.
    """
    return _DECODER.decode(line)


def check_keys(line: str) -> None:
    """Make sure that no object of the line has a key twice.

    Raises:
        DuplicateKeyError: one has.
    """

    def checked(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        found: dict[str, Any] = {}
        for key, value in pairs:
            if key in found:
                raise DuplicateKeyError(f"the key {key!r} stands twice in one object; keep one of them")
            found[key] = value
        return found

    json.loads(line, object_pairs_hook=checked, parse_int=Number, parse_float=Number)


def replaced(line: str, new: Mapping[Path, str]) -> str:
    """`line` with the strings at these paths replaced; a string of ASCII alone is written as ASCII.

    The line must be JSON, with a string at every path.
    """
    pieces: list[str] = []
    at = 0
    for (start, end), text in sorted((_find(line, path), text) for path, text in new.items()):
        # The token, quotes and escapes included, is all that is looked at: its neighbours stay.
        pieces += line[at:start], json.dumps(text, ensure_ascii=line[start:end].isascii())
        at = end
    return "".join([*pieces, line[at:]])


def _find(line: str, path: Path) -> tuple[int, int]:
    """Where the string at `path` stands, quotes included."""
    at = _past_space(line, 0)
    for part in path:
        at = _item(line, at, part) if isinstance(part, int) else _member(line, at, part)
    return at, scanstring(line, at + 1)[1]


def _member(line: str, at: int, key: str) -> int:
    """Where the value of `key` begins in the object at `at`."""
    return next(start for name, start in _members(line, at) if name == key)


def _members(line: str, at: int) -> Iterator[tuple[str, int]]:
    at = _past_space(line, at + 1)
    while True:
        name, at = scanstring(line, at + 1)
        start = _past_space(line, _past_space(line, at) + 1)
        yield name, start
        at = _past_space(line, _past_space(line, _DECODER.raw_decode(line, start)[1]) + 1)


def _item(line: str, at: int, number: int) -> int:
    """Where the item `number` begins in the list at `at`."""
    at = _past_space(line, at + 1)
    for _ in range(number):
        at = _past_space(line, _past_space(line, _DECODER.raw_decode(line, at)[1]) + 1)
    return at


def _past_space(line: str, at: int) -> int:
    while line[at] in _SPACE:
        at += 1
    return at
