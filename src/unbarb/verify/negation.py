"""Negation must survive, and none may come in but for a rude word ("stupid" may become "not smart")."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import pairwise

from unbarb.verify.alignment import Alignment, Token
from unbarb.verify.vocabulary import word_set

CUES = word_set("negation.cues")
"""Words that turn a sentence around; contractions are opened before, so *n't* is *not*."""

_STANDS_FOR = word_set("negation.stands_for")
_TURNED = word_set("negation.turned")
_NOT_TURNED = ("uncl", "under", "unif", "union", "uniq", "unit", "univ", "unless", "until")
_SWEARING = word_set("negation.swearing")
_LIGHT = word_set("negation.light")
_PRAISE = word_set("negation.praise")
_LIKING = word_set("negation.liking")
_HATING = word_set("negation.hating")
_BLAME = word_set("negation.blame")
_SOFT = word_set("negation.soft")
_AUXILIARIES = word_set("negation.auxiliaries")
_ECHOES = frozenset(["neither", "never", "no", "nobody", "none", "noone", "nor", "nothing", "nowhere"])
_PEOPLE = frozenset(["guy", "man", "men", "one", "people", "person", "woman", "women"])

_GIVING = frozenset(["give", "gives", "gave", "giving"])
_CARING = frozenset(["care", "cared", "cares", "matter", "matters", "interested"])
_GOING = frozenset(["go", "leave"])
_NOTHING = frozenset(["bugger", "fuck", "sod"])
_OF_ALL = frozenset(["of", "that", "the", "these", "this", "those", "you"])
_CHAT = frozenset(["nah", "naw", "nope"])

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
        lost += [i for i in range(block.start, block.end) if _is_cue(alignment.source, i)]
        gained += [(j, block.start) for j in range(block.to, block.to_end) if _is_cue(alignment.rewrite, j)]
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
    return reasons + _unsaid(alignment) + _unconditional(alignment) + _praised(alignment)


def _implied(row: Sequence[Token]) -> Iterator[int]:
    """Where a rude word denies what follows: ``too dumb to see``, ``only an idiot would go``."""
    for i, token in enumerate(row):
        if token.text not in ("too", "only") or not any(t.toxic for t in row[i + 1 : i + 4]):
            continue
        turns = ("to",) if token.text == "too" else _AUXILIARIES
        if any(t.text in turns for t in row[i + 2 : i + 6]):
            yield i


def _nothing_at_all(row: Sequence[Token]) -> Iterator[int]:
    """Where a rude word before *all* denies it: "they know fuck all", not "fuck all of them"."""
    for i, (verb, rude, every) in enumerate(zip(row, row[1:], row[2:], strict=False), 1):
        after = row[i + 2].text if i + 2 < len(row) else ""
        if verb.is_word and rude.text in _NOTHING and every.text == "all" and after not in _OF_ALL:
            yield i


def _unsaid(alignment: Alignment) -> list[str]:
    """A negation that a rude word implied, of which nothing stands for in the rewrite."""
    denied = any(token.text in CUES or _stands_for(token.text) for token in alignment.rewrite)
    for i in _nothing_at_all(alignment.source):
        if i not in alignment.kept and i + 1 in alignment.kept:
            return [f"negation: {alignment.source[i].written!r} before 'all' is gone"]
    for i in _implied(alignment.source):
        rude = [k for k in range(i + 1, i + 5) if k < len(alignment.source) and alignment.source[k].toxic]
        if i not in alignment.kept and not denied and not any(k in alignment.kept for k in rude):
            return [f"negation: {alignment.source[i].written!r} is gone"]
    return []


def _unconditional(alignment: Alignment) -> list[str]:
    """A *not* whose *if* went: "stupid, if not mad" says no "not mad"."""
    source, rewrite = alignment.source, alignment.rewrite
    for i, j in alignment.kept.items():
        iffy = i and source[i].text == "not" and source[i - 1].text == "if"
        if iffy and (not j or rewrite[j - 1].text != "if"):
            return [f"negation: {source[i - 1].written!r} before {source[i].written!r} is gone"]
    return []


def _praised(alignment: Alignment) -> list[str]:
    """Praise, or liking, in the very place of an insult: "he is a liar" is not "he is honest"."""
    rewrite = alignment.rewrite
    said = {token.text for token in alignment.source}
    for block in alignment.changed:
        went = alignment.went(block)
        hated = any(token.text in _HATING for token in went)
        if any(token.text in CUES for token in went):
            continue
        likened = {second.text for first, second in pairwise(went) if first.text == "like"}
        blaming = {token.text for token in went if token.toxic} - (_SWEARING - likened)
        for j in range(block.to, block.to_end):
            word = rewrite[j].text
            before = {token.text for token in rewrite[max(0, j - 5) : j]}
            kind_of = word == "kind" and [token.text for token in rewrite[j + 1 : j + 2]] == ["of"]
            praised = blaming and word in _PRAISE and word not in said and not kind_of
            wrong = praised or (hated and word in _LIKING)
            if wrong and not before & (CUES | _STANDS_FOR | _SOFT):
                return [f"negation: {word!r} came in place of {went[0].written!r}"]
    return []


def _stands_for(word: str) -> bool:
    return word in _STANDS_FOR or word in _TURNED or word.endswith("less") or _turned(word)


def _turned(word: str) -> bool:
    """Whether the word is another one turned around by *un* or *non*."""
    return len(word) > 5 and word.startswith(("un", "non")) and not word.startswith(_NOT_TURNED)


def _may_go(alignment: Alignment, i: int) -> bool:
    """Whether the negation at `i` belongs to what is rude, or says nothing ("no, …")."""
    source = alignment.source
    following = source[i + 1 : i + 2]
    if source[i].text == "no" and (not following or not following[0].is_word):
        return True
    if source[i].toxic or source[i].written.lower() in _CHAT or _echo(source, i) or _tag(source, i):
        return True
    if _shrugs(alignment, i):
        return True
    return _negates_insult(alignment, i) or _whole_clause_went(alignment, i)


def _is_cue(row: Sequence[Token], i: int) -> bool:
    """Whether the word at `i` denies something: not so in "no shit", "not only" and "or not"."""
    token, following = row[i], row[i + 1] if i + 1 < len(row) else None
    if token.text not in CUES or (i and row[i - 1].text == "or" and token.text == "not"):
        return False
    if following is None or token.text not in ("no", "not"):
        return True
    rude = following.toxic and not following.text.endswith(("ing", "in", "damn", "damned", "bloody"))
    return not (rude if token.text == "no" else following.text == "only")


def _echo(row: Sequence[Token], i: int) -> bool:
    """Whether the negation at `i` only repeats one before it in its clause: "can't see nothing"."""
    before = row[max(0, i - _REACH) : i]
    marks = [at for at, token in enumerate(before) if not token.is_word]
    clause = before[marks[-1] + 1 :] if marks else before
    return row[i].text in _ECHOES and any(token.text in CUES for token in clause)


def _shrugs(alignment: Alignment, i: int) -> bool:
    """Whether "not give a damn" went as a whole, and nobody cares in its place."""
    after = range(i + 1, min(i + 6, len(alignment.source)))
    given = any(alignment.source[k].text in _GIVING and k not in alignment.kept for k in after)
    rude = any(alignment.source[k].toxic and k not in alignment.kept for k in after)
    return given and rude and not any(token.text in _CARING for token in alignment.rewrite)


def _tag(row: Sequence[Token], i: int) -> bool:
    """Whether the negation at `i` asks for assent and no more: ", don't you ?"."""
    rest = row[i + 1 : i + 3]
    return (
        i >= 2
        and row[i - 1].text in _AUXILIARIES
        and not row[i - 2].is_word
        and bool(rest)
        and rest[0].text in _LIGHT
        and not (len(rest) > 1 and rest[1].is_word)
    )


def _negates_insult(alignment: Alignment, i: int) -> bool:
    """``no shit``, ``not a stupid …``: the next word that carries meaning is rude, and is no swear verb."""
    source = alignment.source
    for at, token in enumerate(source[i + 1 : i + 6]):
        if token.text in _LIGHT and not token.toxic:
            continue
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
    kept = [k for k in range(start, end) if k in alignment.kept]
    if len(kept) > (end - start) // 4 or any(source[k].text not in _LIGHT for k in kept):
        return False
    return any(source[k].toxic for k in range(start, end))


def _may_come(alignment: Alignment, j: int, at: int) -> bool:
    """Whether the negation that came at `j` stands for a rude word, there or right behind it."""
    source = alignment.source
    following = alignment.rewrite[j + 1 : j + 5]
    if any(_blames(token.text) for token in following[:_NEAR]) or _denies_nobody(following):
        return False
    if _denies_what_stays(alignment, j) or any(token.text in _GOING for token in following[:1]):
        return False
    block = next(b for b in alignment.changed if b.to <= j < b.to_end)
    if any(_against(token) for token in alignment.went(block)):
        return True
    if _denies_praise(alignment, following) or _was_implied(alignment):
        return True
    for k in range(max(block.end, at), min(len(source), block.end + 5)):
        if k not in alignment.kept and (source[k].toxic or _stands_for(source[k].text)):
            return True
        if source[k].text not in _LIGHT and k in alignment.kept:
            return False
    return False


def _against(token: Token) -> bool:
    """Whether a negation may stand for the word: it is rude, or says *not* in its own way."""
    return token.toxic or token.text in _HATING or _stands_for(token.text)


def _blames(word: str) -> bool:
    """Whether *not* before the word says that somebody is better than was said."""
    return word in _BLAME or _turned(word) or (len(word) > 5 and word.endswith("less"))


def _denies_nobody(following: Sequence[Token]) -> bool:
    """``not a person who …``: there is nothing in it that an insult could have become."""
    said = [token.text for token in following if token.text not in ("a", "an", "the")]
    return len(said) > 1 and said[0] in _PEOPLE and said[1] in ("that", "which", "who", "whom", "whose")


def _denies_what_stays(alignment: Alignment, j: int) -> bool:
    """``not a king`` for ``a cruel king``: what went only told more of what is denied now."""
    following = alignment.rewrite[j + 1 : j + 3]
    return (
        len(following) == 2
        and following[0].text in ("a", "an", "the")
        and following[1].is_word
        and j + 2 in alignment.kept.values()
    )


def _denies_praise(alignment: Alignment, following: Sequence[Token]) -> bool:
    """``not good``, ``not very honest`` where something rude went: praise that was not there before."""
    said = {token.text for token in alignment.source}
    if not any((_PRAISE | _LIKING).intersection({token.text}) - said for token in following):
        return False
    return any(_against(token) and i not in alignment.kept for i, token in enumerate(alignment.source))


def _was_implied(alignment: Alignment) -> bool:
    """``only an idiot would`` is *would not*; ``fine my ass`` is *not fine*."""
    source = alignment.source
    gone = [i for i in _implied(source) if i not in alignment.kept]
    mocked = any(
        one.text == "my" and two.text == "ass" and i + 1 not in alignment.kept
        for i, (one, two) in enumerate(pairwise(source))
    )
    return bool(gone) or mocked
