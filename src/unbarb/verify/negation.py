"""Negation must survive, and none may come in but for a rude word ("stupid" may become "not smart")."""

from __future__ import annotations

from unbarb.verify.alignment import Alignment
from unbarb.verify.vocabulary import word_set

CUES = word_set("negation.cues")
"""Words that turn a sentence around; contractions are opened before, so *n't* is *not*."""

_STANDS_FOR = word_set("negation.stands_for")
_TURNED = ("un", "non", "dis", "im", "ir", "il", "in")
_SWEARING = word_set("negation.swearing")
_LIGHT = word_set("negation.light")
_PRAISE = word_set("negation.praise")
_LIKING = word_set("negation.liking")
_HATING = word_set("negation.hating")
_BLAME = word_set("negation.blame")
_SOFT = word_set("negation.soft")

_NEAR = 2
"""Tokens between a negation and the word that stands for it, or between it and what it turns."""

_REACH = 6
"""Tokens that a negation may have moved and still be the same one."""


def broken_negation(alignment: Alignment) -> list[str]:
    """Why the rewrite says the opposite, if it seems to: a negation that went, or one that came."""
    lost: list[int] = []
    gained: list[tuple[int, int]] = []
    weak: list[int] = []
    for block in alignment.changed:
        lost += [i for i in range(block.start, block.end) if alignment.source[i].text in CUES]
        gained += [
            (j, block.start) for j in range(block.to, block.to_end) if alignment.rewrite[j].text in CUES
        ]
        weak += [
            block.start for j in range(block.to, block.to_end) if _stands_for(alignment.rewrite[j].text)
        ]
    for i in list(lost):
        near = [pair for pair in gained if abs(pair[1] - i) <= _REACH]
        if near:
            gained.remove(min(near, key=lambda pair: abs(pair[1] - i)))
            lost.remove(i)
    reasons = []
    for i in lost:
        if not (_may_go(alignment, i) or any(abs(at - i) <= _NEAR for at in weak)):
            reasons.append(f"negation: {alignment.source[i].written!r} is gone")
    for j, at in gained:
        if not _may_come(alignment, j, at):
            reasons.append(f"negation: {alignment.rewrite[j].written!r} came in")
    return reasons + _praised(alignment)


def _praised(alignment: Alignment) -> list[str]:
    """Praise, or liking, in the very place of an insult: "he is a liar" is not "he is honest"."""
    rewrite = alignment.rewrite
    for block in alignment.changed:
        went = alignment.went(block)
        hated = any(token.text in _HATING for token in went)
        if any(token.text in CUES for token in went):
            continue
        rude = {token.text for token in went if token.toxic and token.text not in _SWEARING}
        for j in range(block.to, block.to_end):
            word = rewrite[j].text
            before = {token.text for token in rewrite[max(0, j - 5) : j]}
            wrong = (hated and word in _LIKING) or (rude and word in _PRAISE)
            if wrong and not before & (CUES | _STANDS_FOR | _SOFT):
                return [f"negation: {word!r} came in place of {went[0].written!r}"]
    return []


def _stands_for(word: str) -> bool:
    return word in _STANDS_FOR or word.endswith("less") or (len(word) > 5 and word.startswith(_TURNED))


def _may_go(alignment: Alignment, i: int) -> bool:
    """Whether the negation at `i` belongs to what is rude, or says nothing ("no, …")."""
    source = alignment.source
    following = source[i + 1 : i + 2]
    if source[i].text == "no" and (not following or not following[0].is_word):
        return True
    if source[i].toxic:
        return True
    return _negates_insult(alignment, i) or _whole_clause_went(alignment, i)


def _negates_insult(alignment: Alignment, i: int) -> bool:
    """``no shit``, ``not a stupid …``: the next word that carries meaning is rude, and is no swear verb."""
    source = alignment.source
    for at, token in enumerate(source[i + 1 : i + 6]):
        if token.text in _LIGHT and not token.toxic:
            continue
        if source[i].text == "no" and token.toxic:
            return True
        return token.toxic and token.text not in _SWEARING and i + 1 + at not in alignment.kept
    return False


def _whole_clause_went(alignment: Alignment, i: int) -> bool:
    """Whether everything from mark to mark around `i` was rude enough to go, and went."""
    source = alignment.source
    start, end = i, i + 1
    while start > 0 and source[start - 1].is_word:
        start -= 1
    while end < len(source) and source[end].is_word:
        end += 1
    if any(k in alignment.kept for k in range(start, end)) and end - start > 2:
        kept = sum(k in alignment.kept for k in range(start, end))
        if kept > (end - start) // 4:
            return False
    return any(source[k].toxic for k in range(start, end))


def _may_come(alignment: Alignment, j: int, at: int) -> bool:
    """Whether the negation that came at `j` stands for a rude word, there or right behind it."""
    source = alignment.source
    turned = {token.text for token in alignment.rewrite[j + 1 : j + 1 + _NEAR]}
    if turned & _BLAME:
        return False
    block = next(b for b in alignment.changed if b.to <= j < b.to_end)
    if any(token.toxic or _stands_for(token.text) for token in alignment.went(block)):
        return True
    for k in range(max(block.end, at), min(len(source), block.end + 5)):
        if k not in alignment.kept and (source[k].toxic or _stands_for(source[k].text)):
            return True
        if source[k].text not in _LIGHT and k in alignment.kept:
            return False
    return False
