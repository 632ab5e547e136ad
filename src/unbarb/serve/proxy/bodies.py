"""JSON to and fro: read so that nothing can be read two ways, written so that all can read it."""

from __future__ import annotations

import json
from typing import Any

Json = dict[str, Any]


def read(data: bytes | str) -> Json:
    """The object that `data` holds.

    Raises:
        ValueError: it holds none, or one with a name given twice, which the next reader might resolve
            the other way round.
    """
    try:
        value = json.loads(data, object_pairs_hook=_once)
    except RecursionError as error:
        raise ValueError("JSON nested too deeply") from error
    if not isinstance(value, dict):
        raise ValueError(f"JSON {type(value).__name__}, not an object")
    return value


def _once(pairs: list[tuple[str, Any]]) -> Json:
    found = dict(pairs)
    if len(found) != len(pairs):
        names = [name for name, _ in pairs]
        twice = next(name for name in names if names.count(name) > 1)
        raise ValueError(f"JSON with {twice!r} given twice")
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


def wordless(value: object) -> bool:
    """Whether `value` is too small to say anything: a number, true, false, null, or empty."""
    return value is None or isinstance(value, bool | int | float) or value in ("", [], {})
