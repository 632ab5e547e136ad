"""What must survive a rewrite: numbers, links, addresses, mentions, tags, names and quoted words."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Sequence

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
    "once": "1", "twice": "2", "thrice": "3", "first": "1", "second": "2", "third": "3", "half": "0.5",
}  # fmt: skip
_SOUNDS = {"2": ("to", "too"), "4": ("for",), "1": ("one", "someone", "anyone", "first"), "8": ("ate",)}
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


def _values(row: Iterable[Token], toxic: bool) -> Counter[str]:
    """Numbers by value; ``one`` is left out, being a pronoun as often, and so are hearts (``<3``)."""
    found: Counter[str] = Counter()
    before = ""
    for token in row:
        face, before = before in ("<", ">"), token.text
        if face or (token.toxic and not toxic):
            continue
        if _NUMBER.fullmatch(token.text):
            found[token.text.rstrip("%").replace(",", "").lstrip("0") or "0"] += 1
        elif token.text in _VALUES:
            found[_VALUES[token.text]] += 1
    return found


def _numbers(alignment: Alignment) -> list[str]:
    before, after = _values(alignment.source, False), _values(alignment.rewrite, True)
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
        if token.text in NAMES and _stem(token.text) not in before
    ]
    return [f"facts: the name {name} is gone" for name in dict.fromkeys(gone)] + [
        f"facts: the name {name} came in" for name in dict.fromkeys(came)
    ]


def _stem(word: str) -> str:
    return word.removesuffix("s") if len(word) > 3 else word


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
        if not inside or any(t.toxic for t in inside):
            continue
        if sum(t.text in after for t in inside) < len(inside) / 2:
            reasons.append(f"facts: the quotation {quote.group(1)!r} is gone")
    return reasons
