"""The list of what a deployed folder holds: every file with its size and SHA-256, and what it is for.

It lies beside the files as ``unbarb-manifest.json`` and is written last: where there is one, all it names
was there. The same folder gives the same bytes.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from hashlib import file_digest
from pathlib import Path, PurePosixPath
from typing import Any

from unbarb.errors import InputError

NAME = "unbarb-manifest.json"
SCHEMA = 1

Told = Callable[[int], None]
"""Is told how many bytes more were done."""


@dataclass(frozen=True, slots=True)
class Entry:
    """One file: its size in bytes and its SHA-256 in hex.

    `checksum` is what an object store keeps of it, as the store writes it: base64 of the SHA-256, or of
    that of its parts' and ``-`` and their number. None where it was never stored.
    """

    bytes: int
    sha256: str
    checksum: str | None = None


@dataclass(frozen=True, slots=True)
class Manifest:
    """Files by their path below the folder, with ``/``; `layout` says what a server takes them for."""

    files: Mapping[str, Entry]
    layout: Mapping[str, Any] = field(default_factory=dict)

    @classmethod
    def of(
        cls, folder: Path, layout: Mapping[str, Any] | None = None, told: Told | None = None
    ) -> Manifest:
        """The manifest of what lies in `folder`; hidden files and an older manifest are left out.

        Raises:
            InputError: it is no folder, holds no file, or one cannot be read.
        """
        found = {}
        for name in names(folder):
            try:
                size = (folder / name).stat().st_size
                with (folder / name).open("rb") as file:
                    found[name] = Entry(size, file_digest(file, "sha256").hexdigest())
            except OSError as error:
                raise InputError(f"{folder / name} cannot be read: {error.strerror or error}") from error
            if told:
                told(size)
        return cls(found, dict(layout or {}))

    @classmethod
    def read(cls, folder: Path) -> Manifest:
        """The manifest that lies in `folder`.

        Raises:
            InputError: there is none, or it is damaged.
        """
        path = folder / NAME
        try:
            content = path.read_bytes()
        except OSError as error:
            raise InputError(
                f"{path} cannot be read: {error.strerror or error}; `unbarb deploy layout` writes one"
            ) from error
        return cls.parse(content, str(path))

    @classmethod
    def parse(cls, content: bytes, where: str) -> Manifest:
        """A manifest from its bytes; `where` names them in a message.

        Raises:
            InputError: it is damaged, of a schema that this version does not know, or names a path outside.
        """
        try:
            found = json.loads(content)
            if found["schema"] != SCHEMA:
                raise InputError(
                    f"{where}: schema {found['schema']!r} is not known here, only {SCHEMA}; update unbarb"
                )
            files = {
                str(name): Entry(int(one["bytes"]), str(one["sha256"]), one.get("checksum"))
                for name, one in found["files"].items()
            }
            layout = dict(found.get("layout") or {})
        except (ValueError, KeyError, TypeError, AttributeError) as error:
            raise InputError(f"{where} is no manifest of unbarb, or a damaged one: {error!r}") from error
        outside = [name for name in files if not _inside(name)]
        if outside:
            raise InputError(f"{where} names files outside of its folder: {', '.join(outside)}")
        return cls(files, layout)

    def content(self) -> bytes:
        """As it is stored: JSON, names sorted, a line break at the end."""
        files = {
            name: {"bytes": one.bytes, "sha256": one.sha256}
            | ({"checksum": one.checksum} if one.checksum else {})
            for name, one in sorted(self.files.items())
        }
        whole = {"schema": SCHEMA, "layout": self.layout, "files": files}
        return (json.dumps(whole, ensure_ascii=False, indent=2) + "\n").encode()

    def write(self, folder: Path) -> None:
        """Write it into `folder`, whole or not at all."""
        partial = folder / f".{NAME}.partial"
        partial.write_bytes(self.content())
        partial.replace(folder / NAME)

    @property
    def bytes(self) -> int:
        return sum(one.bytes for one in self.files.values())

    def differences(self, folder: Path, told: Told | None = None) -> list[str]:
        """What of `folder` is not as this manifest says, one line each; files beside it are named too."""
        there = Manifest.of(folder, told=told).files
        return list(compared(self.files, there))


def compared(wanted: Mapping[str, Entry], there: Mapping[str, Entry]) -> Iterator[str]:
    """What is missing, changed or more than is `wanted`."""
    for name, one in wanted.items():
        found = there.get(name)
        if found is None:
            yield f"{name}: missing"
        elif found.bytes != one.bytes:
            yield f"{name}: {found.bytes:,} bytes, not {one.bytes:,}"
        elif found.sha256 != one.sha256:
            yield f"{name}: SHA-256 {found.sha256[:12]}…, not {one.sha256[:12]}…"
    for name in there.keys() - wanted.keys():
        yield f"{name}: not in the manifest"


def names(folder: Path) -> list[str]:
    """The paths of the files below `folder`, sorted; without hidden ones and the manifest.

    Raises:
        InputError: it is no folder, or holds no file.
    """
    if not folder.is_dir():
        raise InputError(f"{folder}: no such folder; give the one that `unbarb deploy layout` wrote")
    found = sorted(
        path.relative_to(folder).as_posix()
        for path in folder.rglob("*")
        if path.is_file() and not any(part.startswith(".") for part in path.relative_to(folder).parts)
    )
    found = [name for name in found if name != NAME]
    if not found:
        raise InputError(f"{folder} holds no file; give the one that `unbarb deploy layout` wrote")
    return found


def _inside(name: str) -> bool:
    path = PurePosixPath(name)
    return bool(name) and not path.is_absolute() and ".." not in path.parts and "\\" not in name
