"""Which strings of a JSON body are texts to guard: found by path, put back where they were."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any

from unbarb.errors import ConfigError
from unbarb.wire import bodies

Path = tuple[str | int, ...]
"""Keys and indices from the top of a body to a string in it, as ``("messages", 0, "content")``."""
Finder = Callable[[Any], Iterable[Sequence[str | int]]]
"""Names the strings of a decoded body that are to be guarded, each by its path."""
Fields = Sequence[str] | Finder
"""Patterns like ``messages[*].content``, or a function."""

_STEP = re.compile(r"\.?(?:\*\*|\*|[^.\[\]*]+)|\[(?:\*|\d+)\]")


class Unreadable(ValueError):  # noqa: N818 - says what the body is
    """A body that cannot be read, and so cannot be checked; says why, never what stood there."""


def read(data: bytes) -> Any:
    """The JSON in `data`.

    Raises:
        Unreadable: it is none, or could be read in two ways: a name given twice, half a surrogate pair.
    """
    try:
        return bodies.value(data.decode(), constants=False)
    except ValueError:
        raise Unreadable("the body is not JSON in UTF-8 that can be read in one way only") from None


def written(value: Any) -> bytes:
    """`value` as JSON in UTF-8.

    Raises:
        Unreadable: it holds what JSON cannot say, such as a number too large for a float.
    """
    try:
        return json.dumps(value, ensure_ascii=False, separators=(",", ":"), allow_nan=False).encode()
    except (ValueError, RecursionError):
        raise Unreadable("the body holds what JSON cannot say") from None


def finder(fields: Fields) -> Finder:
    """What finds the strings that `fields` name.

    A pattern has names and indices as JavaScript does, ``[*]`` for every item of a list, ``*`` for every
    value of an object and ``**`` for whatever depth, itself included: ``**`` alone is every string.

    Raises:
        ConfigError: patterns cannot be read; all are named.
    """
    if callable(fields):
        return fields
    if not fields:
        return nothing
    patterns = [_steps(pattern) for pattern in fields]
    wrong = [repr(pattern) for pattern, steps in zip(fields, patterns, strict=True) if not steps]
    if wrong or isinstance(fields, str):
        raise ConfigError(
            f"these are no patterns of fields: {', '.join(wrong) or repr(fields)}; give a list such as"
            " ['title', 'messages[*].content', '**.text']"
        )
    return lambda body: (path for steps in patterns for path in _found(body, steps, ()))


def nothing(body: Any) -> Iterable[Path]:
    """Finds no strings: what no fields come to."""
    return ()


def texts(body: Any, find: Finder) -> dict[Path, str]:
    """The strings of `body` that are to be guarded, by their paths.

    Where a field holds a list of strings, each is one. Numbers, true, false, null and what is not there say
    nothing and are passed over.

    Raises:
        Unreadable: a field holds an object in which no other pattern finds a text, or what is not Unicode.
    """
    found: dict[Path, str] = {}
    objects: list[Path] = []
    try:
        paths = [tuple(path) for path in find(body)]
        leaves = [leaf for path in paths for leaf in _leaves(at(body, path), path)]
    except RecursionError:
        raise Unreadable("the body is nested too deeply") from None
    for place, value in leaves:
        if not isinstance(value, str):
            objects.append(place)
        elif any("\ud800" <= character <= "\udfff" for character in value):
            raise Unreadable(f"{shown(place)} holds half a surrogate pair")
        elif value:
            found[place] = value
    for place in objects:
        if not any(path[: len(place)] == place for path in found):
            raise Unreadable(f"{shown(place)} is an object, and text was looked for there")
    return found


def put(body: Any, path: Path, text: str) -> Any:
    """Put `text` at `path`; gives the body, which is `text` itself where the path is empty."""
    if not path:
        return text
    at(body, path[:-1])[path[-1]] = text
    return body


def at(body: Any, path: Path) -> Any:
    """The value at `path`, or None where there is none."""
    for step in path:
        try:
            body = body[step]
        except (KeyError, IndexError, TypeError):
            return None
    return body


def shown(path: Path) -> str:
    """`path` as people write it: ``messages[0].content``."""
    steps = (f"[{step}]" if isinstance(step, int) else f".{step}" for step in path)
    return "".join(steps).removeprefix(".") or "the body"


def _leaves(value: Any, path: Path) -> Iterator[tuple[Path, Any]]:
    if isinstance(value, str | dict):
        yield path, value
    elif isinstance(value, list):
        for index, one in enumerate(value):
            yield from _leaves(one, (*path, index))


def _steps(pattern: str) -> list[str]:
    """A pattern's steps, without dots and brackets; none if it cannot be read."""
    steps, end = [], 0
    for match in _STEP.finditer(pattern):
        if match.start() != end or match.group().startswith(".") != (end > 0 and match.group()[0] != "["):
            return []
        steps.append(match.group().removeprefix("."))
        end = match.end()
    return steps if end == len(pattern) else []


def _found(value: Any, steps: Sequence[str], path: Path) -> Iterator[Path]:
    if not steps:
        yield path
        return
    step, rest = steps[0], steps[1:]
    if step == "**":
        if rest or isinstance(value, str):
            yield from _found(value, rest, path)
        for key, inner in _members(value):
            yield from _found(inner, steps, (*path, key))
        return
    name, kind = (step[1:-1], list) if step.startswith("[") else (step, dict)
    if isinstance(value, kind):
        for key, inner in _members(value):
            if name == "*" or str(key) == name:
                yield from _found(inner, rest, (*path, key))


def _members(value: Any) -> Iterable[tuple[str | int, Any]]:
    if isinstance(value, dict):
        return value.items()
    return enumerate(value) if isinstance(value, list) else ()
