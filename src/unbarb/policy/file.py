"""A policy file: found by preset name or path, read with all its problems told at once, kept in place."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import yaml

from unbarb.errors import ConfigError
from unbarb.policy.checks import check
from unbarb.policy.layout import POLICY
from unbarb.policy.reading import Reading, did_you_mean

PRESETS = ("default", "strict", "lenient", "moderation")

_HOME = Path(__file__).parent.parent / "models" / "policies"
_LOADER = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


def locate(source: str | Path) -> Path:
    """The file of a preset, or the path as given.

    Raises:
        ConfigError: it is neither.
    """
    if isinstance(source, str) and source in PRESETS:
        return _HOME / f"{source}.yaml"
    path = Path(source)
    if not path.is_file():
        hint = did_you_mean(str(source), PRESETS)
        presets = ", ".join(PRESETS)
        raise ConfigError(f"{source}: no such policy file{hint} Give a path, or a preset: {presets}")
    return path


def read(path: Path) -> dict[str, Any]:
    """The checked content of a policy file, as written: no defaults filled in.

    Raises:
        ConfigError: with every problem of the file, one a line, as ``file:line: what``.
    """
    return parse(_text(path), path.name if path.parent == _HOME else str(path))


def _text(path: Path) -> str:
    try:
        return path.read_bytes().decode("utf-8")  # not read_text: write_thresholds keeps line ends
    except UnicodeDecodeError as error:
        raise ConfigError(f"{path}: not UTF-8 at byte {error.start}; save the policy as UTF-8") from error
    except OSError as error:
        raise ConfigError(f"{path}: cannot be read ({error.strerror}); give a readable file") from error


def parse(text: str, file: str = "policy") -> dict[str, Any]:
    """The checked content of a policy written as YAML; `file` is what messages call it.

    Raises:
        ConfigError: with every problem, one a line, as ``file:line: what``.
    """
    try:
        node = yaml.compose(text, Loader=_LOADER)
    except yaml.MarkedYAMLError as error:
        line = error.problem_mark.line + 1 if error.problem_mark else 1
        raise ConfigError(f"{file}:{line}: not valid YAML: {error.problem or error.context}") from error
    except RecursionError:
        raise ConfigError(f"{file}:1: nested too deeply to be a policy") from None
    except yaml.YAMLError as error:
        raise ConfigError(f"{file}:1: not valid YAML: {' '.join(str(error).split())}") from error
    if node is None:
        raise ConfigError(f"{file}:1: the policy is empty; begin with 'schema: 1'")
    reading = Reading(file)
    raw = POLICY.read(node, (), reading)
    if raw is not None:
        check(raw, reading)
    if raw is None or reading.problems:
        raise ConfigError(reading.message())
    return raw


def write_thresholds(path: Path, thresholds: Mapping[str, float]) -> None:
    """Write new thresholds (0…1, four decimals) over those of `labels`, every other byte kept.

    Raises:
        ConfigError: a label has no rule in the file, or the policy would not be valid; the file is
            then left as it was.
    """
    text = _text(path)
    places = _threshold_places(yaml.compose(text, Loader=yaml.SafeLoader))
    unknown = sorted(set(thresholds) - set(places))
    if unknown:
        raise ConfigError(f"{path}: no labels.{unknown[0]} to write to; it has {', '.join(sorted(places))}")
    for label in sorted(thresholds, key=lambda name: places[name], reverse=True):
        start, end = places[label]
        text = f"{text[:start]}{round(thresholds[label], 4)}{text[end:]}"
    parse(text, str(path))
    fresh = path.with_name(path.name + ".new")
    fresh.write_bytes(text.encode())
    os.replace(fresh, path)


def _threshold_places(root: yaml.Node | None) -> dict[str, tuple[int, int]]:
    """Where the threshold of each label stands in the text, in characters."""
    places = {}
    for label, rule in _children(_children(root).get("labels")).items():
        threshold = _children(rule).get("threshold")
        if threshold is not None:
            places[label] = (threshold.start_mark.index, threshold.end_mark.index)
    return places


def _children(node: yaml.Node | None) -> dict[str, yaml.Node]:
    if not isinstance(node, yaml.MappingNode):
        return {}
    return {str(key.value): child for key, child in node.value}
