"""Shapes of lists and mappings in a YAML file, made of the shapes of their values."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from yaml.nodes import MappingNode, Node, ScalarNode, SequenceNode

from unbarb.policy.reading import Path, Reading, did_you_mean, dotted, shown
from unbarb.policy.shape import Shape


@dataclass(frozen=True, slots=True)
class ListOf:
    """A list of `item`, each once, at least `least` of them; all of `all_of` when given."""

    item: Shape
    least: int = 0
    all_of: tuple[str, ...] = ()

    def read(self, node: Node, path: Path, reading: Reading) -> list[Any] | None:
        if not isinstance(node, SequenceNode):
            reading.wrong(path, f"{dotted(path)}: {shown(node)} is not a list")
            return None
        found: list[Any] = []
        before = len(reading.problems)
        for number, child in enumerate(node.value):
            place = (*path, str(number))
            reading.note(place, child)
            value = self.item.read(child, place, reading)
            if value is not None and value in found:
                reading.wrong(place, f"{dotted(path)}: {value!r} stands there twice; once is enough")
            elif value is not None:
                found.append(value)
        if len(node.value) < self.least:
            reading.wrong(path, f"{dotted(path)}: the list must hold at least {self.least}")
        missing = [value for value in self.all_of if value not in found]
        if missing and len(reading.problems) == before:
            reading.wrong(path, f"{dotted(path)}: {', '.join(missing)} missing; name each once")
        return found if len(reading.problems) == before else None

    def schema(self) -> dict[str, Any]:
        given: dict[str, Any] = {"type": "array", "items": self.item.schema(), "uniqueItems": True}
        least = max(self.least, len(self.all_of))
        return given | ({"minItems": least} if least else {})


@dataclass(frozen=True, slots=True)
class Key:
    """A key of a record: the shape of its value, a sentence on it, and what stands for it when left out."""

    shape: Shape
    about: str
    required: bool = False
    default: Any = None

    def schema(self) -> dict[str, Any]:
        default = {} if self.required or self.default is None else {"default": self.default}
        return self.shape.schema() | {"description": self.about} | default


@dataclass(frozen=True, slots=True)
class Record:
    """A mapping with known keys only."""

    keys: Mapping[str, Key]

    def read(self, node: Node, path: Path, reading: Reading) -> dict[str, Any] | None:
        given = pairs(node, path, reading)
        if given is None:
            return None
        for name in given:
            if name not in self.keys:
                hint = did_you_mean(name, self.keys)
                allowed = f"{' ' if hint else '; '}Allowed: {', '.join(self.keys)}"
                reading.wrong((*path, name), f"unknown key {name!r} in {dotted(path)}{hint}{allowed}")
        found: dict[str, Any] = {}
        for name, key in self.keys.items():
            if name in given:
                found[name] = key.shape.read(given[name], (*path, name), reading)
            elif key.required:
                reading.wrong(path, f"{dotted(path)}: the key {name!r} is missing ({key.about})")
        return {name: value for name, value in found.items() if value is not None}

    def schema(self) -> dict[str, Any]:
        needed = [name for name, key in self.keys.items() if key.required]
        return {
            "type": "object",
            "properties": {name: key.schema() for name, key in self.keys.items()},
            **({"required": needed} if needed else {}),
            "additionalProperties": False,
        }


@dataclass(frozen=True, slots=True)
class MapOf:
    """A mapping from names of the caller's choice, that fit `pattern`, to values of one shape."""

    value: Shape
    pattern: str
    like: str
    least: int = 0

    def read(self, node: Node, path: Path, reading: Reading) -> dict[str, Any] | None:
        given = pairs(node, path, reading)
        if given is None:
            return None
        if len(given) < self.least:
            reading.wrong(path, f"{dotted(path)}: must hold at least {self.least}")
        found: dict[str, Any] = {}
        for name, child in given.items():
            if not re.search(self.pattern, name):
                reading.wrong((*path, name), f"{dotted(path)}: {name!r} is not {self.like}")
            else:
                found[name] = self.value.read(child, (*path, name), reading)
        return {name: value for name, value in found.items() if value is not None}

    def schema(self) -> dict[str, Any]:
        return {
            "type": "object",
            "propertyNames": {"pattern": self.pattern},
            "additionalProperties": self.value.schema(),
            **({"minProperties": self.least} if self.least else {}),
        }


def pairs(node: Node, path: Path, reading: Reading) -> dict[str, Node] | None:
    """The children of a mapping by key; a repeated or nested key is a problem."""
    if not isinstance(node, MappingNode):
        reading.wrong(path, f"{dotted(path)}: {shown(node)} is not a mapping of keys to values")
        return None
    found: dict[str, Node] = {}
    for key, child in node.value:
        if not isinstance(key, ScalarNode):
            reading.problems.append((key.start_mark.line + 1, f"{dotted(path)}: a key must be a word"))
        elif key.value in found:
            first = reading.lines[(*path, key.value)]
            again = key.start_mark.line + 1
            reading.problems.append((again, f"{dotted((*path, key.value))}: given before, in line {first}"))
        else:
            found[key.value] = child
            reading.note((*path, key.value), key)
    return found
