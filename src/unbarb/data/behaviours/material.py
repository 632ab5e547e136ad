"""The written material: templates, slot words, groups and what may stand around a sentence.

Everything is divided into ``train`` and ``test`` where it is written, so that no template and no
word that decides a label is in both.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Any, Literal

import yaml

Split = Literal["train", "test"]
TEMPLATE_FILES = (
    "hateful.yaml",
    "slurs_and_swearing.yaml",
    "group_threats.yaml",
    "phrasings.yaml",
    "identity.yaml",
    "counter_speech.yaml",
    "aimed_elsewhere.yaml",
    "no_attack.yaml",
    "plain_speech.yaml",
    "violence.yaml",
)


@dataclass(frozen=True, slots=True)
class Pattern:
    """One behaviour: its labels (a label not named is unknown) and its templates by split.

    With `swaps` it is friendly whatever the group, so that one sentence can be had for all groups.
    """

    name: str
    about: str
    labels: Mapping[str, float]
    templates: Mapping[str, tuple[str, ...]]
    swaps: bool


@dataclass(frozen=True, slots=True)
class Group:
    """A protected group: its adjective and its forms, each (many, one)."""

    adjective: str
    forms: tuple[tuple[str, str], ...]


@cache
def patterns() -> Mapping[str, Pattern]:
    """All behaviours with templates, by name, in the order of the files."""
    found = {}
    for file in TEMPLATE_FILES:
        for name, entry in _load(file).items():
            labels = {label: float(value) for label, value in entry["labels"].items()}
            templates = {split: tuple(entry[split].splitlines()) for split in ("train", "test")}
            found[name] = Pattern(name, entry["about"], labels, templates, entry.get("swaps", False))
    return found


@cache
def words(split: Split) -> Mapping[str, tuple[str, ...]]:
    """Slot words of a split, by slot."""
    return {slot: _listed(entry.get(split) or entry["both"]) for slot, entry in _load("words.yaml").items()}


@cache
def claims(split: Split) -> tuple[str, ...]:
    """Templates of hateful clauses that only stand inside other sentences."""
    return tuple(_load("claims.yaml")["claim"][split].splitlines())


@cache
def margins(split: Split) -> Mapping[str, tuple[str, ...]]:
    """``openers``, ``closers``, and the sentences ``before`` and ``after``."""
    return {kind: _listed(entry[split]) for kind, entry in _load("margins.yaml").items()}


@cache
def groups(split: Split) -> tuple[Group, ...]:
    """The groups of a split: the core, which both have, and its own."""
    entries = _load("groups.yaml")
    return tuple(_group(line) for part in ("core", split) for line in entries[part].splitlines())


def _group(line: str) -> Group:
    adjective, forms = line.split(":", 1)
    pairs = (form.split("/") for form in forms.split("|"))
    return Group(adjective.strip(), tuple((many.strip(), one.strip()) for many, one in pairs))


def _listed(text: str) -> tuple[str, ...]:
    return tuple(word.strip() for word in text.split("|"))


@cache
def _load(name: str) -> Mapping[str, Any]:
    content = files("unbarb.data.behaviours").joinpath(name).read_text(encoding="utf-8")
    loaded: dict[str, Any] = yaml.safe_load(content)
    return loaded
