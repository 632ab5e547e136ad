"""Draws pairs of a rude sentence and neutral ones from written templates."""

from __future__ import annotations

import random
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Any

import yaml

from unbarb.data.behaviours.dress import capital
from unbarb.data.behaviours.material import Split
from unbarb.data.examples import Pair
from unbarb.data.split import group_key
from unbarb.errors import ConfigError

SOURCE = "written"
TEMPLATE_FILES = ("pairs.yaml", "things.yaml")
ATTEMPTS = 12  # draws per wanted pair before a kind is exhausted
LOWER = 0.25  # share of the pairs without capitals
_SLOT = re.compile(r"\{([a-z_]+)\}")
_WITH_ARTICLE = {"fool": "person_fool", "jerk": "person_jerk", "a_dumb": "dumb"}
_VOWEL = re.compile(r"[aeio]|u(?!s|ni|gl)|ugl")
_CLOSES = (".",) * 10 + ("",) * 6 + ("!",) * 4 + ("!!", "...")


@dataclass(frozen=True, slots=True)
class Template:
    """A rude sentence with slots, and neutral sentences with the same ones, the nearest first."""

    rude: str
    neutrals: tuple[str, ...]

    @classmethod
    def parse(cls, line: str) -> Template:
        rude, neutral = line.split(" => ")
        return cls(rude.strip(), tuple(one.strip() for one in neutral.split("|")))


def kinds() -> tuple[str, ...]:
    """The kinds of rude sentences, in the order of the files."""
    return tuple(templates())


def written_pairs(split: Split, per_kind: int, seed: int) -> list[Pair]:
    """`per_kind` different pairs of each of :func:`kinds`, or as many as its templates give.

    Train and test share no template, and of rude words only those that stand in templates.

    Raises:
        ConfigError: `per_kind` is below 1.
    """
    if per_kind < 1:
        raise ConfigError(f"per_kind is {per_kind}; it must be 1 or more")
    found = []
    for kind, of_split in templates().items():
        rng = random.Random(f"{seed}:{split}:{kind}")
        found += _different(_drawn(of_split[split], split, rng), per_kind)
    return found


def _drawn(templates: tuple[Template, ...], split: Split, rng: random.Random) -> Iterator[Pair]:
    """Every template in turn, in an order of its own each round."""
    while True:
        for template in rng.sample(templates, len(templates)):
            yield _filled(template, split, rng)


def _filled(template: Template, split: Split, rng: random.Random) -> Pair:
    """`template` with the same words in both its sides, and both written in the same way."""
    word_of = {slot: _word(slot, split, rng) for slot in _SLOT.findall(template.rude)}
    close = rng.choice(_CLOSES)
    case = str.lower if rng.random() < LOWER else capital

    def written(side: str) -> str:
        text = _SLOT.sub(lambda slot: word_of[slot[1]], side)
        return case(text if text.endswith(("?", "!")) else text + close)

    rude = written(template.rude)
    return Pair(rude, tuple(map(written, template.neutrals)), SOURCE, group_key(rude))


def _word(slot: str, split: Split, rng: random.Random) -> str:
    word = rng.choice(words(split)[_WITH_ARTICLE.get(slot, slot)])
    if slot in _WITH_ARTICLE:
        return f"{'an' if _VOWEL.match(word) else 'a'} {word}"
    return word


def _different(draws: Iterator[Pair], wanted: int) -> list[Pair]:
    found: dict[str, Pair] = {}
    for _, pair in zip(range(wanted * ATTEMPTS), draws, strict=False):
        found.setdefault(pair.toxic, pair)
        if len(found) == wanted:
            break
    return list(found.values())


@cache
def templates() -> Mapping[str, Mapping[str, tuple[Template, ...]]]:
    """All templates, by kind and split."""
    return {
        kind: {split: tuple(map(Template.parse, entry[split].splitlines())) for split in ("train", "test")}
        for file in TEMPLATE_FILES
        for kind, entry in _load(file).items()
    }


@cache
def words(split: Split) -> Mapping[str, tuple[str, ...]]:
    """What may fill a slot, by slot."""
    return {
        slot: tuple(word.strip() for word in (entry.get(split) or entry["both"]).split("|"))
        for slot, entry in _load("words.yaml").items()
    }


@cache
def _load(name: str) -> Mapping[str, Any]:
    content = files("unbarb.data.rewrites").joinpath(name).read_text(encoding="utf-8")
    loaded: dict[str, Any] = yaml.safe_load(content)
    return loaded
