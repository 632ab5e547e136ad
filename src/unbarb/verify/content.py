"""What is left must still be about the same: words that are not rude may not go in numbers."""

from __future__ import annotations

from collections.abc import Sequence

from unbarb.verify.alignment import Alignment, Token
from unbarb.verify.vocabulary import word_set

LIGHT = word_set("content.light")
"""Words that say little by themselves."""

KEPT = 0.12
"""The least share of the words that carry meaning and are not rude that must stay."""

TAIL = 2
"""As many words of that kind may not go from the end in one piece, the start being left as it was."""

START_KEPT = 0.7
"""The share of the words before it that makes such a loss a cut and not a rephrasing."""

HANGING_KEPT = 0.4
"""The same where the rewrite stops at a word that rarely ends a sentence, without a mark."""


_LINKS = word_set("content.links")
"""Words that rarely end a sentence."""


def lost_content(alignment: Alignment, kept: float = KEPT) -> list[str]:
    """Whether the rewrite is about something else, or is the source cut short."""
    return [*_unrelated(alignment, kept), *_cut_short(alignment)]


def _stem(word: str) -> str:
    for ending in ("ing", "ed", "es", "ly", "er", "s", "e"):
        if word.endswith(ending) and len(word) - len(ending) >= 3:
            return word[: -len(ending)]
    return word


def _unrelated(alignment: Alignment, kept: float) -> list[str]:
    own = [t.text for t in alignment.source if t.is_word and not t.toxic and t.text not in LIGHT]
    if len(own) < 4:
        return []
    after = {_stem(token.text) for token in alignment.rewrite}
    stayed = sum(_stem(word) in after for word in own)
    if stayed < kept * len(own):
        return [f"meaning: {stayed} of {len(own)} words that carry it are left"]
    return []


def _cut_short(alignment: Alignment) -> list[str]:
    """Whether the end of the source simply went, without being rude."""
    for block in alignment.changed:
        went, came = alignment.went(block), alignment.came(block)
        rest = [token for token in alignment.source[block.end :] if token.is_word]
        gone = [token for token in _before_rude(went) if token.is_word]
        if rest or not gone or any(token.is_word for token in came):
            continue
        told = [token for token in gone if token.text not in LIGHT]
        head = [i for i, t in enumerate(alignment.source[: block.start]) if t.is_word and not t.toxic]
        stayed = sum(i in alignment.kept for i in head)
        hangs = _hangs(alignment) and block.start - 1 in alignment.kept
        least = HANGING_KEPT if hangs else START_KEPT
        if (hangs or len(told) >= TAIL) and stayed >= least * len(head):
            return [f"meaning: the end is cut off from {went[0].written!r} on"]
    return []


def _before_rude(went: Sequence[Token]) -> Sequence[Token]:
    """The clauses that went before the first rude one; all when none is."""
    rude = next((i for i, token in enumerate(went) if token.toxic), len(went))
    marks = [i for i in range(rude) if not went[i].is_word]
    if rude == len(went):
        return went
    return went[: marks[-1]] if marks else ()


def _hangs(alignment: Alignment) -> bool:
    """Whether the rewrite stops at a word that rarely ends a sentence, without a mark."""
    return bool(alignment.rewrite) and (
        alignment.rewrite[-1].text in _LINKS or alignment.rewrite[-1].text in (",", "-", ":")
    )
