"""Who did what to whom: persons must stay who they are, and what stayed must stay in its order."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from unbarb.verify.alignment import Alignment, Block, Token
from unbarb.verify.vocabulary import word_set

_PERSONS = {
    "I": "i me my mine myself",
    "we": "we us our ours ourselves",
    "you": "you your yours yourself yourselves",
    "he": "he him his himself",
    "she": "she her hers herself",
    "they": "they them their theirs themselves",
}
PERSON = {word: person for person, line in _PERSONS.items() for word in line.split()}
"""The person that a pronoun stands for."""

_PLAIN = word_set("roles.plain")
_SPOKEN_OF = frozenset(["a", "an", "any", "some", "that", "the", "these", "this", "those"])
_ONE_PERSON = ({"I", "we"}, {"he", "they"}, {"she", "they"}, {"he", "she"})
"""Pairs that people swap freely: *we* for *I*, *they* for somebody whose sex is not told."""


def changed_roles(alignment: Alignment) -> list[str]:
    """Persons that became others, and kept words that changed places around a third."""
    return [*_swapped_persons(alignment), *_addressed(alignment), *_moved(alignment)]


def _persons(row: Sequence[Token]) -> list[str]:
    return [PERSON[token.text] for token in row if token.text in PERSON]


def _swapped_persons(alignment: Alignment) -> list[str]:
    """Blocks where one person stands for another; all blocks when both texts hold the same persons."""
    found = []
    came_to: Counter[tuple[str, str]] = Counter()
    for block in alignment.changed:
        pair = _leading(alignment, block) or _closing(alignment, block) or _alone(alignment, block)
        if pair and set(pair) not in _ONE_PERSON:
            came_to[pair] += 1
    for (first, second), _ in came_to.items():
        found.append(f"roles: {first!r} became {second!r}")
    return found


def _addressed(alignment: Alignment) -> list[str]:
    """*You* in the very place of somebody who is spoken of: "next to an idiot" is not "next to you"."""
    for block in alignment.changed:
        went, came = alignment.went(block), alignment.came(block)
        told = any(token.text in _SPOKEN_OF for token in went[-3:-1]) and "you" not in _persons(went)
        if told and [token.text for token in came] == ["you"]:
            return [f"roles: 'you' came in place of {went[-1].written!r}"]
    return []


def _leading(alignment: Alignment, block: Block) -> tuple[str, str] | None:
    """The persons that a block begins with on both sides, where they differ."""
    went, came = alignment.went(block), alignment.came(block)
    if not went or not came or went[0].text not in PERSON or came[0].text not in PERSON:
        return None
    first, second = PERSON[went[0].text], PERSON[came[0].text]
    return None if first == second or second in _persons(went) else (first, second)


def _closing(alignment: Alignment, block: Block) -> tuple[str, str] | None:
    """The persons that a block ends with on both sides, where they differ: "the shit he | stole"."""
    went, came = alignment.went(block), alignment.came(block)
    if not went or not came or went[-1].text not in PERSON or came[-1].text not in PERSON:
        return None
    first, second = PERSON[went[-1].text], PERSON[came[-1].text]
    return None if first == second or second in _persons(went) else (first, second)


def _alone(alignment: Alignment, block: Block) -> tuple[str, str] | None:
    """The same where they stand anywhere in a block too small for them not to stand for one another."""
    went, came = alignment.went(block), alignment.came(block)
    if len(went) > 3 or len(came) > 3 or any(token.toxic for token in went):
        return None
    before, after = _persons(went), _persons(came)
    if not before or not after or set(before) & set(after):
        return None
    return before[0], after[0]


def _moved(alignment: Alignment) -> list[str]:
    """Two words that stand once in both texts, in the other order, around a word between them in both."""
    before, after = _places(alignment.source), _places(alignment.rewrite)
    left = [word for word in before if word in after]
    ranks = [after[word] for word in left]
    anchors = {alignment.source[i].text for i in alignment.kept}
    for i, first in enumerate(left):
        for j in range(i + 2, min(i + 6, len(left))):
            second = left[j]
            if ranks[i] <= ranks[j] or (first in anchors and second in anchors):
                continue
            between = [left[k] for k in range(i + 1, j) if ranks[j] < ranks[k] < ranks[i]]
            if between and ranks[i] - ranks[j] <= 6:
                return [f"roles: {first!r} and {second!r} changed places"]
    return []


def _places(row: Sequence[Token]) -> dict[str, int]:
    """Where each word that carries meaning, or each person, stands, if it stands once."""
    places: dict[str, int] = {}
    often: Counter[str] = Counter()
    for index, token in enumerate(row):
        word = PERSON.get(token.text, token.text)
        if not token.is_word or token.text in _PLAIN:
            continue
        often[word] += 1
        places[word] = index
    return {word: index for word, index in places.items() if often[word] == 1}
