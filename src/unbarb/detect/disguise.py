"""What word a disguised spelling stands for: ``m0r0n``, ``f**k``, ``s.t.u.p.1.d``, ``phuck``.

A spelling is walked through a trie of the word list's entries that may be disguised.
Each written character may be itself, stand for another (leet, sound), hide one or two letters
(mask), only separate, or repeat the letter before; each of these costs. The cheapest word wins, if
enough of it was really written. Nothing but listed words can come out, so ``C3PO`` stays.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache, lru_cache
from typing import NamedTuple

from unbarb.detect.wordlist import load

LONGEST = 32
"""Longer spellings are not looked at: no listed word needs them."""

FUEL = 4000
"""Steps one spelling may take; what is not found by then (ten stars in a row) is no word to a reader."""

LEET = {
    "0": "o", "1": "il", "2": "z", "3": "e", "4": "a", "5": "s", "6": "gb", "7": "t", "8": "b", "9": "g",
    "@": "a", "$": "s", "!": "il", "|": "il", "+": "t", "(": "c", "<": "c", "€": "e", "£": "le", "¢": "c",
    "¡": "i", "¥": "y", "×": "x", "µ": "u", "§": "s", "ß": "sb", "ı": "i", "ø": "o", "ł": "l", "đ": "d",
}  # fmt: skip
SOUNDS = {
    "v": ("u",), "z": ("s",), "k": ("c", "ck"), "kk": ("ck",), "q": ("ck", "g"),
    "ph": ("f",), "vv": ("w",), "oo": ("u",), "cc": ("ck",), "()": ("o",), "|_|": ("u",), "\\/": ("v",),
    "zz": ("s", "ss"), "qu": ("ck",), "|)": ("d",), "|<": ("k",), "|{": ("k",), "}{": ("h",), "|-|": ("h",),
}  # fmt: skip
MASKS = frozenset("*#%&^?~_-.•●✱∗⁎@$!+x█■□")
STARS = frozenset("*•●✱∗⁎#█■□")
SEPARATORS = frozenset("*.-_'`,;:/\\~|+=•·^\"()[]")
_BARE = {
    "f***": "fuck",
    "s***": "shit",
    "b****": "bitch",
    "a******": "asshole",
    "n*****": "nigger",
    "a-hole": "asshole",
    "a-holes": "assholes",
    "f-ing": "fucking",
    "f'ing": "fucking",
}
_CONTRACTED = ("'s", "'re", "'ll", "'d", "'ve", "'m", "'t", "'em", "'er", "'")

Node = dict[str, "Node | str"]


class Path(NamedTuple):
    """How a word was reached, in counts of characters.

    `literal` as they are, `leet` (`symbols` of them no digits), `hidden`, `between` letters, `repeats`
    and `sounds` changed; `odd` is what else it costs.
    """

    literal: int = 0
    leet: int = 0
    symbols: int = 0
    hidden: int = 0
    between: int = 0
    repeats: int = 0
    sounds: int = 0
    odd: float = 0.0

    def cost(self) -> float:
        return self.leet + 1.5 * self.hidden + 0.5 * self.repeats + 1.2 * self.sounds + self.odd


@cache
def trie() -> Node:
    """The words that may be disguised, letter by letter, and their spellings; a word's end is under ''."""
    listed = load()
    root: Node = {}
    for form, entry in listed.words.items():
        if entry.disguised and len(form) >= 3 and form.isalpha():
            _plant(root, form)
    for spelling, form in listed.spellings.items():
        if form in listed.words and listed.words[form].plain and len(spelling) >= 4:
            _plant(root, spelling)
    return root


def _plant(root: Node, word: str) -> None:
    node = root
    for letter in word:
        below = node.setdefault(letter, {})
        if isinstance(below, dict):
            node = below
    node[""] = word


@lru_cache(maxsize=16384)
def reveal(spelling: str) -> str | None:
    """The listed word that `spelling` (lower case, no white space) disguises.

    Returns:
        The word; None where there is none, and where `spelling` is itself listed or innocent.
    """
    listed = load()
    if not 3 <= len(spelling) <= LONGEST or spelling in listed.words or spelling in listed.innocent:
        return None
    known = listed.spellings.get(spelling) or _BARE.get(spelling)
    if known:
        return known
    if spelling.endswith(_CONTRACTED) and spelling.count("'") == 1:
        return None
    best: tuple[float, int, str] | None = None
    for reached, path in _walk(spelling, 0, trie(), "", Path(), [FUEL]):
        form = listed.spellings.get(reached, reached)
        if form != reached and (path.hidden or path.sounds):
            continue
        if _credible(form, path, spelling):
            key = (path.cost(), -listed.words[form].n, form)
            if best is None or key < best:
                best = key
    return best[2] if best else None


def _credible(form: str, path: Path, spelling: str) -> bool:
    """Whether enough of `form` was really written for `spelling` to mean it."""
    size = len(form)
    if not load().words[form].plain and not (path.leet or path.hidden or path.between):
        return False
    if size == 3:
        return (
            path.literal > 0
            and not (path.hidden or path.sounds or path.repeats)
            and path.symbols == path.leet
            and path.leet + path.between > (0 if path.leet else 1)
        )
    if path.literal == 0 or (path.literal + path.symbols) * 3 < size or path.sounds > 2:
        return False
    if path.hidden:
        return _shows(form, path, spelling)
    if path.sounds and path.literal + path.leet < 3:
        return False
    if path.repeats and not _drawn_out(spelling):
        return size >= 4 and not path.leet and _frequent(form)
    return True


def _frequent(form: str) -> bool:
    """Whether `form` is severe or common, so that weak evidence for it will do."""
    entry = load().words[form]
    return entry.plain and (entry.severity == 3 or entry.n >= 5)


def _shows(form: str, path: Path, spelling: str) -> bool:
    """Whether the letters that are not masked are enough to tell `form`."""
    starred = any(c in STARS for c in spelling)
    shown = path.literal + path.leet
    if not load().words[form].plain and (not starred or shown < 3):
        return False
    if len(spelling) < 4:
        return False
    if not starred and any(c in "@$!+" for c in spelling) and (path.hidden > 1 or len(form) < 5):
        return False
    if path.hidden > 1 and not _frequent(form) and shown < 4:
        return False
    if "x" in spelling and path.hidden > 1 and not any(c in MASKS and c != "x" for c in spelling):
        return False
    ends = spelling[0].isalpha() and spelling[-1].isalpha()
    most = len(form) * (0.75 if ends and starred else 0.5)
    return shown >= 2 and path.hidden <= most and (starred or path.hidden <= 3)


def _drawn_out(spelling: str) -> bool:
    """Whether a letter stands three times in a row, as it does in no English word."""
    return any(a == b == c for a, b, c in zip(spelling, spelling[1:], spelling[2:], strict=False))


def _walk(
    spelling: str, at: int, node: Node, last: str, path: Path, fuel: list[int]
) -> Iterator[tuple[str, Path]]:
    """Every listed word that ``spelling[at:]`` can end in, from `node` on, with how."""
    fuel[0] -= 1
    if fuel[0] < 0:
        return
    if at == len(spelling):
        form = node.get("")
        if isinstance(form, str):
            yield form, path
        return
    c = spelling[at]
    below = node.get(c)
    if isinstance(below, dict):
        yield from _walk(spelling, at + 1, below, c, path._replace(literal=path.literal + 1), fuel)
    if c == last:
        yield from _walk(spelling, at + 1, node, last, path._replace(repeats=path.repeats + 1), fuel)
    if path.sounds < 2:
        for size in (1, 2, 3):
            for letters in SOUNDS.get(spelling[at : at + size], ()) if at + size <= len(spelling) else ():
                deeper = _below(node, letters)
                if deeper is not None:
                    more = path._replace(sounds=path.sounds + 1)
                    yield from _walk(spelling, at + size, deeper, letters[-1], more, fuel)
    for letter in LEET.get(c, ""):
        more = path._replace(leet=path.leet + 1, symbols=path.symbols + (not c.isdigit()))
        below = node.get(letter)
        if isinstance(below, dict):
            yield from _walk(spelling, at + 1, below, letter, more, fuel)
        elif letter == last:
            yield from _walk(spelling, at + 1, node, last, path._replace(repeats=path.repeats + 1), fuel)
    if at and (not c.isalpha() or (c == "x" and at + 1 < len(spelling))):
        yield from _covered(spelling, at, node, last, path, fuel)


def _covered(
    spelling: str, at: int, node: Node, last: str, path: Path, fuel: list[int]
) -> Iterator[tuple[str, Path]]:
    """The words that go on behind a separator or a mask at `at`."""
    c = spelling[at]
    if c in SEPARATORS:
        odd = 1.6 if c in STARS else 0.4
        more = path._replace(between=path.between + 1, odd=path.odd + odd)
        yield from _walk(spelling, at + 1, node, last, more, fuel)
    if c not in MASKS or path.hidden >= 7:
        return
    odd = 0.0 if c in STARS else 0.4
    for letter, below in node.items():
        if isinstance(below, dict):
            more = path._replace(hidden=path.hidden + 1, odd=path.odd + odd)
            yield from _walk(spelling, at + 1, below, letter, more, fuel)
            if c in STARS and path.hidden < 2:
                for second, deeper in below.items():
                    if isinstance(deeper, dict):
                        more = path._replace(hidden=path.hidden + 2, odd=path.odd + 0.5)
                        yield from _walk(spelling, at + 1, deeper, second, more, fuel)


def _below(node: Node, letters: str) -> Node | None:
    for letter in letters:
        below = node.get(letter)
        if not isinstance(below, dict):
            return None
        node = below
    return node
