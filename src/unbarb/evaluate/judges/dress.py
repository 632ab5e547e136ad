"""What is round a sentence and not in it: judges read the sentence alone, as people do.

Quotation marks round the whole, Markdown and pictographs cost a cosine up to .15 and say nothing: they are
what one system's prompt left on its outputs and another's did not.
"""

from __future__ import annotations

import re
import unicodedata

_QUOTES = {'"': '"', "“": "”", "„": "“", "«": "»", "‘": "’", "`": "`", "'": "'"}
_STARS = re.compile(r"(?<![\w*])(\*\*|__)(?=[^\s*_])(.+?)(?<=[^\s*_])\1(?![\w*])")
_HEADING = re.compile(r"^(?:#{1,6}|>|[-*•])\s+", re.MULTILINE)


def undressed(text: str) -> str:
    """`text` without quotes round the whole, Markdown and pictographs, on one line."""
    plain = _STARS.sub(r"\2", _HEADING.sub("", text))
    plain = "".join(c for c in plain if unicodedata.category(c) not in ("So", "Cs", "Co") and c != "\ufe0f")
    plain = " ".join(plain.split())
    while len(plain) > 2 and _QUOTES.get(plain[0]) == plain[-1] and plain[0] not in plain[1:-1]:
        plain = plain[1:-1].strip()
    return plain


def looped(text: str) -> float:
    """The share of the words that only say again what was just said, 0…1.

    A stretch of two words or more that follows itself, or one word from its third time on: what a decoder
    does that does not find its end. "very very" is no loop.
    """
    words = re.findall(r"\w+", text.casefold())
    again = at = 0
    while at < len(words):
        length = _repeat_at(words, at)
        if not length:
            at += 1
            continue
        copies = 1
        while words[at + copies * length : at + (copies + 1) * length] == words[at : at + length]:
            copies += 1
        again += (copies - 1) * length
        at += copies * length
    return again / len(words) if words else 0.0


def _repeat_at(words: list[str], at: int) -> int:
    """How long the stretch at `at` is that follows itself, 0 for none."""
    if at + 2 < len(words) and words[at] == words[at + 1] == words[at + 2]:
        return 1
    for length in range(2, (len(words) - at) // 2 + 1):
        if words[at : at + length] == words[at + length : at + 2 * length]:
            return length
    return 0
