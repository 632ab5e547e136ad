"""Fills a template: groups, slot words and whole sentences of other behaviours."""

from __future__ import annotations

import random
import re

from unbarb.data.behaviours.material import Group, Split, claims, groups, patterns, words

SLOT = re.compile(r"\{(=?[a-z_]+)\}")
ARTICLE = re.compile(r"\b([Aa]) (?=[aeioAEIO]|u(?!ni|se|kr))")
PHRASAL = re.compile(r"\b(beat|hunt|knock|run) (up|down|out|over) (you|him|her|them|me)\b")
# "so a disgrace", "the the lowest", "like not human": words that do not fit their template are drawn again.
BROKEN = re.compile(
    r"\b(?:so|most|more|as|how|very|the|another|a|an|these|those|you|your)"
    r" (?:a|an|the|just plain|so incredibly)\b"
    r"|\b(?:like|way|the|this) (?:barely|subhuman|not|less than|no better|something)\b"
    r"|\b(?:a|an) (?:full of|too)\b|\bthis [a-z]+s\.?$",
    re.IGNORECASE,
)
QUOTABLE = (
    "negative_emotion",
    "negative_description",
    "dehumanisation",
    "implied_derogation",
    "normative_threat",
    "group_threat",
    "negated_worth",
    "profane_hate",
)
TRIES = 40


def _quotable(split: Split) -> tuple[str, ...]:
    """What may stand between quotation marks."""
    return (*claims(split), *(each for name in QUOTABLE for each in patterns()[name].templates[split]))


def fill(template: str, split: Split, rng: random.Random, group: Group | None = None) -> str:
    """`template` with every slot filled from `split`, as one plain clause without a full stop.

    ``{many}``, ``{one}`` and ``{adj}`` name the same group (`group`, or one drawn), ``{other}`` and
    ``{other_one}`` another; ``{=claim}`` is a hateful clause, ``{=any}`` that or a sentence of
    :data:`QUOTABLE`. Other slots are words; the same slot twice gives two different words where there
    are two.
    """
    for _ in range(TRIES):
        text = _fill(template, split, rng, group or rng.choice(groups(split)))
        if not BROKEN.search(text):
            break
    return ARTICLE.sub(r"\1n ", PHRASAL.sub(r"\1 \3 \2", text))


def _fill(template: str, split: Split, rng: random.Random, group: Group) -> str:
    # A source of its own: what is drawn for the groups must not change the words drawn after them.
    naming = random.Random(rng.getrandbits(32))
    other = naming.choice([each for each in groups(split) if each is not group])
    many, one = naming.choice(group.forms)
    other_many, other_one = naming.choice(other.forms)
    named = {"many": many, "one": one, "adj": group.adjective, "other": other_many, "other_one": other_one}
    used: set[str] = set()

    def value(match: re.Match[str]) -> str:
        slot = match[1]
        if slot in named:
            return named[slot]
        if slot.startswith("="):
            inner = rng.choice(claims(split) if slot == "=claim" else _quotable(split))
            return _fill(inner, split, rng, group).rstrip("?")
        choices = words(split)[slot]
        word = rng.choice([word for word in choices if word not in used] or choices)
        used.add(word)
        return word

    return SLOT.sub(value, template)
