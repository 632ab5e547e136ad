"""Which strings of a row are its texts: plain columns, nested ones, lists and chat messages."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

Path = tuple[str | int, ...]
"""Keys and places from the row to one of its strings: ``("messages", 2, "content")``."""

ROLE_KEYS = ("role", "from")
CONTENT_KEYS = ("content", "value")
"""Keys of a chat message: those of OpenAI's format, and of ShareGPT's."""


class FieldError(ValueError):
    """A row does not have the text that was asked for; its words say why."""


class Number:
    """A JSON number kept as its digits: no size is too large for it, and it is no string."""

    __slots__ = ("digits",)

    def __init__(self, digits: str) -> None:
        self.digits = digits

    def __str__(self) -> str:
        return self.digits


def texts_of(
    row: Mapping[str, Any], columns: Sequence[str], roles: Sequence[str] | None
) -> list[tuple[Path, str]]:
    """The texts of a row with where each stands; a null holds none.

    Raises:
        FieldError: a column is missing, or holds what is neither text nor chat messages.
    """
    found: list[tuple[Path, str]] = []
    for column in columns:
        path, value = _down(row, column)
        found += _texts(value, path, roles)
    return found


def name_of(path: Path) -> str:
    """A path as people write it: ``messages[2].content``."""
    return "".join(f"[{part}]" if isinstance(part, int) else f".{part}" for part in path)[1:]


def _down(row: Mapping[str, Any], column: str) -> tuple[Path, Any]:
    """The value of ``a.b``: that of a key with this very name, else of the key ``b`` inside ``a``."""
    if column in row:
        return (column,), row[column]
    value: Any = row
    path: Path = ()
    for part in column.split("."):
        if value is None:
            break
        if not isinstance(value, Mapping) or part not in value:
            raise FieldError(f"no field {column!r}")
        value, path = value[part], (*path, part)
    return path, value


def _texts(value: Any, path: Path, roles: Sequence[str] | None) -> Iterator[tuple[Path, str]]:
    if isinstance(value, str):
        if roles is not None:
            raise FieldError(f"{name_of(path)} is a string; roles are chosen among chat messages")
        yield path, _encodable(value, path)
    elif isinstance(value, list):
        for at, item in enumerate(value):
            if isinstance(item, Mapping):
                yield from _message(item, (*path, at), roles)
            else:
                yield from _texts(item, (*path, at), roles)
    elif value is not None:
        raise FieldError(f"{name_of(path)} must be a string, not {kind_of(value)}")


def _message(
    message: Mapping[str, Any], path: Path, roles: Sequence[str] | None
) -> Iterator[tuple[Path, str]]:
    """The content of one chat message, whole or in its typed parts, if its role is asked for."""
    role_key = next((key for key in ROLE_KEYS if key in message), None)
    key = next((key for key in CONTENT_KEYS if key in message), None)
    if role_key is None or key is None:
        missing = "role" if role_key is None else "content"
        raise FieldError(f"{name_of(path)} is no chat message: it has no {missing!r}")
    if roles is not None and message[role_key] not in roles:
        return
    content = message[key]
    if isinstance(content, list):
        for at, part in enumerate(content):
            if not isinstance(part, Mapping):
                raise FieldError(f"{name_of((*path, key, at))} must be an object, not {kind_of(part)}")
            if isinstance(part.get("text"), str):
                yield (*path, key, at, "text"), _encodable(part["text"], path)
    else:
        yield from _texts(content, (*path, key), None)


def _encodable(text: str, path: Path) -> str:
    """`text`, which must be Unicode: half of a surrogate pair is none."""
    if not text.isascii():
        try:
            text.encode()
        except UnicodeEncodeError as error:
            raise FieldError(
                f"{name_of(path)} is not Unicode text: lone surrogate at character {error.start + 1}"
            ) from None
    return text


def kind_of(value: object) -> str:
    """What a JSON value is, in words."""
    names: dict[type, str] = {bool: "a truth value", type(None): "null", bytes: "bytes"}
    if isinstance(value, Mapping):
        return "an object"
    if isinstance(value, list):
        return "a list"
    return "a string" if isinstance(value, str) else names.get(type(value), "a number")
