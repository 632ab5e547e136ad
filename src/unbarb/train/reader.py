"""A recipe file becomes typed settings; whatever is wrong with it is told at once, with its line."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import yaml
from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

from unbarb.errors import ConfigError
from unbarb.policy.reading import Path as Keys
from unbarb.policy.reading import Reading, did_you_mean, dotted
from unbarb.train.relations import Broken, relations
from unbarb.train.schema import TrainRecipe

if TYPE_CHECKING:
    from unbarb.train.recipe import Recipe

P = TypeVar("P", bound=BaseModel)

SHIPPED = Path(__file__).parent.parent / "recipes"
"""The folder of the recipes that ship."""


def shipped() -> tuple[str, ...]:
    """The names of the recipes that ship."""
    return tuple(sorted(path.stem for path in SHIPPED.glob("*.yaml")))


def locate(source: str | Path) -> Path:
    """The file of a recipe: a path, or the name of one that ships.

    Raises:
        ConfigError: it is neither.
    """
    return found(source, SHIPPED, shipped(), "recipe")


def found(source: str | Path, folder: Path, names: Sequence[str], what: str) -> Path:
    """The file `source`, or that of the name in `folder`, one of `names`; `what` says of what kind it is.

    Raises:
        ConfigError: it is neither.
    """
    path = Path(source)
    if path.is_file():
        return path
    if str(source) in names:
        return folder / f"{source}.yaml"
    hint = did_you_mean(path.stem, names) or ";"
    raise ConfigError(f"{source}: no such {what}{hint} give a file, or one of {', '.join(names)}")


def load_any(source: str | Path, overrides: Mapping[str, str] | None = None) -> TrainRecipe | Recipe:
    """Read a recipe of any objective, by path or by the name of one that ships.

    `overrides` are dotted keys with YAML values (``training.epochs`` → ``1``). `Recipe`, the embedded
    model's own, is of ``objective: embedded``.

    Raises:
        ConfigError: with every problem, one a line, as ``file:line: what``.
    """
    path = locate(source)
    content, reading = mapping_in(path)
    given = overrides or {}
    if content.get("objective") == "embedded":
        from unbarb.train.recipe import load_recipe

        return load_recipe(path, given)
    return checked(TrainRecipe, content, given, reading, relations)


def mapping_in(path: Path) -> tuple[dict[str, Any], Reading]:
    """The keys of a YAML file, and where they stand.

    Raises:
        ConfigError: it cannot be read, or is no mapping of keys.
    """
    try:
        text = path.read_text(encoding="utf-8")
        node = yaml.compose(text, Loader=yaml.SafeLoader)
        content = yaml.safe_load(text)
    except yaml.MarkedYAMLError as error:
        line = error.problem_mark.line + 1 if error.problem_mark else 1
        raise ConfigError(f"{path}:{line}: not valid YAML: {error.problem or error.context}") from error
    except (OSError, UnicodeDecodeError, yaml.YAMLError) as error:
        raise ConfigError(f"{path}: cannot be read: {error}") from error
    if not isinstance(content, dict):
        raise ConfigError(f"{path}:1: a recipe is a mapping of keys; begin with 'schema: 1'")
    reading = Reading(str(path))
    _note(node, (), reading)
    return content, reading


def load(source: str | Path, overrides: Mapping[str, str] | None = None) -> TrainRecipe:
    """Read a recipe that is not the embedded model's.

    Raises:
        ConfigError: as `load_any`, and for the embedded one.
    """
    recipe = load_any(source, overrides)
    if not isinstance(recipe, TrainRecipe):
        raise ConfigError(f"{source}: this works on no recipe of objective embedded; `unbarb train` does")
    return recipe


def checked(
    kind: type[P],
    content: dict[str, Any],
    overrides: Mapping[str, str],
    reading: Reading,
    relations: Callable[[P], Iterable[Broken]],
) -> P:
    """`content` with `overrides` as a `kind`, whose keys must keep the `relations`.

    Raises:
        ConfigError: with every problem, one a line, as ``file:line: what``.
    """
    told: list[str] = []
    for key, value in overrides.items():
        _override(content, key, value, told)
    recipe = None
    try:
        recipe = kind.model_validate(content)
        problems = [(keys, f"{dotted(keys)}: {text}") for keys, text in relations(recipe)]
    except ValidationError as error:
        problems = [_problem(kind, one) for one in error.errors() if not _doubled(one)]
    for keys, text in problems:
        origin = next((key for key in overrides if _covers(tuple(key.split(".")), keys)), None)
        if origin is None:
            reading.wrong(keys, text)
        else:
            told.append(f"--set {origin}={overrides[origin]}: {text}")
    if recipe is None or reading.problems or told:
        raise ConfigError("\n".join([*filter(None, [reading.message()]), *told]))
    return recipe


def _covers(key: Keys, keys: Keys) -> bool:
    """Whether the value that `keys` lead to was set by an override of `key`."""
    return keys[: len(key)] == key


def _override(content: dict[str, Any], key: str, value: str, told: list[str]) -> None:
    *parents, last = key.split(".")
    inner = content
    for parent in parents:
        if inner.get(parent) is None:
            inner[parent] = {}
        inner = inner[parent]
        if not isinstance(inner, dict):
            told.append(f"--set {key}={value}: {parent} is {inner!r}, not a mapping of keys")
            return
    try:
        inner[last] = yaml.safe_load(value)
    except yaml.YAMLError:
        told.append(f"--set {key}={value}: {value!r} is not YAML")


def _note(node: yaml.Node | None, keys: Keys, reading: Reading) -> None:
    """Remember the line of every key and item; a key given twice is a problem."""
    if isinstance(node, yaml.MappingNode):
        for key, child in node.value:
            inner = (*keys, str(key.value))
            if inner in reading.lines:
                text = f"{dotted(inner)}: given before, in line {reading.lines[inner]}"
                reading.problems.append((key.start_mark.line + 1, text))
            reading.note(inner, key)
            _note(child, inner, reading)
    elif isinstance(node, yaml.SequenceNode):
        for number, child in enumerate(node.value):
            reading.note((*keys, str(number)), child)
            _note(child, (*keys, str(number)), reading)


def _problem(kind: type[BaseModel], error: ErrorDetails) -> tuple[Keys, str]:
    """Where a problem of pydantic's is, and what it is, in our words."""
    keys = tuple(str(one) for one in error["loc"] if not _of_union(one))
    wrong, given = error["type"], error["input"]
    if wrong == "extra_forbidden":
        known = _known(kind, keys[:-1])
        hint = did_you_mean(keys[-1], known) or ";"
        return keys, f"unknown key {keys[-1]!r} in {dotted(keys[:-1])}{hint} Allowed: {', '.join(known)}"
    if wrong == "missing":
        about = _about(kind, keys)
        return keys[:-1], f"{dotted(keys[:-1])}: the key {keys[-1]!r} is missing ({about})"
    if wrong == "literal_error":
        allowed = str(error["ctx"]["expected"])
        hint = did_you_mean(
            str(given), [one.strip(" '") for one in allowed.replace(" or ", ",").split(",")]
        )
        return keys, f"{dotted(keys)}: {given!r} is none of {allowed}{hint}"
    return keys, f"{dotted(keys)}: {given!r} is not possible: {_plain(error['msg'])} ({_about(kind, keys)})"


def _of_union(part: int | str) -> bool:
    """Pydantic names the branch of a union it tried, as ``list[str]``."""
    return isinstance(part, str) and ("[" in part or part in ("function-before", "float"))


def _doubled(error: ErrorDetails) -> bool:
    """Whether this is the other branch of "a list, or one word": the list's own problem is told."""
    return error["type"] == "literal_error" and isinstance(error["input"], list)


def _plain(message: str) -> str:
    said = message.removeprefix("Input ").replace("a valid integer", "a whole number")
    return said.replace("a valid ", "a ")


def _part(kind: type[BaseModel], keys: Keys) -> type[BaseModel] | None:
    """The section of a `kind` that `keys` lead to."""
    part = kind
    for key in keys:
        found = part.model_fields.get(key)
        inner = [] if found is None else [found.annotation, *getattr(found.annotation, "__args__", ())]
        part_or_none = next(
            (one for one in inner if isinstance(one, type) and issubclass(one, BaseModel)), None
        )
        if part_or_none is None:
            return None
        part = part_or_none
    return part


def _known(kind: type[BaseModel], keys: Keys) -> list[str]:
    part = _part(kind, keys)
    return [] if part is None else [one.alias or name for name, one in part.model_fields.items()]


def _about(kind: type[BaseModel], keys: Keys) -> str:
    """The sentence on a key."""
    while keys and keys[-1].isdigit():
        keys = keys[:-1]
    part = _part(kind, keys[:-1])
    if part is None:
        return ""
    found = next((one for name, one in part.model_fields.items() if (one.alias or name) == keys[-1]), None)
    return (found.description or "").rstrip(".") if found else ""
