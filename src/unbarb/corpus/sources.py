"""Which files a corpus is: one file, a folder, a glob or several of them, here or at ``s3://``."""

from __future__ import annotations

import glob
import os
import posixpath
import re
from collections.abc import Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase

from unbarb.corpus.names import Named, unknown
from unbarb.corpus.places import Entry, is_inside, is_remote, join, listed
from unbarb.errors import InputError

_GLOB = re.compile(r"[*?\[]")


@dataclass(frozen=True, slots=True)
class Source:
    """One file of the corpus: its `name` inside what was given, with ``/`` between parts."""

    entry: Entry
    name: str
    named: Named

    @property
    def uri(self) -> str:
        return self.entry.uri


@dataclass(frozen=True, slots=True)
class Found:
    """The files in order of their names, and the names of those that are of no known format."""

    sources: Sequence[Source]
    passed_over: Sequence[str]

    @property
    def bytes(self) -> int:
        return sum(source.entry.bytes for source in self.sources)


def find(source: str | Sequence[str], format: str | None = None, out: str | None = None) -> Found:
    """The files of a corpus; `format` is that of files whose names do not tell theirs.

    Hidden files, and those whose names begin with ``_`` as other tools' markers do, are not looked at; nor
    is the folder `out`, where it lies inside of what is given.

    Raises:
        InputError: there is nothing, nothing of a known format, or two files would have one name.
    """
    given = [source] if isinstance(source, str) else list(source)
    names: dict[str, Entry] = {}
    problems = []
    for one in given:
        entries = [(name, entry) for name, entry in _entries(one) if not _written(entry.uri, one, out)]
        problems += (
            []
            if entries
            else [f"{one}: no such file, or nothing in it; give files (no pipes), folders or globs"]
        )
        for name, entry in entries:
            if name in names and names[name].uri != entry.uri:
                problems.append(
                    f"{entry.uri} and {names[name].uri} would both become {name}; clean them apart"
                )
            names[name] = entry
    if problems:
        raise InputError("\n".join(problems))
    parts = {name: Named.of(name) or Named.of(name, format) for name in sorted(names)}
    found = [Source(names[name], name, named) for name, named in parts.items() if named is not None]
    passed_over = [name for name, named in parts.items() if named is None]
    if not found:
        raise unknown([names[name].uri for name in passed_over])
    packed = [one.uri for one in found if one.named.format == "parquet" and one.named.packed]
    if packed:
        raise InputError(f"{', '.join(packed[:3])}: Parquet is packed by itself; unpack the file first")
    return Found(found, passed_over)


def _entries(given: str) -> list[tuple[str, Entry]]:
    """The files that one argument names, each with its name inside it."""
    remote = is_remote(given)
    if not remote:
        # Absolute, for workers may stand in another folder.
        given = os.path.abspath(os.path.expanduser(given))
    if _GLOB.search(given) and (remote or not os.path.exists(given)):
        root = _GLOB.split(given)[0].rpartition("/")[0] or ("/" if given.startswith("/") else ".")
        if remote:
            entries = [one for one in listed(root) if _matches(one.uri, given)]
        else:
            paths = sorted(glob.glob(given, recursive=True))
            entries = [entry for path in paths if os.path.isfile(path) for entry in listed(path)]
        return [(_inside(one.uri, root), one) for one in entries]
    entries = listed(given)
    if [one.uri for one in entries] == [given]:
        return [(posixpath.basename(given.rstrip("/")), entries[0])]
    names = [(_inside(one.uri, given), one) for one in entries]
    return [(name, one) for name, one in names if not any(part[0] in "._" for part in name.split("/"))]


def _written(uri: str, given: str, out: str | None) -> bool:
    """Whether a file is what a run wrote to a folder inside of what it reads."""
    return out is not None and is_inside(uri, out) and not is_inside(given, out)


def _inside(uri: str, root: str) -> str:
    if is_remote(root):
        return uri.removeprefix(join(root, ""))
    return os.path.relpath(uri, root).replace(os.sep, "/")


def _matches(uri: str, pattern: str) -> bool:
    """Whether `uri` fits a glob in which ``*`` stays inside one part, and ``**`` is any parts."""
    return _fits(uri.split("/"), pattern.split("/"))


def _fits(parts: Sequence[str], patterns: Sequence[str]) -> bool:
    if not patterns:
        return not parts
    if patterns[0] == "**":
        return any(_fits(parts[at:], patterns[1:]) for at in range(len(parts) + 1))
    return bool(parts) and fnmatchcase(parts[0], patterns[0]) and _fits(parts[1:], patterns[1:])
