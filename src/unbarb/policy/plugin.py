"""The shape of a plug-in in a policy file: its name, or a mapping with its name and its options."""

from __future__ import annotations

from dataclasses import dataclass
from math import isfinite
from typing import Any

from yaml.constructor import ConstructorError, SafeConstructor
from yaml.nodes import MappingNode, Node, ScalarNode, SequenceNode

from unbarb.plugins import Plugin
from unbarb.policy.reading import Path, Reading, dotted, shown
from unbarb.policy.record import pairs
from unbarb.policy.shape import Text


@dataclass(frozen=True, slots=True)
class Named:
    """A name, or ``{name: NAME, option: value, …}``; which options there are only the plug-in knows.

    Options are plain values, lists and mappings of them; the guard checks them when it builds the plug-in.
    """

    text: Text

    def read(self, node: Node, path: Path, reading: Reading) -> str | dict[str, Any] | None:
        if not isinstance(node, MappingNode):
            return self.text.read(node, path, reading)
        found = pairs(node, path, reading) or {}
        if "name" not in found:
            reading.wrong(path, f"{dotted(path)}: the key 'name' is missing ({self.text.like})")
            return None
        before = len(reading.problems)
        name = self.text.read(found.pop("name"), (*path, "name"), reading)
        options = {key: _plain(child, (*path, key), reading) for key, child in found.items()}
        if name is None or len(reading.problems) > before:
            return None
        return {"name": name, **{key: value for key, value in options.items() if value is not None}}

    def schema(self) -> dict[str, Any]:
        named = {"type": "object", "properties": {"name": self.text.schema()}, "required": ["name"]}
        return {"anyOf": [self.text.schema(), named]}


def plugin(value: str | dict[str, Any]) -> Plugin:
    """The plug-in of a value that `Named` has read."""
    if isinstance(value, str):
        return Plugin(value)
    return Plugin(value["name"], {key: option for key, option in value.items() if key != "name"})


def _plain(node: Node, path: Path, reading: Reading) -> Any:
    """The value of `node` in plain types: nothing that JSON could not hold."""
    if isinstance(node, MappingNode):
        children = pairs(node, path, reading) or {}
        return {key: _plain(child, (*path, key), reading) for key, child in children.items()}
    if isinstance(node, SequenceNode):
        return [_plain(child, (*path, str(at)), reading) for at, child in enumerate(node.value)]
    try:
        value = SafeConstructor().construct_object(node)
    except (ConstructorError, ValueError):
        value = node  # an unknown tag, or a value that does not fit its tag
    if value is None or isinstance(value, str | int) or (isinstance(value, float) and isfinite(value)):
        return value  # true and false are whole numbers
    told = repr(node.value) if isinstance(node, ScalarNode) else shown(node)
    reading.wrong(path, f"{dotted(path)}: {told} is not text, a number, true or false; put text in quotes")
    return None
