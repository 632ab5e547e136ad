"""Manifests as they are read from YAML: what they say, where each part stands, and what is wrong."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

from unbarb.errors import InputError

LOADER = getattr(yaml, "CSafeLoader", yaml.SafeLoader)

Key = tuple[str | int, ...]
"""A place in a document: names of fields, and positions in lists from 0."""


@dataclass(frozen=True, slots=True)
class Document:
    """One manifest. `lines` says where each of its parts begins; empty for one that was made here."""

    content: Mapping[str, Any]
    file: str = ""
    lines: Mapping[Key, int] = field(default_factory=dict)

    @property
    def version(self) -> str:
        """Group and version, as ``apps/v1``."""
        return str(self.content.get("apiVersion", ""))

    @property
    def kind(self) -> str:
        return str(self.content.get("kind", ""))

    @property
    def name(self) -> str:
        metadata = self.content.get("metadata")
        return str(metadata.get("name", "")) if isinstance(metadata, Mapping) else ""

    def line(self, path: Key) -> int | None:
        """The line of `path`, or of the nearest part around it."""
        while path and path not in self.lines:
            path = path[:-1]
        return self.lines.get(path)


@dataclass(frozen=True, slots=True)
class Problem:
    """What is wrong at a place of a document."""

    path: Key
    text: str
    document: Document

    def __str__(self) -> str:
        line = self.document.line(self.path)
        file = self.document.file
        where = f"{file}:{line}: " if file and line else f"{file}: " if file else ""
        what = f"{self.document.kind} {self.document.name}".strip()
        return f"{where}{what}{': ' if what else ''}{dotted(self.path)}{self.text}"


def dotted(path: Key) -> str:
    """A path as ``spec.containers[0].image: ``; nothing for the document as a whole."""
    told = ""
    for part in path:
        told += f"[{part}]" if isinstance(part, int) else f".{part}" if told else str(part)
    return f"{told}: " if told else ""


def read(paths: Sequence[Path]) -> tuple[list[Document], list[Problem]]:
    """The documents of YAML files, and of all that are in folders, with what is wrong with their YAML.

    Raises:
        InputError: a file cannot be read, or there is none.
    """
    documents: list[Document] = []
    problems: list[Problem] = []
    for path in _files(paths):
        try:
            text = path.read_text("utf-8")
        except (OSError, UnicodeDecodeError) as error:
            reason = error.strerror if isinstance(error, OSError) else "it is no UTF-8"
            raise InputError(f"{path}: cannot be read ({reason})") from error
        found, wrong = parse(text, str(path))
        documents += found
        problems += wrong
    return documents, problems


def parse(text: str, file: str) -> tuple[list[Document], list[Problem]]:
    """The documents of a text, and what is wrong with its YAML."""
    documents: list[Document] = []
    problems: list[Problem] = []
    whole = Document({}, file)
    try:
        for node in yaml.compose_all(text, Loader=LOADER):
            if node is None or (isinstance(node, yaml.ScalarNode) and not node.value):
                continue
            lines: dict[Key, int] = {}
            twice = list(_placed(node, (), lines))
            document = Document(_value(node), file, lines) if isinstance(node, yaml.MappingNode) else whole
            if document is whole:
                line = node.start_mark.line + 1
                problems.append(
                    Problem((), f"line {line}: a manifest is a mapping, with apiVersion and kind", whole)
                )
                continue
            problems += [Problem(path, "stands there twice", document) for path in twice]
            problems += [
                Problem((), f"{name} is missing", document)
                for name in ("apiVersion", "kind")
                if not isinstance(document.content.get(name), str)
            ]
            documents.append(document)
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        line = f"line {mark.line + 1}: " if mark else ""
        reason = getattr(error, "problem", None) or str(error).splitlines()[0]
        problems.append(Problem((), f"{line}not YAML: {reason}", whole))
    return documents, problems


def _files(paths: Sequence[Path]) -> Iterator[Path]:
    for path in paths:
        found = sorted(one for one in path.rglob("*.y*ml") if one.is_file()) if path.is_dir() else [path]
        if not found:
            raise InputError(f"{path}: no .yaml file in this folder")
        yield from found


def _placed(node: yaml.Node, path: Key, lines: dict[Key, int]) -> Iterator[Key]:
    """Note where each part stands; give the paths of keys that stand there twice."""
    lines.setdefault(path, node.start_mark.line + 1)
    if isinstance(node, yaml.SequenceNode):
        for position, item in enumerate(node.value):
            yield from _placed(item, (*path, position), lines)
    elif isinstance(node, yaml.MappingNode):
        seen = set()
        for key, value in node.value:
            name = str(key.value)
            if name in seen:
                yield (*path, name)
            seen.add(name)
            lines[(*path, name)] = key.start_mark.line + 1
            yield from _placed(value, (*path, name), lines)


def _value(node: yaml.Node) -> Any:
    maker = LOADER("")
    try:
        return maker.construct_document(node)
    finally:
        maker.dispose()
