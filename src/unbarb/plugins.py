"""A name becomes a class, imported only then.

Built-ins come through the same door as anybody's package: an entry point in the group
``unbarb.detectors`` or ``unbarb.rewriters``. A plug-in that cannot be loaded is an error when the
guard is built, never a warning.
"""

from __future__ import annotations

from difflib import get_close_matches
from importlib.metadata import EntryPoint, entry_points
from typing import Any

from unbarb.errors import MissingExtra, PluginError


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


def _load(group: str, point: EntryPoint) -> Any:
    try:
        return point.load()
    except ModuleNotFoundError as error:
        if error.name and error.name.split(".")[0] != "unbarb":
            raise MissingExtra.for_feature(f"{group}: {point.name!r}", error.name, "all") from error
        raise PluginError(f"{group}: {point.name!r} ({point.value}) does not import: {error}") from error
    except (ImportError, AttributeError) as error:
        raise PluginError(f"{group}: {point.name!r} ({point.value}) does not import: {error}") from error
