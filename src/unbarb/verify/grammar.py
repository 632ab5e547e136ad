"""Marks of a broken sentence that the source did not have. Cheap, and no judge of style."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from itertools import pairwise

from unbarb.verify.alignment import Alignment, Token, neighbours
from unbarb.verify.content import tells
from unbarb.verify.hanging import BLAME, ENDS, left_hanging
from unbarb.verify.vocabulary import word_set

_DETERMINERS = word_set("grammar.determiners")
_POSSESSIVES = word_set("grammar.possessives")
_HANGING = word_set("grammar.hanging")
_PRONOUNS = word_set("grammar.pronouns")
_SUBJECTS = _PRONOUNS | {"it"}
_BE = word_set("grammar.be")
_NOT_AFTER_ARTICLE = word_set("grammar.not_after_article")
_TWICE = word_set("grammar.twice")
_BEFORE = word_set("grammar.before")
_COMPLEMENTS = word_set("grammar.complements") | word_set("negation.blame")
_GROUPS = word_set("grammar.groups")
_JOINS = word_set("grammar.joins")
_AFTER_PRONOUN = word_set("grammar.after_pronoun")
_DISAGREE = word_set("grammar.disagree")
_PLURALS = word_set("grammar.plurals")
_ASKS = word_set("grammar.asks")
_BEFORE_NOT = word_set("grammar.before_not")
_SMALL = word_set("grammar.small")
_ADVERBS = word_set("grammar.adverbs")
_ONE, _MANY = frozenset(["this", "that"]), frozenset(["these", "those"])
_MODALS = word_set("grammar.modals")
_FINITE_BE = frozenset(["am", "are", "is", "was", "were"])
_DO = frozenset(["do", "does", "did"])
_ING_WORDS = word_set("grammar.ing_words")
_COORDINATES = frozenset(["and", "but", "or", "so"])
_ANY = frozenset(["anybody", "anyone", "everybody", "everyone"])
_MESS = frozenset(["mess", "messed", "messes", "messing"])
_UP = frozenset(["over", "up"])
_OBJECTS = word_set("grammar.objects") | _DETERMINERS | _POSSESSIVES
_ARTICLES = frozenset(["a", "an"])
_AFTER_NOUN = frozenset(["he", "i", "in", "of", "on", "she", "they", "we", "you"])
_PAIRED = {"either": "or", "neither": "nor"}
_SILENT = ("hour", "honest", "honor", "honour", "heir")
_LIKE_YOU = ("uni", "use", "usu", "euro", "one", "once", "uto", "ubiq", "eu", "u.")


def new_defects(alignment: Alignment) -> list[str]:
    """Defects of the rewrite beyond those of its kind that the source has."""
    before = Counter(_defects(alignment.source))
    found = [
        defect for defect, count in Counter(_defects(alignment.rewrite)).items() if count > before[defect]
    ]
    found += [*_missing_verb(alignment), *_changed_number(alignment)]
    found += left_hanging(alignment)
    return [f"grammar: {defect}" for defect in found] + _too_little(alignment)


def _defects(row: Sequence[Token]) -> Iterator[str]:
    before = ""
    for first, second in neighbours(row):
        yield from _pair(before, first, second)
        before = first
    for one, two in pairwise(row):
        if one.text == two.text and _is_slip(one, two):
            yield f"{two.text!r} twice"
    for one, two, three in zip(row, row[1:], row[2:], strict=False):
        if two.text in _PRONOUNS and three.text == "not" and one.text not in _BEFORE_NOT:
            yield f"no verb after {two.text!r}"
        if one.text in _DETERMINERS and two.text == "very" and not three.is_word:
            yield "nothing after 'very'"
        if two.text == "and" and one.text == three.text:
            yield f"'{one.text} and {three.text}'"
        if one.text in _ARTICLES and three.text in _PLURALS and two.is_word and two.text not in _SMALL:
            yield f"{one.text!r} before {three.text!r}"
        if one.text in _DO and two.text == "not" and _is_participle(three.text):
            yield f"{one.text!r} with {three.text!r}"
        if one.text in _BE and two.text in _SUBJECTS and three.text in _MODALS:
            yield f"{one.text!r} and {three.text!r} around {two.text!r}"
    yield from _half_messed(row)
    yield from _second_verb(row)
    yield from _said_again(row)
    said = {token.text for token in row}
    for first, second in _PAIRED.items():
        if first in said and second not in said:
            yield f"{first!r} without {second!r}"
    if sum(token.text == '"' for token in row) % 2:
        yield "a quotation mark without its other"
    yield from _missing_complement(row)
    tail = next((token.text for token in reversed(row) if token.is_word), "")
    if tail in _HANGING:
        yield f"{tail!r} at the end"
    if len(row) > 2 and row[-1].text in _SUBJECTS and row[-2].text in _JOINS:
        yield f"{row[-2].text!r} with nothing but {row[-1].text!r} at the end"
    if row and row[-1].text == ",":
        yield "a comma at the end"
    asks = any(token.text in _ASKS for token in row)
    if (tail in ("is", "are") and not asks) or (tail in ("was", "were") and len(row) < 4 and not asks):
        yield f"nothing after {tail!r}"


def _is_slip(first: Token, second: Token) -> bool:
    """Whether a word stands twice by mistake; "ya you" and "very very" do not."""
    return first.is_word and first.text not in _TWICE and first.written.lower() == second.written.lower()


def _pair(before: str, first: str, second: str) -> Iterator[str]:
    """What is wrong with two tokens in a row behind `before`; an empty one is either end of the text."""
    ends = second in ENDS or second == ","
    if first in _DETERMINERS | _POSSESSIVES and ends:
        yield f"nothing after {first!r}"
    elif (first in _DETERMINERS and second in _NOT_AFTER_ARTICLE) or (
        first in _POSSESSIVES and second in _BE | _DETERMINERS | {"and", "or", "of", "but"}
    ):
        yield f"{first!r} before {second!r}"
    if _lacks_noun(before, first) and second in ENDS | _AFTER_NOUN:
        yield f"no noun after {before!r} and {first!r}"
    if first in _PRONOUNS and _lacks_verb(before, first, second):
        yield f"no verb after {first!r}"
    supposed = before == "if" and second == "were"
    if f"{first}-{second}" in _DISAGREE and before not in _BEFORE and not supposed:
        yield f"{first!r} with {second!r}"
    if first in _ARTICLES and second in _PLURALS:
        yield f"{first!r} before {second!r}"
    plain = second[:1].isalpha() and second.isascii() and len(second) > 2
    if first in _ARTICLES and plain and (first == "an") != _wants_an(second):
        yield f"{first!r} before {second!r}"
    if first in _ARTICLES and second.startswith("@"):
        yield f"{first!r} before {second!r}"
    if not before and first == "are" and second in _ONE:
        yield f"{first!r} with {second!r}"
    if first in _FINITE_BE and second in _FINITE_BE:
        yield f"{first!r} before {second!r}"
    if first == "(" and second == ")":
        yield "empty brackets"
    if first == "such" and ends and before != "as":
        yield "nothing after 'such'"
    if first == "only" and second in _ANY and before != "if":
        yield f"{first!r} before {second!r}"


def _lacks_noun(article: str, second: str) -> bool:
    """Whether an article and a word that blames cannot end a phrase: "a useful", "the bad"."""
    if article == "the":
        return second in BLAME - _GROUPS
    return article in _ARTICLES and (second in BLAME or second.endswith(("ful", "less", "ous")))


def _lacks_verb(before: str, pronoun: str, second: str) -> bool:
    """Whether a pronoun that is a subject, by what stands before it, has no verb behind it."""
    if before in _BEFORE_NOT:
        return False
    if pronoun in ("you", "i"):
        return second in _DETERMINERS
    return second in _AFTER_PRONOUN


def _missing_complement(row: Sequence[Token]) -> Iterator[str]:
    """A form of *be* with nothing behind it to say how or what: "they are .", "are you that you"."""
    texts = ["", *(token.text for token in row), ".", "."]
    for at, be in enumerate(texts):
        if be not in _BE:
            continue
        bare = texts[at - 1] in _SUBJECTS and texts[at - 2] in ENDS
        end = at + 1
        while texts[end] in _ADVERBS:
            end += 1
        after = texts[end]
        ends = after in ENDS or after == "," or after.startswith("@")
        if ends and (end > at + 1 or bare or (after[0] == "@" and texts[at - 1] == "you")):
            yield f"nothing after {texts[end - 1]!r}"
        elif after in _PRONOUNS and texts[end + 1] == "that" and texts[end + 2] in _PRONOUNS | _MODALS:
            yield "nothing after 'that'"


def _half_messed(row: Sequence[Token]) -> Iterator[str]:
    """*Mess* with an object, and no *up* or *over* behind it: "he messed those people"."""
    texts = [token.text for token in row]
    for at, (verb, after) in enumerate(pairwise(texts)):
        if verb not in _MESS or after not in _OBJECTS or _UP.intersection(texts[at + 2 : at + 6]):
            continue
        if not (_DETERMINERS | _POSSESSIVES).intersection(texts[max(0, at - 2) : at]):
            yield f"{verb!r} before {after!r}"


def _said_again(row: Sequence[Token]) -> Iterator[str]:
    """Two different words that stand there twice in a row: "you don't don't"."""
    pairs = list(pairwise(token.text for token in row))
    for (one, two), again in zip(pairs, pairs[2:], strict=False):
        if one != two and (one, two) == again and (one + two).isalpha():
            yield f"'{one} {two}' twice"


def _second_verb(row: Sequence[Token]) -> Iterator[str]:
    """Two sentences in one: "you are your plan is bad"."""
    texts = ["", *(token.text for token in row)]
    for at in range(len(texts) - 5):
        before, subject, verb, of, _, second = texts[at : at + 6]
        begins = (not before[:1].isalnum() or before in _COORDINATES) and subject in _SUBJECTS
        twice = verb in _FINITE_BE and second in _FINITE_BE
        if begins and twice and of in _DETERMINERS | _POSSESSIVES:
            yield f"{verb!r} before {of!r} and {second!r}"


def _wants_an(word: str) -> bool:
    if word.startswith(_SILENT):
        return True
    if word.startswith(("unin", "unim", "unid")):
        return True
    return word[0] in "aeiou" and not word.startswith(_LIKE_YOU)


def _missing_verb(alignment: Alignment) -> list[str]:
    """A form of *be* that went by itself from between two words that stayed, or for what needs one."""
    for block in alignment.changed:
        went, came = alignment.went(block), alignment.came(block)
        bare = went and came and went[0].text in _BE and _is_complement(came[0].text) and not _has_be(came)
        before = block.start - 1
        if bare and before in alignment.kept and _is_subject(alignment, before):
            return [f"the verb {went[0].written!r} is gone"]
        said = [token for token in went if not token.toxic and token.text not in _DETERMINERS]
        around = (block.start - 1, block.end)
        if came or len(said) != 1 or not all(i in alignment.kept for i in around):
            continue
        (gone,) = said
        subject, rest = (alignment.source[i] for i in around)
        if gone.text not in _BE or rest.text in _BE or gone.written == "r":
            continue
        if not subject.is_word or not rest.is_word:
            continue
        near = alignment.rewrite[max(0, block.to - 3) : block.to + 2]
        if _is_subject(alignment, block.start - 1) and not _has_be(near):
            return [f"the verb {gone.written!r} is gone"]
    return []


def _is_complement(word: str) -> bool:
    """Whether a word can stand behind *be* and hardly by itself behind a subject."""
    return word in _COMPLEMENTS or (len(word) > 5 and word.endswith(("less", "ful", "ous", "able", "ible")))


def _is_subject(alignment: Alignment, index: int) -> bool:
    """Whether the kept word at `index` of the source has no other verb in front of it in the rewrite."""
    to = alignment.kept[index]
    ahead = alignment.rewrite[to - 1].text if to else ""
    return alignment.source[index].text not in _BEFORE_NOT and ahead not in _BEFORE_NOT


def _changed_number(alignment: Alignment) -> list[str]:
    """One of *this* and *these* that became the other before the word that it stood before."""
    for block in alignment.changed:
        went, came = alignment.went(block), alignment.came(block)
        if not went or len(came) != 1 or block.end not in alignment.kept:
            continue
        first, second = went[0].text, came[0].text
        turned = (first in _ONE and second in _MANY) or (first in _MANY and second in _ONE)
        if turned and all(token.toxic for token in went[1:]):
            return [f"{second!r} with {alignment.source[block.end].text!r}"]
    return []


def _is_participle(word: str) -> bool:
    return word.endswith("ing") and len(word) > 4 and word not in _ING_WORDS


def _has_be(row: Sequence[Token]) -> bool:
    return any(token.text in _BE for token in row)


def _too_little(alignment: Alignment) -> list[str]:
    """One word, or none, where there were more that are not rude."""
    words = sum(token.is_word for token in alignment.rewrite)
    had = sum(token.is_word for token in alignment.source)
    others = sum(tells(token) and not token.toxic for token in alignment.source)
    if (words < 2 and had > 4 and others > 1) or not words:
        return [f"grammar: {words} of {had} words are left"]
    return []
