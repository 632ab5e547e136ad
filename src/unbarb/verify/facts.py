"""What must survive a rewrite: numbers, links, addresses, mentions, tags, names and quoted words."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from difflib import SequenceMatcher

from unbarb.verify.alignment import Alignment, Token
from unbarb.verify.vocabulary import word_set

NAMES = word_set("facts.names")
"""First names, places and companies that are known as such in lower case too."""

_ONES = "two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen sixteen"
_VALUES = {
    **{word: str(value) for value, word in enumerate(f"{_ONES} seventeen eighteen nineteen".split(), 2)},
    **{word: str(value * 10) for value, word in enumerate(
        ["twenty", "thirty", "forty", "fifty", "sixty", "seventy", "eighty", "ninety"], 2)},
    "hundred": "100", "thousand": "1000", "million": "1000000", "billion": "1000000000", "hundreds": "100",
    "thousands": "1000", "millions": "1000000", "billions": "1000000000", "dozen": "12", "k": "1000",
    "twice": "2", "thrice": "3", "first": "1", "second": "2", "third": "3", "half": "0.5",
}  # fmt: skip
_SOUNDS = {"2": ("to", "too"), "4": ("for",), "1": ("one", "someone", "anyone", "first"), "8": ("ate",)}
_GIVING = frozenset(["give", "gives", "gave", "given", "giving"])
_HALVED = frozenset(["a", "an", "the", "of", "hour", "my", "your", "his", "her", "our", "their"])
_UNITS = frozenset(["a", "one", "per", "each", "every", "any", "this"])
_LAND = dict(line.split("=") for line in word_set("facts.peoples"))
_ALIKE = 0.8
"""How alike a name that came in and an odd word of the source must be for it to be that word, respelt."""

_LINK = re.compile(r"https?://|www\.|[\w.+-]+@\w+\.")
_QUOTED = re.compile(r"[\"“”«»]([^\"“”«»]{2,60})[\"“”«»]")
_NUMBER = re.compile(r"\d+(?:[.,:]\d+)*%?")


def changed_facts(alignment: Alignment, source: str, rewrite: str) -> list[str]:
    """What the rewrite dropped, changed or made up of the facts in `source`, outside rude stretches."""
    return [
        *_numbers(alignment),
        *_marked(alignment),
        *_names(alignment, source),
        *_quotes(alignment, source, rewrite),
    ]


def _values(row: Sequence[Token], toxic: bool) -> Counter[str]:
    """Numbers by value, without what only looks like one; ``one`` is a pronoun as often as a number."""
    found: Counter[str] = Counter()
    for at, token in enumerate(row):
        if token.toxic and not toxic:
            continue
        if token.text[0].isdigit() and _NUMBER.fullmatch(token.text):
            if row[at - 1].text not in ("<", ">") or not at:
                found[token.text.rstrip("%").replace(",", "").lstrip("0") or "0"] += 1
        elif token.text in _VALUES and not _says_no_number(row, at):
            found[_VALUES[token.text]] += 1
    return found


def _says_no_number(row: Sequence[Token], at: int) -> bool:
    """``half way``, ``a second``, a ``k`` behind no number, ``give two shits``."""
    word = row[at].text
    before = row[at - 1].text if at else ""
    after = row[at + 1] if at + 1 < len(row) else None
    if word == "half":
        return before not in _UNITS and (after is None or after.text not in _HALVED)
    if word == "second":
        return before in _UNITS
    if word == "k":
        return not before[-1:].isdigit()
    return before in _GIVING and after is not None and after.toxic


def _numbers(alignment: Alignment) -> list[str]:
    before, after = _values(alignment.source, False), _values(alignment.rewrite, True)
    if before == after or _digits(alignment.source) == _digits(alignment.rewrite) != "":
        return []
    present = {token.text for token in alignment.rewrite}
    held = {token.text for token in alignment.source}
    gone = [n for n in before if n not in after and not present.intersection(_SOUNDS.get(n, ()))]
    came = [
        n for n in after
        if n not in before and n not in _values(alignment.source, True) and n != "1"
        and not held.intersection(_SOUNDS.get(n, ()))
    ]  # fmt: skip
    return [f"facts: the number {n} is gone" for n in gone] + [
        f"facts: the number {n} came in" for n in came
    ]


def _digits(row: Sequence[Token]) -> str:
    """All digits in a row: ``99 99`` is ``99.99`` in a text whose marks were lost."""
    numbers = "".join(token.text for token in row if token.text[0].isdigit())
    return "".join(filter(str.isdigit, numbers))


def _marked(alignment: Alignment) -> list[str]:
    """Links, addresses, mentions and tags, letter by letter."""
    before = {t.written for t in alignment.source if _is_marked(t) and not t.toxic}
    after = {t.written for t in alignment.rewrite if _is_marked(t)}
    every = {t.written for t in alignment.source if _is_marked(t)}
    return [f"facts: {w} is gone" for w in sorted(before - after)] + [
        f"facts: {w} came in" for w in sorted(after - every)
    ]


def _is_marked(token: Token) -> bool:
    return bool(_LINK.match(token.written)) or (token.written[0] in "@#" and len(token.written) > 1)


def _names(alignment: Alignment, source: str) -> list[str]:
    before, after = _stems(alignment.source), _stems(alignment.rewrite)
    gone = []
    by_case = _tells_case(source)
    for token in alignment.source:
        if token.toxic or _stem(token.text) in after:
            continue
        if token.text in NAMES or (by_case and _capital(token, source)):
            gone.append(token.written)
    came = [
        token.written
        for token in alignment.rewrite
        if token.text in NAMES and _stem(token.text) not in before and not _respelt(token.text, alignment)
    ]
    return [f"facts: the name {name} is gone" for name in dict.fromkeys(gone)] + [
        f"facts: the name {name} came in" for name in dict.fromkeys(came)
    ]


def _respelt(name: str, alignment: Alignment) -> bool:
    """Whether `name` stood in the source already, glued to another word or misspelt."""
    for token in alignment.source:
        word = token.text
        if token.is_word and word not in NAMES and len(word) > 3:
            if len(name) > 3 and name in word:
                return True
            if word[0] == name[0] and SequenceMatcher(None, word, name).ratio() >= _ALIKE:
                return True
    return False


def _stem(word: str) -> str:
    """The word without *'s* and *s*; a people and its language by the land."""
    word = word.removesuffix("'s")
    word = word.removesuffix("s") if len(word) > 3 else word
    return _LAND.get(word, word)


def _stems(row: Sequence[Token]) -> set[str]:
    return {part for token in row for part in (_stem(token.text), *token.text.split("-"))}


def _tells_case(source: str) -> bool:
    """Whether capitals mean something: most words of the text begin with a small letter."""
    starts = re.findall(r"\b[^\W\d_]", source)
    return len(starts) >= 4 and sum(letter.islower() for letter in starts) >= 0.6 * len(starts)


def _capital(token: Token, source: str) -> bool:
    """Whether `token` is written like a name, and not because a sentence begins there."""
    word = token.written
    if (
        len(word) < 3
        or not word[0].isupper()
        or word.isupper()
        or not token.is_word
        or "'" in word
        or "’" in word
    ):
        return False
    before = source[: token.start].rstrip(" \"'“‘(")
    return bool(before) and before[-1] not in ".!?:;\n-*|…"


def _quotes(alignment: Alignment, source: str, rewrite: str) -> list[str]:
    """Words that somebody else said, between quotation marks, of which most must stay."""
    after = {token.text for token in alignment.rewrite}
    reasons = []
    for quote in _QUOTED.finditer(source):
        inside = [t for t in alignment.source if quote.start(1) <= t.start < quote.end(1) and t.is_word]
        if len(inside) < 2 or any(t.toxic for t in inside):
            continue
        if sum(t.text in after for t in inside) < len(inside) / 2:
            reasons.append(f"facts: the quotation {quote.group(1)!r} is gone")
    return reasons
