"""Shapes of a value in a YAML file.

Each reads a node, says what is wrong with it, and gives its JSON Schema: one description of a file
serves the reader, the messages and the published schema. Shapes read the nodes of PyYAML, not
loaded values, so that every message names a line, a repeated key is seen, and ``no`` in a list of
languages is Norwegian and not false.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any, Protocol

from yaml.nodes import Node, ScalarNode

from unbarb.policy.reading import Path, Reading, did_you_mean, dotted, shown

_YAML = "tag:yaml.org,2002:"


class Shape(Protocol):
    """What a value must look like."""

    def read(self, node: Node, path: Path, reading: Reading) -> Any:
        """The value, or None when a problem was recorded."""
        ...

    def schema(self) -> dict[str, Any]: ...


@dataclass(frozen=True, slots=True)
class Number:
    """A number from `low` to `high`; `low` itself only when `closed`."""

    low: float
    high: float
    closed: bool = True

    def read(self, node: Node, path: Path, reading: Reading) -> float | None:
        if isinstance(node, ScalarNode) and node.tag in (_YAML + "int", _YAML + "float"):
            value = _number(node.value)
            if value is not None and self.low <= value <= self.high and (self.closed or value > self.low):
                return value
        more = f"from {self.low:g}" if self.closed else f"above {self.low:g}"
        reading.wrong(path, f"{dotted(path)}: {shown(node)} is not a number {more} to {self.high:g}")
        return None

    def schema(self) -> dict[str, Any]:
        least = "minimum" if self.closed else "exclusiveMinimum"
        return {"type": "number", least: self.low, "maximum": self.high}


def _number(text: str) -> float | None:
    try:
        return float(text)
    except ValueError:
        return None


@dataclass(frozen=True, slots=True)
class Whole:
    """A whole number from `low` to `high`."""

    low: int
    high: int

    def read(self, node: Node, path: Path, reading: Reading) -> int | None:
        if isinstance(node, ScalarNode) and node.tag == _YAML + "int" and re.fullmatch(r"\d+", node.value):
            value = int(node.value)
            if self.low <= value <= self.high:
                return value
        allowed = f"from {self.low} to {self.high}"
        reading.wrong(path, f"{dotted(path)}: {shown(node)} is not a whole number {allowed}")
        return None

    def schema(self) -> dict[str, Any]:
        return {"type": "integer", "minimum": self.low, "maximum": self.high}


@dataclass(frozen=True, slots=True)
class Exactly:
    """One whole number, such as the version of a format."""

    value: int

    def read(self, node: Node, path: Path, reading: Reading) -> int | None:
        if isinstance(node, ScalarNode) and node.tag == _YAML + "int" and node.value == str(self.value):
            return self.value
        reading.wrong(path, f"{dotted(path)}: {shown(node)} is not {self.value}, the only one known here")
        return None

    def schema(self) -> dict[str, Any]:
        return {"const": self.value}


@dataclass(frozen=True, slots=True)
class Switch:
    """true or false, and no other way to say it."""

    def read(self, node: Node, path: Path, reading: Reading) -> bool | None:
        if isinstance(node, ScalarNode) and node.tag == _YAML + "bool" and node.value in ("true", "false"):
            return bool(node.value == "true")
        reading.wrong(path, f"{dotted(path)}: {shown(node)} is neither true nor false")
        return None

    def schema(self) -> dict[str, Any]:
        return {"type": "boolean"}


@dataclass(frozen=True, slots=True)
class Choice:
    """One of a few words."""

    values: tuple[str, ...]

    def read(self, node: Node, path: Path, reading: Reading) -> str | None:
        if isinstance(node, ScalarNode) and node.value in self.values:
            return str(node.value)
        hint = did_you_mean(node.value, self.values) if isinstance(node, ScalarNode) else ""
        allowed = ", ".join(self.values)
        reading.wrong(path, f"{dotted(path)}: {shown(node)} is none of {allowed}{hint}")
        return None

    def schema(self) -> dict[str, Any]:
        return {"enum": list(self.values)}


@dataclass(frozen=True, slots=True)
class Text:
    """A string that fits `pattern`, which `like` says in words."""

    pattern: str = r"\S"
    like: str = "text that is not empty"

    def read(self, node: Node, path: Path, reading: Reading) -> str | None:
        plain = isinstance(node, ScalarNode) and (node.tag == _YAML + "str" or self._is_code(node))
        if plain and re.search(self.pattern, node.value):
            return str(node.value)
        reading.wrong(path, f"{dotted(path)}: {shown(node)} is not {self.like}")
        return None

    def _is_code(self, node: Node) -> bool:
        """Short codes are taken as written: YAML would read the language ``no`` as false."""
        return self.pattern.startswith("^") and node.tag == _YAML + "bool"

    def schema(self) -> dict[str, Any]:
        return {"type": "string", "pattern": self.pattern}
