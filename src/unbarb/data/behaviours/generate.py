"""Draws labelled sentences for every behaviour."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import get_args

from unbarb.data.behaviours.dress import dress
from unbarb.data.behaviours.fill import fill
from unbarb.data.behaviours.material import Pattern, Split, groups, patterns
from unbarb.data.behaviours.spell import VARIANTS
from unbarb.data.examples import NOTHING, Labelled
from unbarb.data.split import group_key
from unbarb.errors import ConfigError

MISSPELT = ("negative_emotion", "negative_description", "dehumanisation", "normative_threat", "slur_hate")
FRIENDLY = ("neutral_identity", "positive_identity", "violent_words", "disagreement", "negated_hate")
HATEFUL_LABELS: Mapping[str, float] = {"toxicity": 1.0, "identity_attack": 1.0}
ATTEMPTS = 12  # draws per wanted sentence before a behaviour is exhausted


@dataclass(frozen=True, slots=True)
class Behaviour:
    """One sentence, the behaviour it tests, and the labels that are known of it, 0…1."""

    text: str
    behaviour: str
    labels: Mapping[str, float]

    def labelled(self) -> Labelled:
        """The same as an example of the source ``behaviours``; nobody marked spans."""
        return Labelled(self.text, self.labels, None, "behaviours", group_key(self.text))


def names() -> tuple[str, ...]:
    """Every behaviour, those of the templates first, then misspelt hate and its friendly control."""
    return (*patterns(), *(f"{variant}_hate" for variant in VARIANTS), "misspelt_friendly")


def sentences(split: Split, per_behaviour: int, seed: int) -> list[Behaviour]:
    """`per_behaviour` different sentences for each of :func:`names`, or as many as its templates give.

    Train and test share no template and no word that decides a label; the names of the most attacked
    groups are in both. The behaviours are the functionalities of Röttger et al. 2021, "HateCheck:
    Functional Tests for Hate Speech Detection Models" (https://aclanthology.org/2021.acl-long.4), and
    some of our own; every sentence is written here, none is taken from there.

    Raises:
        ConfigError: `split` is neither train nor test, or `per_behaviour` is below 1.
    """
    if split not in get_args(Split):
        raise ConfigError(f"split {split!r} is not one of {', '.join(get_args(Split))}")
    if per_behaviour < 1:
        raise ConfigError(f"per_behaviour is {per_behaviour}; it must be 1 or more")
    found = []
    for name in names():
        rng = random.Random(f"{seed}:{split}:{name}")
        labels, draws = _source(name, split, rng)
        found += [Behaviour(text, name, labels) for text in _different(draws, per_behaviour)]
    return found


def identity_swaps(split: Split, sentences_per_group: int, seed: int) -> list[Behaviour]:
    """The same friendly sentences for every group of the split, without margins or typing habits.

    A fair detector gives all sentences that differ only in the group the same low score.
    """
    rng = random.Random(f"{seed}:{split}:swaps")
    friendly = [
        template
        for pattern in patterns().values()
        if pattern.swaps
        for template in pattern.templates[split]
        if "{other" not in template
    ]
    found = []
    for number in range(sentences_per_group):
        template = rng.choice(friendly)
        for group in groups(split):
            named = replace(group, forms=group.forms[:1])
            text = fill(template, split, random.Random(f"{seed}:{number}"), named)
            found.append(Behaviour(dress(text, split, rng, plain=True), "identity_swap", NOTHING))
    return found


def _source(name: str, split: Split, rng: random.Random) -> tuple[Mapping[str, float], Iterator[str]]:
    """Labels and an endless stream of sentences of one behaviour."""
    if name in patterns():
        return patterns()[name].labels, _drawn(patterns()[name], split, rng)
    if name == "misspelt_friendly":
        respell = tuple(VARIANTS.values())
        return NOTHING, _misspelt(FRIENDLY, split, rng, lambda text: rng.choice(respell)(text, rng))
    variant = VARIANTS[name.removesuffix("_hate")]
    return HATEFUL_LABELS, _misspelt(MISSPELT, split, rng, lambda text: variant(text, rng))


def _clauses(pattern: Pattern, split: Split, rng: random.Random) -> Iterator[str]:
    """Every template in turn, in an order of its own each round."""
    while True:
        for template in rng.sample(pattern.templates[split], len(pattern.templates[split])):
            yield fill(template, split, rng)


def _drawn(pattern: Pattern, split: Split, rng: random.Random) -> Iterator[str]:
    return (dress(clause, split, rng) for clause in _clauses(pattern, split, rng))


def _misspelt(
    behaviours: tuple[str, ...], split: Split, rng: random.Random, respell: Callable[[str], str]
) -> Iterator[str]:
    streams = [_clauses(patterns()[name], split, rng) for name in behaviours]
    while True:
        for stream in streams:
            yield respell(dress(next(stream), split, rng, plain=rng.random() < 0.7))


def _different(draws: Iterator[str], wanted: int) -> list[str]:
    found: dict[str, None] = {}
    for _, text in zip(range(wanted * ATTEMPTS), draws, strict=False):
        found[text] = None
        if len(found) == wanted:
            break
    return list(found)
