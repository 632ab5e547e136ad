"""Source and rewrite word by word: what stayed, what went, what came. Every cheap check reads this.

Contractions are opened (``don't``, ``don 't`` and ``dont`` are *do not*; ``u`` is *you*), so that a
changed spelling is not taken for a changed word.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher
from functools import lru_cache
from itertools import pairwise

from unbarb.detect import wordlist
from unbarb.text import Analysis
from unbarb.verify.vocabulary import word_set

TOXIC_WORD = 0.5
"""A word whose toxicity (:class:`~unbarb.text.Word`) is this or more may go with what it says."""

_TOKEN = re.compile(
    r"""https?://\S+|www\.\S+|[\w.+-]+@\w+\.[\w.]+|[@#]\w+|\d+(?:[.,:]\d+)*%?"""
    r"""|(?:[^\W\d_]\.){2,}|[^\W\d_](?:\.[^\W\d_])+\b|n['’]t\b|[^\W\d_]+\d\w*"""
    r"""|[^\W\d_]+(?:[ ]?['’][ ]?(?:t|s|m|re|ll|ve|d)\b|['’-][^\W\d_]+)*|\w+|[^\w\s]"""
)
_OPENED = {
    word: tuple(parts.split("_"))
    for word, _, parts in (line.partition("=") for line in word_set("alignment.opened"))
}
_STEMS = {"ca": "can", "wo": "will", "ai": "is", "can": "can", "won": "will", "ain": "is"}
_ENDINGS = {"t": "not", "s": "'s", "m": "am", "re": "are", "ll": "will", "ve": "have", "d": "would"}


@dataclass(frozen=True, slots=True)
class Token:
    """A word or a mark, lower-cased and opened; `written` and the offsets are as in the text."""

    text: str
    written: str
    start: int
    end: int
    toxic: bool = False

    @property
    def is_word(self) -> bool:
        return self.text[0].isalnum() or self.text[0] in "'@#"


@dataclass(frozen=True, slots=True)
class Block:
    """Tokens ``[start, end)`` of the source became ``[to, to_end)`` of the rewrite; one may be empty."""

    start: int
    end: int
    to: int
    to_end: int


@dataclass(frozen=True, slots=True)
class Alignment:
    """Both texts as tokens, the changed blocks in order, and where each kept token went."""

    source: tuple[Token, ...]
    rewrite: tuple[Token, ...]
    changed: tuple[Block, ...]
    kept: dict[int, int]

    def went(self, block: Block) -> tuple[Token, ...]:
        return self.source[block.start : block.end]

    def came(self, block: Block) -> tuple[Token, ...]:
        return self.rewrite[block.to : block.to_end]


def align(source: Analysis, rewrite: str) -> Alignment:
    """Compare the source of `source` with `rewrite`; its findings and toxic words mark what may go."""
    before, after = marked(source), tokens(rewrite)
    matcher = SequenceMatcher(None, [t.text for t in before], [t.text for t in after], autojunk=False)
    changed: list[Block] = []
    kept: dict[int, int] = {}
    for kind, start, end, to, to_end in matcher.get_opcodes():
        if kind == "equal":
            kept.update(zip(range(start, end), range(to, to_end), strict=True))
        else:
            changed.append(Block(start, end, to, to_end))
    return Alignment(before, after, tuple(changed), kept)


def marked(source: Analysis) -> tuple[Token, ...]:
    """The tokens of the source; toxic are those in a finding, in a toxic word or on the word list."""
    spans = [(finding.start, finding.end) for finding in source.findings]
    spans += [(word.start, word.end) for word in source.words if word.toxicity >= TOXIC_WORD]
    return _marked(source.text, tuple(spans))


@lru_cache(maxsize=256)
def _marked(text: str, spans: tuple[tuple[int, int], ...]) -> tuple[Token, ...]:
    return tuple(
        Token(t.text, t.written, t.start, t.end, True)
        if listed(t.text) or any(t.start < end and start < t.end for start, end in spans)
        else t
        for t in tokens(text)
    )


def listed(word: str) -> bool:
    """Whether the word list knows `word` as rude whenever, or nearly whenever, it is written."""
    entry = wordlist.load().words.get(word)
    return entry is not None and entry.sense != "ambiguous"


def tokens(text: str) -> tuple[Token, ...]:
    """The words and marks of `text`, contractions opened; what comes of one shares its offsets."""
    found = []
    for match in _TOKEN.finditer(text):
        for part in _opened(match.group()):
            found.append(Token(part, match.group(), match.start(), match.end()))
    return tuple(found)


@lru_cache(maxsize=32768)
def _opened(written: str) -> tuple[str, ...]:
    plain = written.lower().replace("’", "'").replace(" ", "")
    if plain in _OPENED:
        return _OPENED[plain]
    stem, _, ending = plain.rpartition("'")
    if not stem or ending not in _ENDINGS or not stem[-1].isalpha():
        return (plain,)
    if ending == "t":
        if not stem.endswith("n"):
            return (plain,)
        stem = _STEMS.get(stem, stem[:-1])
    return (*_opened(stem), _ENDINGS[ending])


def neighbours(row: Sequence[Token]) -> Iterator[tuple[str, str]]:
    """Every token with the next; the text begins with an empty one and ends with one."""
    return pairwise(["", *(token.text for token in row), ""])
