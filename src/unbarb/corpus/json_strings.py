"""Replace strings inside a line of JSON and leave every other byte as it stands."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from json.decoder import scanstring  # type: ignore[attr-defined]
from typing import Any

from unbarb.corpus.fields import Number, Path

_SPACE = " \t\n\r"


class DuplicateKeyError(ValueError):
    """A key stands twice in one object: readers differ in which of the two they see."""


class _Doubled(dict[str, Any]):
    """An object in which keys stand twice, with those keys; it holds the last value of each."""

    def __init__(self, pairs: Sequence[tuple[str, Any]]) -> None:
        super().__init__(pairs)
        names = [name for name, _ in pairs]
        self.twice = {name for name in names if names.count(name) > 1}


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) < len(pairs):
        raise DuplicateKeyError("a key stands twice")
    return found


def _marked(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    return found if len(found) == len(pairs) else _Doubled(pairs)


_DECODER = json.JSONDecoder(parse_int=Number, parse_float=Number)
_STRICT = json.JSONDecoder(parse_int=Number, parse_float=Number, object_pairs_hook=_once)
_MARKING = json.JSONDecoder(parse_int=Number, parse_float=Number, object_pairs_hook=_marked)


def parse(line: str) -> Any:
    """The value of a line; numbers stay as they are written.

    Raises:
        json.JSONDecodeError: it is not JSON.
        RecursionError: it is nested too deeply.
    """
    return _DECODER.decode(line)


def parse_for(line: str, columns: Sequence[str]) -> Any:
    """The value of a line, as `parse`, in which no key stands twice where these columns have their texts.

    On the way to a text and inside of a column a second key would hide a text; elsewhere it may stand.

    Raises:
        DuplicateKeyError: one does.
    """
    try:
        return _STRICT.decode(line)
    except DuplicateKeyError:
        row = _MARKING.decode(line)
    for column in columns if isinstance(row, dict) else ():
        _check_column(row, column)
    return row


def _check_column(row: dict[str, Any], column: str) -> None:
    value: Any = row
    for part in [column] if column in row else column.split("."):
        if isinstance(value, _Doubled) and part in value.twice:
            raise _told(part)
        # What is missing on the way is told of elsewhere.
        value = value.get(part) if isinstance(value, dict) else None
    waiting = [value]
    while waiting:
        value = waiting.pop()
        if isinstance(value, _Doubled):
            raise _told(min(value.twice))
        if isinstance(value, dict | list):
            waiting += value.values() if isinstance(value, dict) else value


def _told(key: str) -> DuplicateKeyError:
    return DuplicateKeyError(f"the key {key!r} stands twice in one object; keep one of them")


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
