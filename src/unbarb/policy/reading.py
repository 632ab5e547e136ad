"""What is known of a YAML file while it is read, and how its problems are told."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from difflib import get_close_matches

from yaml.nodes import MappingNode, Node, ScalarNode

Path = tuple[str, ...]


@dataclass(slots=True)
class Reading:
    """What is known of a file while it is read: where each key stands, and what is wrong with it."""

    file: str
    lines: dict[Path, int] = field(default_factory=dict)
    problems: list[tuple[int, str]] = field(default_factory=list)

    def note(self, path: Path, node: Node) -> None:
        self.lines.setdefault(path, node.start_mark.line + 1)

    def wrong(self, path: Path, text: str) -> None:
        """Record a problem at the line of `path`, or of the nearest key around it."""
        at = path
        while at and at not in self.lines:
            at = at[:-1]
        self.problems.append((self.lines.get(at, 1), text))

    def message(self) -> str:
        """All problems by line, each as ``file:line: what``."""
        return "\n".join(f"{self.file}:{line}: {text}" for line, text in sorted(self.problems))


def did_you_mean(given: str, known: Iterable[str], cutoff: float = 0.6) -> str:
    """``; did you mean 'x'?`` when a known name is close, else nothing."""
    near = get_close_matches(given, list(known), n=1, cutoff=cutoff)
    return f"; did you mean {near[0]!r}?" if near else ""


def dotted(path: Path) -> str:
    return ".".join(path) or "the file"


def shown(node: Node) -> str:
    if isinstance(node, ScalarNode):
        return repr(node.value[:60])
    return "a mapping" if isinstance(node, MappingNode) else "a list"
