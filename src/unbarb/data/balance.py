"""Balances labelled rows to a class plan: so many of each label, each text once."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from difflib import get_close_matches
from functools import cache
from importlib.resources import files
from math import ceil
from pathlib import Path
from typing import Any, Literal, Self

import yaml

from unbarb.data.prepared import SPLITS
from unbarb.errors import ConfigError
from unbarb.text import LABELS

NONE = "none"
"""The class of a text without any label."""

HELD = 0.5
"""A text has a label from this share on."""

Short = Literal["scale", "take"]
Classes = frozenset[str]


@dataclass(frozen=True, slots=True)
class Plan:
    """How many texts of each class a split holds; a split that is not named is left as it is.

    Where texts are short, ``scale`` shrinks the split's whole plan and keeps its proportions, ``take``
    takes what is there of each class.
    """

    name: str
    splits: Mapping[str, Mapping[str, int]]
    about: str = ""
    short: Short = "scale"

    @classmethod
    def of(cls, name: str, content: object) -> Self:
        """Read a plan as it stands in YAML: ``train``, ``dev``, ``test``, ``about``, ``short``.

        Raises:
            ConfigError: everything that is wrong with it.
        """
        if not isinstance(content, dict):
            raise ConfigError(f"plan {name}: write it as train: {{threat: 400, none: 1500}}")
        problems = [
            f"unknown key {key!r}{_near(str(key), (*SPLITS, 'about', 'short'))}"
            for key in content
            if key not in (*SPLITS, "about", "short")
        ]
        splits = {split: content[split] for split in SPLITS if split in content}
        if not splits:
            problems.append(f"no counts; name at least one of {', '.join(SPLITS)}")
        for split, counts in splits.items():
            if not isinstance(counts, dict) or not counts:
                problems.append(f"{split}: needed are counts by label, not {counts!r}")
                continue
            problems += [
                f"{split}: {label!r} is {count!r}; a whole number above 0 is needed"
                for label, count in counts.items()
                if isinstance(count, bool) or not isinstance(count, int) or count < 1
            ]
        short = content.get("short", "scale")
        if short not in ("scale", "take"):
            problems.append(f"short is {short!r}; it may be scale or take")
        if problems:
            raise ConfigError(f"plan {name}: " + "; ".join(problems))
        return cls(name, splits, str(content.get("about", "")), short)

    def to_dict(self) -> dict[str, Any]:
        """Plain JSON types, for the manifest."""
        return asdict(self)


@dataclass(frozen=True, slots=True)
class Balanced:
    """What a plan took of a split: `taken` of the `there` texts per class, at `scale` of the plan.

    `there` counts a text for every class it has, `taken` for the one that it was taken for, and `labels`
    counts, among those taken, every label they have.
    """

    scale: float
    wanted: Mapping[str, int]
    there: Mapping[str, int]
    taken: Mapping[str, int]
    labels: Mapping[str, int]
    chosen: Sequence[int] = field(repr=False)

    def to_dict(self) -> dict[str, Any]:
        """Plain JSON types, without the indices."""
        return {name: value for name, value in asdict(self).items() if name != "chosen"}


def load_plan(given: str) -> Plan:
    """A plan by its name among the presets, or from a YAML file.

    Raises:
        ConfigError: there is neither, or the plan is not valid.
    """
    if given in presets():
        return presets()[given]
    path = Path(given)
    if not path.is_file():
        near = _near(given, presets())
        raise ConfigError(f"no plan {given!r}{near}; there are {', '.join(presets())}, or name a YAML file")
    try:
        content = yaml.safe_load(path.read_text("utf-8"))
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        raise ConfigError(f"{path}: not YAML: {error}") from error
    return Plan.of(given, content)


@cache
def presets() -> Mapping[str, Plan]:
    """The plans that the package carries."""
    content = yaml.safe_load(files("unbarb.data").joinpath("plans.yaml").read_text("utf-8"))
    return {name: Plan.of(name, plan) for name, plan in content.items()}


def classes_of(labels: Mapping[str, float]) -> Classes:
    """The labels that a row has, or `NONE` alone.

    A row that says nothing about toxicity may be toxic, so that without any label it is of no class, unless
    all its labels are of the user's own.
    """
    held = frozenset(label for label, share in labels.items() if share >= HELD)
    clean = "toxicity" in labels or not set(LABELS) & set(labels)
    return held or (frozenset({NONE}) if clean else held)


def balance(rows: Sequence[Classes], plan: Plan, split: str, seed: int) -> Balanced:
    """Choose rows of one split by their classes; indices in `chosen` are sorted.

    The class with the fewest texts chooses first, and takes texts with few other labels first, so that a
    text which could stand for a rare class is not used up by a frequent one. Which of like texts are taken
    depends on the seed and their place alone.

    Raises:
        ConfigError: the plan names a class that no row has.
    """
    wanted = plan.splits[split]
    there = {label: sum(label in row for row in rows) for label in wanted}
    if absent := [label for label, count in there.items() if not count]:
        known = Counter(label for row in rows for label in row)
        told = ", ".join(f"{label} {count:,}" for label, count in known.most_common()) or "no rows"
        raise ConfigError(
            f"plan {plan.name}, {split}: no text of class {', '.join(absent)} is there ({told});"
            f" take more data, a larger share for {split}, or another plan"
        )
    kinds = Counter(rows)
    scale = 1.0 if plan.short == "take" else _scale(kinds, wanted, there)
    taken = _taken(kinds, _scaled(wanted, scale), there)
    chosen = _drawn(rows, taken, seed)
    labels = Counter(label for index in chosen for label in rows[index])
    sums = {label: sum(taken[label].values()) for label in wanted}
    return Balanced(round(scale, 4), wanted, there, sums, dict(labels.most_common()), chosen)


def _scaled(wanted: Mapping[str, int], scale: float) -> dict[str, int]:
    return {label: ceil(count * scale - 1e-9) for label, count in wanted.items()}


def _scale(kinds: Mapping[Classes, int], wanted: Mapping[str, int], there: Mapping[str, int]) -> float:
    """The largest scale, 0…1, at which every class gets its number; by bisection."""

    def enough(scale: float) -> bool:
        numbers = _scaled(wanted, scale)
        found = _taken(kinds, numbers, there)
        return all(sum(found[label].values()) == number for label, number in numbers.items())

    if enough(1.0):
        return 1.0
    low, high = 0.0, 1.0
    for _ in range(30):
        middle = (low + high) / 2
        low, high = (middle, high) if enough(middle) else (low, middle)
    return low


def _taken(
    kinds: Mapping[Classes, int], numbers: Mapping[str, int], there: Mapping[str, int]
) -> dict[str, Counter[Classes]]:
    """How many rows of each set of labels every class takes, at most as many as its number."""
    left = Counter(kinds)
    found: dict[str, Counter[Classes]] = {}
    for label in sorted(numbers, key=lambda one: (there[one], one)):
        mine = sorted((kind for kind in left if label in kind), key=lambda kind: (len(kind), sorted(kind)))
        found[label], short = Counter(), numbers[label]
        for kind in mine:
            found[label][kind] = min(left[kind], short)
            left[kind] -= found[label][kind]
            short -= found[label][kind]
    return found


def _drawn(rows: Sequence[Classes], taken: Mapping[str, Counter[Classes]], seed: int) -> list[int]:
    number = sum(taken.values(), Counter[Classes]())

    def rank(index: int) -> bytes:
        return hashlib.blake2b(f"{seed}:{index}".encode(), digest_size=8).digest()

    chosen = []
    for index in sorted(range(len(rows)), key=rank):
        if number[rows[index]] > 0:
            number[rows[index]] -= 1
            chosen.append(index)
    return sorted(chosen)


def _near(wanted: str, known: Iterable[str]) -> str:
    near = get_close_matches(wanted, list(known), n=1)
    return f"; did you mean {near[0]!r}?" if near else ""
