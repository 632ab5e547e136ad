"""More training rows from those there are: disguised spellings, other groups named, rare labels added.

Every row that is made says so: ``meta.augmented`` names the way, ``meta.of`` the row it was made from. Test
and development rows are never augmented.
"""

from __future__ import annotations

import random
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from typing import Self

from unbarb.data.behaviours.material import groups
from unbarb.data.behaviours.spell import VARIANTS
from unbarb.data.prepared import KINDS, Kind, Row
from unbarb.errors import ConfigError
from unbarb.text import LABELS

MINORITY = "minority:"
ORDINARY = frozenset({"black", "deaf", "blind", "disabled", "old"})
WORD = re.compile(r"[^\W\d_]{3,}")

Way = Callable[[Row, Kind, random.Random], dict[str, str] | None]
"""The texts of a row that change, or None where there is nothing to change."""


@dataclass(frozen=True, slots=True)
class Augmentation:
    """One way of making rows, and the share, above 0 and up to 1, of the rows it could change."""

    name: str
    share: float

    @classmethod
    def parse(cls, given: str) -> Self:
        """Read ``NAME=SHARE``, as ``leet=0.1``.

        Raises:
            ConfigError: there is no such way, or the share is not above 0 and at most 1.
        """
        name, _, amount = given.partition("=")
        label = name.removeprefix(MINORITY)
        if name not in WAYS and not (name.startswith(MINORITY) and label in LABELS):
            known = ", ".join((*WAYS, f"{MINORITY}LABEL"))
            raise ConfigError(f"--augment {given}: no way {name!r}; there are {known}")
        try:
            share = float(amount)
        except ValueError:
            share = 0.0
        if not 0 < share <= 1:
            raise ConfigError(f"--augment {given}: give a share above 0 and at most 1, as in {name}=0.1")
        return cls(name, share)

    @property
    def label(self) -> str | None:
        """The label whose rows are added from annotated spans, None for ways that change a row."""
        return self.name.removeprefix(MINORITY) if self.name.startswith(MINORITY) else None

    def rows(self, row: Row, kind: Kind, seed: int) -> Iterator[Row]:
        """The row made from `row`, or none; depends on the row's id and the seed, not on other rows."""
        rng = random.Random(f"{seed}:{self.name}:{row['id']}")
        if self.label is None and rng.random() < self.share:
            changed = WAYS[self.name](row, kind, rng)
            if changed is not None and any(row[part] != text for part, text in changed.items()):
                meta = {**row.get("meta", {}), "augmented": self.name, "of": row["id"]}
                yield {**row, **changed, "id": f"{row['id']}-{self.name}", "meta": meta}


def stars(word: str, rng: random.Random) -> str:
    """A word with stars or other marks for its inner letters, one of them or all."""
    mark = rng.choice("***#@-")
    if rng.random() < 0.5:
        at = rng.randrange(1, len(word) - 1)
        return word[:at] + mark + word[at + 1 :]
    return word[0] + mark * (len(word) - 2) + word[-1]


def masked(row: Row, kind: Kind, rng: random.Random) -> dict[str, str] | None:
    """One or two words of the source are starred: of a pair those that its target does without."""
    part = KINDS[kind][0]
    text = row[part]
    kept = set(WORD.findall(row["target"].lower())) if kind == "pairs" else set()
    words = [word for word in WORD.finditer(text) if word[0].lower() not in kept]
    for word in sorted(rng.sample(words, min(2, len(words))), key=lambda found: -found.start()):
        text = text[: word.start()] + stars(word[0], rng) + text[word.end() :]
    return {part: text}


def swapped_groups(row: Row, kind: Kind, rng: random.Random) -> dict[str, str] | None:
    """Every group that is named becomes another, the same one in all texts of the row.

    Names are those of the behaviours' training groups; adjectives, plurals and singulars are swapped with
    their like. A word that mostly means something else (`ORDINARY`) is left alone.
    """
    pattern, slot_of, names = _identities()
    if not pattern.search(row[KINDS[kind][0]]):
        return None
    other: dict[int, int] = {}

    def swap(found: re.Match[str]) -> str:
        article, called = found[1] or "", found[2]
        group, slot = slot_of[called.lower()]
        if group not in other:
            other[group] = rng.choice([at for at in range(len(names)) if at != group])
        name = names[other[group]][slot]
        if article:
            return f"{article[0]}{'n' if name[0].lower() in 'aeio' else ''} {name}"
        return name[:1].upper() + name[1:] if called[0].isupper() else name

    return {part: pattern.sub(swap, row[part]) for part in KINDS[kind]}


@cache
def _identities() -> tuple[re.Pattern[str], Mapping[str, tuple[int, int]], list[tuple[str, str, str]]]:
    """A pattern of every name, its group and slot, and for each group adjective, plural and singular."""
    names = []
    slot_of: dict[str, tuple[int, int]] = {}
    for at, group in enumerate(groups("train")):
        many, one = group.forms[0]
        names.append((group.adjective, many, _bare(one)))
        for plural, singular in group.forms:
            slot_of.setdefault(plural.lower(), (at, 1))
            slot_of.setdefault(_bare(singular).lower(), (at, 2))
        slot_of[group.adjective.lower()] = (at, 0)
    longest = sorted(slot_of.keys() - ORDINARY, key=lambda name: (-len(name), name))
    named = "|".join(map(re.escape, longest))
    return re.compile(rf"\b(an? )?({named})\b", re.IGNORECASE), slot_of, names


def _bare(singular: str) -> str:
    return re.sub(r"^(?:an?|the) ", "", singular)


def _spelt(name: str) -> Way:
    def way(row: Row, kind: Kind, rng: random.Random) -> dict[str, str]:
        part = KINDS[kind][0]
        return {part: VARIANTS[name](row[part], rng)}

    return way


WAYS: Mapping[str, Way] = {name: _spelt(name) for name in VARIANTS} | {
    "stars": masked,
    "identity": swapped_groups,
}
"""Ways of changing a row, by name. Spellings and stars change the source; its labels and target stay."""
