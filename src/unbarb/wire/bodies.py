"""JSON to and fro: read so that nothing can be read two ways, written so that all can read it."""

from __future__ import annotations

import json
from typing import Any

Json = dict[str, Any]


def value(data: bytes | str, *, constants: bool = True) -> Any:
    """What the JSON in `data` says.

    Args:
        data: text, or bytes in one of Unicode's encodings.
        constants: whether ``NaN`` and ``Infinity`` are let pass, which some servers write.

    Raises:
        ValueError: it is none, or holds a name given twice, which the next reader might resolve the other
            way round.
    """
    refused = None if constants else _no_constant
    try:
        return json.loads(data, object_pairs_hook=_once, parse_constant=refused)
    except RecursionError as error:
        raise ValueError("JSON nested too deeply") from error


def read(data: bytes | str) -> Json:
    """The object that `data` holds.

    Raises:
        ValueError: it holds none, or one that can be read in two ways.
    """
    found = value(data)
    if not isinstance(found, dict):
        raise ValueError(f"JSON {type(found).__name__}, not an object")
    return found


def written(body: Json) -> bytes:
    """`body` on one line, in ASCII, so that half a surrogate pair stays what it was."""
    return json.dumps(body, separators=(",", ":")).encode("ascii")


def sound(text: str) -> str:
    """`text` with pairs of surrogates joined and single ones replaced by U+FFFD: text that is Unicode."""
    try:
        text.encode()
    except UnicodeEncodeError:
        return text.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace")
    return text


class Halves:
    """Text that comes in parts, which some servers cut between the two halves of a surrogate pair."""

    def __init__(self) -> None:
        self._half = ""

    def feed(self, text: str) -> str:
        """`text` and what waited before it, sound; a half at its end waits for the other."""
        text = self._half + text
        self._half = text[-1:] if "\ud800" <= text[-1:] <= "\udbff" else ""
        return sound(text[: len(text) - len(self._half)])

    def close(self) -> str:
        """The half that waited in vain, as U+FFFD; else ""."""
        rest, self._half = sound(self._half), ""
        return rest


def wordless(found: object) -> bool:
    """Whether `found` is too small to say anything: a number, true, false, null, or empty."""
    return found is None or isinstance(found, bool | int | float) or found in ("", [], {})


def _once(pairs: list[tuple[str, Any]]) -> Json:
    found = dict(pairs)
    if len(found) != len(pairs):
        names = [name for name, _ in pairs]
        twice = next(name for name in names if names.count(name) > 1)
        raise ValueError(f"JSON with {twice!r} given twice")
    return found


def _no_constant(name: str) -> Any:
    raise ValueError(f"{name} is not JSON")
