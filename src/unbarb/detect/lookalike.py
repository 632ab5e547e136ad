"""Characters that nobody sees, and letters that look Latin and are not (Unicode TR 39 confusables)."""

from __future__ import annotations

import re
import unicodedata
from functools import lru_cache

_HIDDEN = re.compile(
    "[\u0000-\u0008\u000e-\u001f\u007f\u00ad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180b-\u180e\u200b-\u200f\u202a-\u202e"
    "\u2060-\u2064\u2066-\u206f\u3164\ufe00-\ufe0f\ufeff\uffa0\U000e0000-\U000e01ef]"
)
_CONFUSABLE = dict(
    zip(
        "аеорсухіѕјԁԛԝһѵкмтнвгӏьցոսАВЕКМНОРСТУХІЅЈԌԚԜЗΑΒΕΖΗΙΚΜΝΟΡΤΥΧοαινρτυκεχ",
        "aeopcyxisjdqwhvkmthbrlbgnuABEKMHOPCTYXISJGQW3ABEZHIKMNOPTYXoaivptukex",
        strict=True,
    )
)
_LETTERLIKE = dict(
    zip("ƒᴀʙᴄᴅᴇꜰɢʜɪᴊᴋʟᴍɴᴏᴘʀꜱᴛᴜᴠᴡʏᴢɑɡɩʀɴʙɛßẞ", "fabcdefghijklmnoprstuvwyzagirnbess", strict=True)
)
_WORD = re.compile(r"[^\W\d_]+")
_MARKS = ("Mn", "Me")
_ASCII_CONTROL = re.compile("[\u0000-\u0008\u000e-\u001f\u007f]")

_Piece = tuple[int, int, str]


def pieces(text: str) -> list[_Piece]:
    """What to replace in `text` so that it is written as it looks: ``(start, end, replacement)``.

    Removed characters have an empty replacement. Words without a Latin letter stay as they are.
    """
    if text.isascii():
        if not _ASCII_CONTROL.search(text):
            return []
        return [(m.start(), m.end(), "") for m in _ASCII_CONTROL.finditer(text) if _latin_beside(text, m)]
    found: list[_Piece] = []
    at, size = 0, len(text)
    while at < size:
        c = text[at]
        if c < "\u007f" and c >= " ":
            at += 1
            continue
        if _HIDDEN.match(c):
            end = at
            while end < size and _HIDDEN.match(text[end]):
                end += 1
            if _looks_latin(text[at - 1 : at]) and _looks_latin(text[end : end + 1]):
                found.append((at, end, ""))
            at = end
            continue
        if unicodedata.category(c) in _MARKS:
            end = at
            while end < size and unicodedata.category(text[end]) in _MARKS:
                end += 1
            base = text[at - 1 : at]
            if ((base.isascii() and base.isalnum()) or styled(base)) and _piled(base, text[at:end]):
                found.append((at, end, ""))
            at = end
            continue
        plain = styled(c)
        if plain:
            found.append((at, at + 1, plain))
        at += 1
    found += _mixed(text)
    found.sort()
    return found


def _latin_beside(text: str, found: re.Match[str]) -> bool:
    return _looks_latin(text[found.start() - 1 : found.start()]) and _looks_latin(
        text[found.end() : found.end() + 1]
    )


def _looks_latin(c: str) -> bool:
    return bool(c) and (
        (c.isascii() and (c.isalnum() or c in "@$!*|"))
        or c in _CONFUSABLE
        or bool(styled(c))
        or bool(_HIDDEN.match(c))
    )


def _piled(base: str, marks: str) -> bool:
    """Whether marks are decoration: struck through, or on a letter that no language has them on."""
    if any("\u0334" <= mark <= "\u0338" or "\u20d0" <= mark <= "\u20f0" for mark in marks):
        return True
    return len(unicodedata.normalize("NFC", base + marks)) > 1


@lru_cache(maxsize=4096)
def styled(c: str) -> str:
    """The ASCII letter or digit that `c` is a typeset variant of (fullwidth, bold, circled), or ''."""
    if not c or c.isascii():
        return ""
    point = ord(c)
    if 0x1F130 <= point <= 0x1F149 or 0x1F150 <= point <= 0x1F169 or 0x1F170 <= point <= 0x1F189:
        return chr(ord("A") + (point - 0x1F130) % 32)
    kind = unicodedata.decomposition(c).split(" ")[0]
    if kind not in ("<wide>", "<font>", "<circle>", "<square>", "<narrow>"):
        return ""
    plain = unicodedata.normalize("NFKC", c)
    return plain if len(plain) == 1 and plain.isascii() and plain.isalnum() else ""


def _mixed(text: str) -> list[_Piece]:
    """Letters of other alphabets inside words that hold Latin letters too."""
    found = []
    for word in _WORD.finditer(text):
        letters = word.group()
        if letters.isascii() or not any(c.isascii() or styled(c) for c in letters):
            continue
        found += [
            (word.start() + i, word.start() + i + 1, _CONFUSABLE[c])
            for i, c in enumerate(letters)
            if c in _CONFUSABLE
        ]
    return found


@lru_cache(maxsize=4096)
def _base(c: str) -> str:
    if c in _CONFUSABLE or c in _LETTERLIKE:
        return (_CONFUSABLE.get(c) or _LETTERLIKE[c]).lower()
    plain = unicodedata.normalize("NFKD", c)[0].lower()
    return plain if len(plain) == 1 and plain.isascii() and plain.isalnum() else c


def fold(chunk: str) -> str:
    """`chunk` in lower case, its letters without marks and as the Latin ones they look like; as long."""
    if chunk.isascii():
        return chunk.lower()
    return "".join(_base(c) if not c.isascii() else c.lower() for c in chunk)
