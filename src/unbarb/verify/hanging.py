"""Words left without what they had to stand beside: "wallow in .", "he is so that", "go yourself"."""

from __future__ import annotations

from collections.abc import Iterator

from unbarb.verify.alignment import Alignment, Token
from unbarb.verify.vocabulary import word_set

_ARTICLES = frozenset(["a", "an"])
ENDS = frozenset(["", ".", "!", "?", ";", ":", ")", "…"])
"""Marks at which a sentence or a bracket ends, and the empty token behind the last one."""
BLAME = word_set("negation.blame") - word_set("grammar.nouns_too")
"""Words that blame and are no nouns."""
_BE = word_set("grammar.be")
_IS = _BE | {"'s"}
_BEFORE_OF = word_set("grammar.before_of")
_GOVERNS = word_set("grammar.governs")
_JOINS = word_set("grammar.joins")
_BEGINS_OBJECT = (
    word_set("grammar.determiners") | word_set("grammar.possessives")
    | {"some", "such", "that", "these", "this", "those"}
)  # fmt: skip
_OBJECTS = word_set("grammar.objects") | _BEGINS_OBJECT
_DEGREES = frozenset(["as", "so", "that", "too", "very"])
_GOES_ON = (word_set("content.links") | word_set("grammar.pronouns")) - _BE
_ADDS = frozenset(["and", "but", "or", "that", "which", "who"])
_ALONE = frozenset(["away", "go", "leave"])
_SWEAR_VERBS = frozenset(["fuck", "screw", "shit"])


def left_hanging(alignment: Alignment) -> Iterator[str]:
    """What is wrong around the words that went."""
    yield from _left_open(alignment)
    source = [token.text for token in alignment.source]
    for block in alignment.changed:
        went, came = alignment.went(block), alignment.came(block)
        if not went:
            continue
        before = source[block.start - 1] if block.start else ""
        after = source[block.end] if block.end < len(source) else ""
        sworn = went[-1].text in _SWEAR_VERBS and after.endswith(("self", "selves"))
        if sworn and (not came or came[-1].text in _ALONE):
            yield f"no verb before {after!r}"
        if came:
            yield from _beside_what_came(before, went, came, after)
            continue
        if went[0].text in _BEGINS_OBJECT and _needs_object(before, went, after):
            yield f"nothing after {before!r}"
        if before in _BE and _ends_in_clause(went) and after not in ENDS:
            yield f"{before!r} with the rest of a clause"
        graded = before in _DEGREES and block.start > 1 and source[block.start - 2] in _IS
        if graded and after in _GOES_ON and any(token.toxic for token in went):
            yield f"nothing between {before!r} and {after!r}"
        if after == "of" and _BEGINS_OBJECT & {token.text for token in went}:
            yield "nothing before 'of'"


def _left_open(alignment: Alignment) -> Iterator[str]:
    """A word that says little without what stood behind it and went: "full of …", "what a …"."""
    source, rewrite = (
        [*(token.text for token in row), ""] for row in (alignment.source, alignment.rewrite)
    )
    for at, to in alignment.kept.items():
        word, followed, follows = source[at], source[at + 1], rewrite[to + 1]
        of = word in _BEFORE_OF and followed == "of" != follows
        if of or (word == "what" and followed in _ARTICLES and follows not in _ARTICLES):
            yield f"nothing of {word!r}"


def _needs_object(before: str, went: tuple[Token, ...], after: str) -> bool:
    """Whether the object that went, and nothing else, was what `before` went on with."""
    ends = after in ENDS or after == ","
    if before in _GOVERNS and ends:
        return True
    joined = went[-1].text in _ADDS and not ends and after not in _BEGINS_OBJECT
    return before in _BE and (joined or after in _JOINS)


def _ends_in_clause(went: tuple[Token, ...]) -> bool:
    """Whether what went had a *who* in it and a word behind that: its end stayed without it."""
    return "who" in [token.text for token in went[1:-1]]


def _beside_what_came(
    before: str, went: tuple[Token, ...], came: tuple[Token, ...], after: str
) -> Iterator[str]:
    """A *not* that denies nothing, a *to* whose verb became an object, an adjective before *who*."""
    denied = came[0].text == "not" and went[0].text in _BEGINS_OBJECT
    if after == "who" and (denied or came[-1].text in BLAME):
        yield f"no noun between {came[-1].text!r} and 'who'"
    if came[-1].text == "not" and after in ("of", "to") and any(token.toxic for token in went):
        yield f"nothing between 'not' and {after!r}"
    verb = went[0].toxic and went[-1].text not in _OBJECTS and came[0].text in _OBJECTS
    if before == "to" and verb:
        yield "no verb after 'to'"
