"""Policies by name, each with its guard; files of a folder are read again when they change.

A file that is not valid never replaces a good one: what was in force stays so, and the refusal is told.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from threading import Lock
from typing import Any, Literal
from weakref import WeakValueDictionary

from unbarb.errors import ConfigError, UnbarbError
from unbarb.guard import Guard
from unbarb.plugins import Plugin, instance
from unbarb.policy import PRESETS, Policy

Outcome = Literal["loaded", "changed", "refused", "withdrawn"]
Signature = tuple[int, int, int]


@dataclass(frozen=True, slots=True)
class Change:
    """What happened to a policy: digests before and after, and why it was refused."""

    outcome: Outcome
    name: str
    before: str | None = None
    after: str | None = None
    reason: str | None = None


@dataclass(frozen=True, slots=True, eq=False)
class Loaded:
    """A policy in force and its guard."""

    policy: Policy
    guard: Guard
    file: Path | None = None


class Policies:
    """The policies that a service knows.

    Args:
        default: a preset's name, the name of a policy in `folder`, or a file.
        folder: its ``*.yaml`` and ``*.yml`` files are policies, known by the names they give themselves;
            one that is called like a preset stands in its place.
        timer: told the seconds of every step of every guard.

    Raises:
        ConfigError: the default policy is not valid, or not there.
    """

    def __init__(
        self,
        default: str = "default",
        folder: Path | None = None,
        *,
        threads: int = 1,
        timer: Callable[[str, float], None] | None = None,
    ) -> None:
        self._folder = folder
        self._threads = threads
        self._timer = timer
        self._parts: WeakValueDictionary[tuple[str, ...], Any] = WeakValueDictionary()
        self._loaded: Mapping[str, Loaded] = {}
        self._seen: dict[Path, Signature] = {}
        self._built: list[Change] = []
        self._lock = Lock()
        own = Path(default)
        self._file = own if default not in PRESETS and own.suffix in (".yaml", ".yml") else None
        self.refused: dict[Path, str] = {}
        """Files that are not valid, and why."""
        self.default = default
        self.started = self.refresh()
        """What came into force at the start."""
        if self._file is not None:
            self.default = self._name_of(self._file)
        self.get(self.default)
        self.started += self.refresh()

    @property
    def names(self) -> list[str]:
        """Every name that can be asked for, sorted."""
        return sorted({*PRESETS, *self._loaded})

    def get(self, name: str) -> Loaded:
        """The policy of this name; a preset's guard is built when it is first asked for.

        Raises:
            ConfigError: there is none.
        """
        found = self._loaded.get(name)
        if found is not None:
            return found
        if name not in PRESETS:
            broken = "; ".join(self.refused.values())
            hint = f" Not valid: {broken}" if broken else ""
            raise ConfigError(f"no policy named {name!r}; there are {', '.join(self.names)}.{hint}")
        with self._lock:
            if name not in self._loaded:
                policy = _preset(name)
                self._loaded = {**self._loaded, name: Loaded(policy, self._guard(policy))}
                self._built.append(Change("loaded", name, after=policy.digest))
        return self._loaded[name]

    def listed(self) -> list[Policy]:
        """Every policy that can be asked for, sorted by name. It may read files: call it in a thread."""
        return [self._loaded[name].policy if name in self._loaded else _preset(name) for name in self.names]

    def known(self, name: str) -> bool:
        return name in self._loaded or name in PRESETS

    def ready(self, name: str) -> bool:
        """Whether the guard is built, so that :meth:`get` takes no time."""
        return name in self._loaded

    def refresh(self) -> list[Change]:
        """Read what changed on disk and say what came of it. It may take seconds: call it in a thread."""
        with self._lock:
            files = self._files()
            changes, self._built = self._built, []
            for path in set(self._seen) - set(files):
                del self._seen[path]
                changes += self._withdrawn(path)
            for path, signature in files.items():
                if self._seen.get(path) != signature:
                    self._seen[path] = signature
                    changes += self._read(path)
            return changes

    def _files(self) -> dict[Path, Signature]:
        found = [] if self._file is None else [self._file]
        if self._folder is not None:
            found += sorted(path for path in self._folder.glob("*.y*ml") if not path.name.startswith("."))
        signatures = {}
        for path in found:
            try:
                stat = path.stat()
            except OSError:
                continue  # gone between two looks; withdrawn, if it was known
            signatures[path] = (stat.st_mtime_ns, stat.st_size, stat.st_ino)
        return signatures

    def _read(self, path: Path) -> list[Change]:
        before = next((one.policy for one in self._loaded.values() if one.file == path), None)
        try:
            policy = self._checked(path)
            if policy == before:
                self.refused.pop(path, None)
                return []
            guard = self._guard(policy)
        except Exception as error:  # a plug-in may raise anything; the good policy stays
            known = isinstance(error, UnbarbError)
            reason = str(error) if known else f"{path}: {type(error).__name__}: {error}"
            self.refused[path] = reason
            name, kept = (before.name, before.digest) if before else (path.stem, None)
            return [Change("refused", name, kept, reason=reason)]
        renamed = before is not None and before.name != policy.name
        changes = self._withdrawn(path) if renamed else []
        self.refused.pop(path, None)
        old = self._loaded.get(policy.name)
        self._loaded = {**self._loaded, policy.name: Loaded(policy, guard, path)}
        digest = old.policy.digest if old else None
        return [*changes, Change("changed" if old else "loaded", policy.name, digest, policy.digest)]

    def _checked(self, path: Path) -> Policy:
        policy = Policy.load(path)
        other = self._loaded.get(policy.name)
        if other is not None and other.file not in (None, path):
            raise ConfigError(f"{path}: a policy named {policy.name!r} is in {other.file} already")
        return policy

    def _withdrawn(self, path: Path) -> list[Change]:
        """Forget the policy of a file that is gone. The default one stays: something must be in force."""
        self.refused.pop(path, None)
        for name, one in self._loaded.items():
            if one.file == path and name != self.default:
                self._loaded = {key: value for key, value in self._loaded.items() if key != name}
                return [Change("withdrawn", name, one.policy.digest)]
        return []

    def _name_of(self, path: Path) -> str:
        for name, one in self._loaded.items():
            if one.file == path:
                return name
        raise ConfigError(self.refused.get(path) or f"{path}: no such policy file")

    def _guard(self, policy: Policy) -> Guard:
        """A guard whose detectors are shared with the other guards that use the same."""
        offered = {"gate": policy.gate, "threads": self._threads}
        detectors = [self._part(one, offered) for one in policy.detectors]
        return Guard(policy, detectors, threads=self._threads, timer=self._timer)

    def _part(self, plugin: Plugin, offered: Mapping[str, Any]) -> Any:
        key = (plugin.name, json.dumps([dict(plugin.options), dict(offered)], sort_keys=True, default=str))
        part = self._parts.get(key)
        if part is None:
            part = self._parts[key] = instance("unbarb.detectors", plugin, offered)
        return part


@cache
def _preset(name: str) -> Policy:
    return Policy.load(name)
