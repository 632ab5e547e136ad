"""What word a disguised spelling stands for: ``m0r0n``, ``f**k``, ``s.t.u.p.1.d``, ``phuck``.

A spelling is walked through a trie of the word list's plain entries (strong, rude by themselves).
Each written character may be itself, stand for another (leet, sound), hide one or two letters
(mask), only separate, or repeat the letter before; each of these costs. The cheapest word wins, if
enough of it was really written. Nothing but listed words can come out, so ``C3PO`` stays.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache, lru_cache

from unbarb.detect.wordlist import load

LONGEST = 32
"""Longer spellings are not looked at: no listed word needs them."""

LEET = {
    "0": "o", "1": "il", "2": "z", "3": "e", "4": "a", "5": "s", "6": "gb", "7": "t", "8": "b", "9": "g",
    "@": "a", "$": "s", "!": "il", "|": "il", "+": "t", "(": "c", "<": "c", "€": "e", "£": "le", "¢": "c",
    "¡": "i", "¥": "y", "×": "x", "µ": "u", "§": "s", "ß": "sb", "ı": "i", "ø": "o", "ł": "l", "đ": "d",
}  # fmt: skip
SOUNDS = {
    "v": ("u",), "z": ("s",), "k": ("c", "ck"), "kk": ("ck",), "x": ("ck", "cks", "ks"), "q": ("ck",),
    "ph": ("f",), "vv": ("w",), "oo": ("u",), "c": ("ck", "k"), "ck": ("k",), "()": ("o",), "|_|": ("u",),
    "\\/": ("v",), "y": ("i",), "zz": ("s",), "ie": ("y",), "j": ("g",), "ee": ("i",), "qu": ("ck",),
}  # fmt: skip
MASKS = frozenset("*#%&^?~_-.•●×✱∗⁎")
SEPARATORS = frozenset("*.-_'`,;:/\\~|+=•·^\"")


@dataclass(slots=True)
class _Path:
    """How a word was reached: characters written, leet, hidden, between and repeated, sounds changed."""

    literal: int = 0
    leet: int = 0
    symbols: int = 0
    hidden: int = 0
    between: int = 0
    repeats: int = 0
    sounds: int = 0

    def cost(self) -> float:
        return self.leet + 1.5 * self.hidden + 0.4 * self.between + 0.5 * self.repeats + 1.2 * self.sounds


_Node = dict[str, "object"]


@cache
def _trie() -> dict[str, object]:
    root: dict[str, object] = {}
    for form, entry in load().words.items():
        if not entry.plain or len(form) < 3 or not form.isalpha():
            continue
        node = root
        for letter in form:
            node = node.setdefault(letter, {})  # type: ignore[assignment]
        node[""] = form
    return root


@lru_cache(maxsize=16384)
def reveal(spelling: str) -> str | None:
    """The listed word that `spelling` (lower case, no white space) disguises.

    Returns:
        The word; None where there is none, and where `spelling` is itself listed or innocent.
    """
    listed = load()
    if len(spelling) > LONGEST or len(spelling) < 3 or spelling in listed.words or spelling in listed.innocent:
        return None
    best: tuple[float, int, str] | None = None
    for form, path in _walk(spelling):
        if not _credible(form, path, spelling):
            continue
        key = (path.cost(), -listed.words[form].n, form)
        if best is None or key < best:
            best = key
    return best[2] if best else None


def _credible(form: str, path: _Path, spelling: str) -> bool:
    """Whether enough of `form` was really written for `spelling` to mean it."""
    size = len(form)
    shown = path.literal + path.leet
    if size == 3:
        return not (path.hidden or path.sounds or path.repeats) and path.literal > 0 and (
            path.symbols == path.leet and path.leet + path.between > 0
        )
    if path.literal * 3 < size or path.sounds > 2:
        return False
    if path.hidden:
        return shown >= 2 and path.hidden <= size / 2 and path.sounds == 0
    return True


def _walk(spelling: str) -> list[tuple[str, _Path]]:
    found: list[tuple[str, _Path]] = []
    end = len(spelling)

    def step(at: int, node: dict[str, object], last: str, path: _Path) -> None:
        if at == end:
            if "" in node:
                found.append((str(node[""]), path))
            return
        c = spelling[at]
        for size in (1, 2, 3):
            for letters in SOUNDS.get(spelling[at : at + size], ()) if at + size <= end else ():
                below = _below(node, letters)
                if below is not None and path.sounds < 2:
                    step(at + size, below, letters[-1], _more(path, sounds=1))
        if c in node:
            step(at + 1, node[c], c, _more(path, literal=1))  # type: ignore[arg-type]
        if c == last:
            step(at + 1, node, last, _more(path, repeats=1))
        for letter in LEET.get(c, ""):
            symbol = 0 if c.isdigit() else 1
            if letter in node:
                step(at + 1, node[letter], letter, _more(path, leet=1, symbols=symbol))  # type: ignore[arg-type]
            elif letter == last:
                step(at + 1, node, last, _more(path, repeats=1))
        if c in SEPARATORS and at:
            step(at + 1, node, last, _more(path, between=1))
        if c in MASKS and at and path.hidden < 6:
            for letter, below in node.items():
                if letter:
                    step(at + 1, below, letter, _more(path, hidden=1))  # type: ignore[arg-type]
                    if c == "*" and path.hidden < 2:
                        for second, deeper in below.items():  # type: ignore[attr-defined]
                            if second:
                                step(at + 1, deeper, second, _more(path, hidden=2))

    step(0, _trie(), "", _Path())
    return found


def _below(node: dict[str, object], letters: str) -> dict[str, object] | None:
    for letter in letters:
        below = node.get(letter)
        if not isinstance(below, dict):
            return None
        node = below
    return node


def _more(path: _Path, **steps: int) -> _Path:
    new = _Path(
        path.literal, path.leet, path.symbols, path.hidden, path.between, path.repeats, path.sounds
    )
    for name, number in steps.items():
        setattr(new, name, getattr(new, name) + number)
    return new
