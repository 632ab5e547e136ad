"""Cleans the texts of a row: markup, addresses and redundant punctuation go, the words stay.

Toxicity is often in how a word is written, so nothing is lowercased, no letter is changed, and stars or
dots inside a word stay where they are.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from html import unescape
from typing import Any

from unbarb.errors import ConfigError

TEXTS = ("text", "source", "target", "chosen", "rejected", "prompt", "completion")
"""Columns that hold text, by the names used here and by trainers."""

_COMMENT = re.compile(r"<!--.*?-->|<(script|style)\b.*?</\1\s*>", re.DOTALL | re.IGNORECASE)
_TAG = re.compile(r"</?[a-z][a-z0-9]*(?:\s[^<>]*)?/?>", re.IGNORECASE)
_LINK = re.compile(r"\[([^\[\]]+)\]\((?:https?://|www\.)[^\s()]*\)")
_URL = re.compile(r"\b(?:https?://|ftp://|www\.)[^\s<>\"]*[^\s<>\".,;:!?)\]}']", re.IGNORECASE)
_HOLLOW = re.compile(r"\(\s*\)|\[\s*\]|<\s*>")
_DOTS = re.compile(r"\.{4,}|…{2,}")
_REPEATED = re.compile(r"([!?,;:])\1+")
_QUARREL = re.compile(r"(?:\?!|!\?)[?!]*")
_RULE = re.compile(r"(?<!\w)([=_~*#|+\-–—/\\^<>`'\"])\1{2,}(?!\w)")
_CONTROL = re.compile(r"[\x00-\x08\x0e-\x1f\x7f-\x84\x86-\x9f\ufeff]")
_SPACE = re.compile(r"\s+")


@dataclass(frozen=True, slots=True)
class Tidying:
    """What is cleaned. Spaces always are: any run of them becomes one.

    `markup` removes HTML tags and comments and turns ``&amp;`` into ``&``; `addresses` removes URLs and
    leaves the words of a Markdown link; `punctuation` makes ``!!!!`` one mark and removes lines of signs.
    """

    markup: bool = True
    addresses: bool = True
    punctuation: bool = True


STANDARD = Tidying()
STEPS = ("markup", "addresses", "punctuation")


def clean_text(text: str, tidying: Tidying = STANDARD) -> str:
    """The text without what `tidying` removes; cleaning it again changes nothing more."""
    while (cleaned := _once(text, tidying)) != text:
        text = cleaned  # what one step takes away may make another's case: "&lt;br&gt;"
    return text


def _once(text: str, tidying: Tidying) -> str:
    text = _CONTROL.sub("", text)
    if tidying.markup:
        text = unescape(_TAG.sub(" ", _COMMENT.sub(" ", text)))
    if tidying.addresses:
        text = _HOLLOW.sub(" ", _URL.sub(" ", _LINK.sub(r"\1", text)))
    if tidying.punctuation:
        text = _RULE.sub(" ", _DOTS.sub("...", text))
        text = _REPEATED.sub(r"\1", _QUARREL.sub("?!", text))
    return _SPACE.sub(" ", text).strip()


def clean_row(
    row: Mapping[str, Any], columns: Iterable[str] | None = None, tidying: Tidying = STANDARD
) -> dict[str, Any]:
    """The row with its texts cleaned, for ``Dataset.map``.

    `columns` names the columns that hold text; by default those of `TEXTS` that are there. Other columns,
    and values that are not text, stay as they are.

    Raises:
        ConfigError: there is no such column, or none of `TEXTS`.
    """
    wanted = tuple(columns) if columns is not None else tuple(filter(row.__contains__, TEXTS))
    missing = [column for column in wanted if column not in row]
    if missing or not wanted:
        asked = f"no column {', '.join(missing)}" if missing else f"none of the columns {', '.join(TEXTS)}"
        raise ConfigError(f"{asked} to clean; the row has {', '.join(row)}: name them by columns=[…]")
    cleaned = {
        column: clean_text(row[column], tidying) for column in wanted if isinstance(row[column], str)
    }
    return {**row, **cleaned}
