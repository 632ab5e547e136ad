"""The recipe of the embedded model: one YAML file becomes typed settings, all errors at once."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import MISSING, dataclass, field, fields, is_dataclass
from difflib import get_close_matches
from pathlib import Path
from typing import Any, get_args, get_origin, get_type_hints

import yaml

from unbarb.errors import ConfigError
from unbarb.rewrite.edit import Taste
from unbarb.train.detector import DetectorSettings
from unbarb.train.editor import EditorSettings
from unbarb.train.gate import GateSettings
from unbarb.train.piece_model import PieceSettings
from unbarb.train.proofreader import ProofreaderSettings
from unbarb.verify.standard import Settings


@dataclass(frozen=True, slots=True)
class FocusPart:
    """A later phase of learning: how fast and how long, and what an epoch of it reads.

    `shares` are of the texts of each corpus, 0…1; of those it does not name, all are read. With several
    `seeds` it is learnt once from each, and the model is the mean of what comes of them. Of the weights
    that the phase began with, the share `kept` stays, 0…1 (Wortsman et al. 2022, "Robust fine-tuning of
    zero-shot models").
    """

    epochs: int = 0
    learning_rate: float = 4e-4
    head_learning_rate: float = 6e-4
    behaviours: int = 250
    respelt: int = 1000
    shares: dict[str, float] = field(default_factory=dict)
    seeds: list[int] = field(default_factory=lambda: [10])
    kept: float = 0.0


@dataclass(frozen=True, slots=True)
class DetectorPart(DetectorSettings):
    """The detection trunk: its settings, what it reads, what it goes on to `focus` on, and what it reads
    last, for `polish`.
    """

    corpora: list[str] = field(default_factory=list)
    weights: dict[str, float] = field(default_factory=dict)
    neutrals_per_pair: int = 1
    behaviours: int = 400
    respelt: int = 2000
    plant: float = 0.06
    habits: list[str] = field(default_factory=list)
    window: int = 256
    focus: FocusPart = field(default_factory=FocusPart)
    polish: FocusPart = field(default_factory=FocusPart)


@dataclass(frozen=True, slots=True)
class EditorPolish:
    """The later phase of the editing trunk, that reads so many `written` pairs of each kind too.

    `seeds` and `kept` as in `FocusPart`.
    """

    epochs: int = 0
    learning_rate: float = 3e-4
    head_learning_rate: float = 4.5e-4
    written: int = 300
    seeds: list[int] = field(default_factory=lambda: [60])
    kept: float = 0.0


@dataclass(frozen=True, slots=True)
class EditorPart(EditorSettings):
    """The editing trunk: its settings, what it reads, and what it reads last, for `polish`."""

    tags_seen: int = 3
    pair_share: float = 0.35
    others: int = 3000
    swap: float = 0.2
    polish: EditorPolish = field(default_factory=EditorPolish)


@dataclass(frozen=True, slots=True)
class ProofreaderPart(ProofreaderSettings):
    """The proofreading trunk: beside all neutral sides of pairs, how many of their `sources` and of
    `others`, the sentences of `corpora`, it reads an epoch; how many `candidates` each toxic side gets,
    and how many of them are `compared` an epoch.
    """

    corpora: list[str] = field(default_factory=list)
    sources: int = 5000
    others: int = 30000
    candidates: int = 12
    compared: int = 8


@dataclass(frozen=True, slots=True)
class GatePart(GateSettings):
    """The gate: how many texts and written sentences per behaviour it learns from, what it may cost.

    `lost_recall` is the share of what the encoder finds that the gate may settle, 0…1.
    """

    texts: int = 60000
    behaviours: int = 150
    lost_recall: float = 0.003


@dataclass(frozen=True, slots=True)
class NgramsPart:
    """The n-grams beside the encoder: see `LinearSettings`; so many written sentences per behaviour."""

    strength: float = 0.2
    weights: dict[str, float] = field(default_factory=dict)
    counts: dict[str, float] = field(default_factory=dict)
    behaviours: int = 150


@dataclass(frozen=True, slots=True)
class SketchPart(PieceSettings):
    """The quick reading of candidates: how often pairs are drawn, with how many other texts each time."""

    learning_rate: float = 0.01
    seed: int = 50
    draws: int = 6
    others: int = 10000


@dataclass(frozen=True, slots=True)
class ThresholdsPart:
    """How the policy's thresholds are chosen: false alarms at a natural rate, 0…1."""

    false_alarms: float = 0.008


@dataclass(frozen=True, slots=True, kw_only=True)
class Recipe:
    """Everything a run of the embedded model is made from."""

    schema: int
    name: str
    objective: str
    base: str
    base_sha256: str
    seed: int = 13
    detector: DetectorPart = field(default_factory=DetectorPart)
    editor: EditorPart = field(default_factory=EditorPart)
    proofreader: ProofreaderPart = field(default_factory=ProofreaderPart)
    ngrams: NgramsPart = field(default_factory=NgramsPart)
    sketch: SketchPart = field(default_factory=SketchPart)
    gate: GatePart = field(default_factory=GatePart)
    thresholds: ThresholdsPart = field(default_factory=ThresholdsPart)
    taste: Taste = field(default_factory=Taste)
    verify: Settings = field(default_factory=Settings)


def embedded_schema() -> dict[str, Any]:
    """The JSON Schema (2020-12) of this recipe, as published in ``models/embedded-recipe.schema.json``."""
    from pydantic import TypeAdapter

    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "$id": "urn:unbarb:embedded-recipe:1",
        **TypeAdapter(Recipe).json_schema(),
        "title": "unbarb recipe of the embedded model",
    }


def load_recipe(path: Path, overrides: Mapping[str, str] | None = None) -> Recipe:
    """Read a recipe; `overrides` are dotted keys with YAML values (``detector.epochs`` → ``1``).

    Raises:
        ConfigError: the file cannot be read, or keys are unknown, missing or of another type.
    """
    try:
        content = yaml.safe_load(path.read_text(encoding="utf-8"))
    except (OSError, yaml.YAMLError) as error:
        raise ConfigError(f"{path}: not a readable YAML file: {error}") from error
    if not isinstance(content, dict):
        raise ConfigError(f"{path}: a recipe is a mapping of keys, not {type(content).__name__}")
    problems: list[str] = []
    for key, value in (overrides or {}).items():
        _override(content, key, value, problems)
    recipe = _read(Recipe, content, "", problems)
    if problems:
        raise ConfigError(f"{path} is not a valid recipe:\n  " + "\n  ".join(problems))
    found: Recipe = recipe
    return found


def _override(content: dict[str, Any], key: str, value: str, problems: list[str]) -> None:
    *parents, last = key.split(".")
    inner = content
    for parent in parents:
        inner = inner.setdefault(parent, {})
        if not isinstance(inner, dict):
            problems.append(f"{key} cannot be set: {parent} is {inner!r}, not a mapping of keys")
            return
    try:
        inner[last] = yaml.safe_load(value)
    except yaml.YAMLError as error:
        problems.append(f"{key} is set to {value!r}, which is not YAML: {error}")


def _read(kind: Any, content: Mapping[str, Any], at: str, problems: list[str]) -> Any:
    hints = get_type_hints(kind)
    known = {one.name: one for one in fields(kind)}
    values: dict[str, Any] = {}
    for key, value in content.items():
        if key not in known:
            near = get_close_matches(str(key), known, n=1)
            hint = f"; did you mean {near[0]!r}?" if near else ""
            problems.append(f"unknown key {at}{key}{hint} Allowed: {', '.join(known)}")
        elif is_dataclass(hints[key]) and isinstance(value, dict):
            values[key] = _read(hints[key], value, f"{at}{key}.", problems)
        elif (given := _fitting(value, hints[key])) is None:
            problems.append(f"{at}{key} is {value!r}, but must be {_said(hints[key])}")
        else:
            values[key] = given
    for name, one in known.items():
        if name not in content and one.default is MISSING and one.default_factory is MISSING:
            problems.append(f"{at}{name} is missing")
    return None if problems else kind(**values)


def _fitting(value: Any, hint: Any) -> Any:
    """`value` if it is of the type `hint` asks for, else None; whole numbers may stand for floats."""
    plain = get_origin(hint) or hint
    if plain is list and isinstance(value, list):
        items = [_fitting(item, *get_args(hint)) for item in value]
        return None if None in items else items
    if plain is dict and isinstance(value, dict):
        _, wanted = get_args(hint)
        pairs = {key: _fitting(item, wanted) for key, item in value.items() if isinstance(key, str)}
        return None if None in pairs.values() or len(pairs) < len(value) else pairs
    if plain is float and isinstance(value, int) and not isinstance(value, bool):
        return float(value)
    if isinstance(value, bool) and plain is not bool:
        return None
    return value if isinstance(plain, type) and isinstance(value, plain) else None


def _said(hint: Any) -> str:
    """A type in plain words: "a list of str", "float"."""
    if is_dataclass(hint):
        return "a mapping of keys"
    inner = ", ".join(one.__name__ for one in get_args(hint))
    return f"a {get_origin(hint).__name__} of {inner}" if inner else str(hint.__name__)
