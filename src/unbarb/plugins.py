"""A name becomes a class, imported only then.

Built-ins come through the same door as anybody's package: an entry point in the group
``unbarb.detectors`` or ``unbarb.rewriters``. A plug-in that cannot be loaded is an error when the
guard is built, never a warning.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from difflib import get_close_matches
from importlib.metadata import EntryPoint, entry_points
from inspect import Parameter, signature
from typing import Any

from unbarb.errors import ConfigError, MissingExtra, PluginError

EXTRAS = {
    "alembic": "serve",
    "boto3": "s3",
    "botocore": "s3",
    "cryptography": "serve",
    "ctranslate2": "ct2",
    "fastapi": "serve",
    "httpx2": "serve",
    "huggingface_hub": "train",
    "jsonschema": "kubernetes",
    "kubernetes_validate": "kubernetes",
    "onnxscript": "train",
    "opentelemetry": "serve",
    "peft": "train",
    "prometheus_client": "serve",
    "pydantic": "serve",
    "referencing": "kubernetes",
    "sqlalchemy": "serve",
    "starlette": "serve",
    "torch": "train",
    "transformers": "train",
    "uvicorn": "serve",
}
"""The extra that brings a package; one that is not here belongs to somebody else's plug-in."""


@dataclass(frozen=True, slots=True)
class Plugin:
    """A plug-in by its name, with the options it is built with, as a policy gives them."""

    name: str
    options: Mapping[str, Any] = field(default_factory=dict)

    def __str__(self) -> str:
        told = ", ".join(f"{name}: {value}" for name, value in self.options.items())
        return f"{self.name} ({told})" if told else self.name


def names(group: str) -> tuple[str, ...]:
    """The names that can be asked for in `group`, sorted."""
    return tuple(sorted(entry_points(group=group).names))


def load(group: str, name: str) -> Any:
    """The class or factory registered as `name` in `group`.

    Raises:
        PluginError: nothing of that name, several of it, or its import fails.
        MissingExtra: it needs a package that is not installed.
    """
    found = tuple(entry_points(group=group, name=name))
    if not found:
        near = get_close_matches(name, names(group), n=1)
        hint = f"; did you mean {near[0]!r}?" if near else ""
        raise PluginError(f"{group}: no plug-in named {name!r}{hint} Known: {', '.join(names(group))}")
    if len({point.value for point in found}) > 1:
        raise PluginError(
            f"{group}: {name!r} is claimed by {', '.join(p.value for p in found)}; uninstall all but one"
        )
    return _load(group, found[0])


def wrong_options(group: str, plugin: Plugin) -> list[str]:
    """What is wrong with the options of `plugin`, a sentence each: unknown ones and those that are missing.

    Raises:
        PluginError: it cannot be loaded.
    """
    known = {
        name: option
        for name, option in signature(load(group, plugin.name)).parameters.items()
        if option.kind in (Parameter.POSITIONAL_OR_KEYWORD, Parameter.KEYWORD_ONLY)
    }
    problems = []
    for given in plugin.options:
        if given not in known:
            near = get_close_matches(given, known, n=1)
            hint = f"; did you mean {near[0]!r}?" if near else "."
            allowed = ", ".join(known) or "none"
            problems.append(f"{group}: {plugin.name!r} has no option {given!r}{hint} Allowed: {allowed}")
    needed = [name for name, option in known.items() if option.default is Parameter.empty]
    missing = [name for name in needed if name not in plugin.options]
    if missing:
        problems.append(
            f"{group}: {plugin.name!r} needs {', '.join(missing)}; write"
            f" {{name: {plugin.name}, {', '.join(f'{name}: …' for name in missing)}}} in the policy"
        )
    return problems


def instance(group: str, plugin: Any, offered: Mapping[str, Any]) -> Any:
    """A plug-in by its name, or with options of its own; of `offered` it gets what it asks for by name.

    Anything else is an instance already and comes back as it is.

    Raises:
        PluginError: it cannot be loaded.
        MissingExtra: it needs a package that is not installed.
        ConfigError: an option is unknown, missing or not valid.
    """
    if isinstance(plugin, str):
        plugin = Plugin(plugin)
    if not isinstance(plugin, Plugin):
        return plugin
    check_options({group: [plugin]})
    maker = load(group, plugin.name)
    wanted = signature(maker).parameters
    taken = {name: value for name, value in offered.items() if name in wanted}
    return maker(**{**taken, **plugin.options})


def check_options(chosen: Mapping[str, Sequence[object]]) -> None:
    """Refuse wrong options of all `chosen` plug-ins, by group, at once, before the first is built.

    Raises:
        PluginError: one cannot be loaded.
        ConfigError: an option is unknown, missing or not valid.
    """
    problems = [
        problem
        for group, members in chosen.items()
        for one in members
        if isinstance(one, Plugin)
        for problem in wrong_options(group, one)
    ]
    if problems:
        raise ConfigError("\n".join(problems))


def missing_extra(feature: str, error: ModuleNotFoundError) -> MissingExtra:
    """The error for a package that `feature` needs, with the extra that brings it."""
    package = (error.name or "").split(".")[0]
    return MissingExtra.for_feature(feature, package, EXTRAS.get(package, "all"))


def _load(group: str, point: EntryPoint) -> Any:
    try:
        return point.load()
    except ModuleNotFoundError as error:
        if error.name and error.name.split(".")[0] != "unbarb":
            raise missing_extra(f"{group}: {point.name!r}", error) from error
        raise PluginError(f"{group}: {point.name!r} ({point.value}) does not import: {error}") from error
    except (ImportError, AttributeError) as error:
        raise PluginError(f"{group}: {point.name!r} ({point.value}) does not import: {error}") from error
