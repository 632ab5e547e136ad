"""What is left must still be about the same: words that are not rude may not go in numbers."""

from __future__ import annotations

import re
from collections.abc import Sequence

from unbarb.verify.alignment import Alignment, Token
from unbarb.verify.vocabulary import word_set

LIGHT = word_set("content.light")
"""Words that say little by themselves."""


TAIL = 2
"""As many words of that kind may not go from the end in one piece, the start being left as it was."""

START_KEPT = 0.7
"""The share of the words before it that makes such a loss a cut and not a rephrasing."""

HANGING_KEPT = 0.4
"""The same where the rewrite stops at a word that rarely ends a sentence, without a mark."""


_LINKS = word_set("content.links")
"""Words that rarely end a sentence."""

_CHATTER = word_set("content.chatter")
_LAUGHTER = re.compile(
    # One letter at a time: syllables that may be cut in many ways would take for ever on a long laugh.
    r"[bm]?u?(?=[hae]*(?:ha|he|ah)[hae]*(?:ha|he|ah))[hae]+|l+o+l+|x+d+|x+|h+m+|a+w+|o+h+|y+a+y+"
)
"""Sounds that people end a message with; nothing is said by them."""

_BEFORE_NOUNS = word_set("grammar.determiners") | word_set("grammar.possessives")

WORDS = 5
"""So many words that carry meaning a source must have for it to be missed when none is left."""

_STEM = 4
"""Letters by which a word is known again in another form."""


def lost_content(alignment: Alignment) -> list[str]:
    """Whether the rewrite is about something else, or is the source cut short."""
    return [*_unrelated(alignment), *_cut_short(alignment)]


def _unrelated(alignment: Alignment) -> list[str]:
    """Whether no word that carries meaning is left of many; a judge of meaning sees the finer cases."""
    own = [token.text for token in alignment.source if not token.toxic and tells(token)]
    after = {token.text[:_STEM] for token in alignment.rewrite}
    if len(own) < WORDS or any(word[:_STEM] in after for word in own):
        return []
    return [f"meaning: none of {len(own)} words that carry it is left"]


def tells(token: Token) -> bool:
    """Whether the word says something by itself."""
    word = token.text
    return token.is_word and word not in LIGHT and not _is_chatter(word)


def _is_chatter(word: str) -> bool:
    letter = len(word) == 1 and word not in ("a", "i")
    return letter or word in _CHATTER or _LAUGHTER.fullmatch(word) is not None


def _cut_short(alignment: Alignment) -> list[str]:
    """Whether the end of the source simply went, without being rude."""
    for block in alignment.changed:
        went, came = alignment.went(block), alignment.came(block)
        rest = [token for token in alignment.source[block.end :] if token.is_word]
        gone = [token for token in _before_rude(went) if token.is_word and not _is_chatter(token.text)]
        if rest or not gone or any(token.is_word for token in came) or _is_epithet(gone):
            continue
        told = [token for token in gone if tells(token)]
        head = [i for i, t in enumerate(alignment.source[: block.start]) if t.is_word and not t.toxic]
        stayed = sum(i in alignment.kept for i in head)
        hangs = _hangs(alignment) and block.start - 1 in alignment.kept
        least = HANGING_KEPT if hangs else START_KEPT
        thing = bool(told) and gone[0].text in _BEFORE_NOUNS and not any(t.toxic for t in went)
        if (hangs or thing or len(told) >= TAIL) and stayed >= least * len(head):
            return [f"meaning: the end is cut off from {went[0].written!r} on"]
    return []


def _is_epithet(gone: Sequence[Token]) -> bool:
    """``you sick little man`` at the end: what somebody is called, rude or not."""
    return gone[0].text == "you" and len(gone) <= TAIL + 2


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
