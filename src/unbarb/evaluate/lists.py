"""The lists that the suites ``obfuscation`` and ``verify`` use: the package's, or a user's own."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Self

from unbarb.data import lists
from unbarb.data.lists import Half
from unbarb.errors import InputError
from unbarb.evaluate.suites.verification import Contrast

INSULTS, LOOKALIKES, CONTRASTS = "obfuscated.txt", "lookalikes.txt", "contrasts.jsonl"
HALVES: Mapping[str, Half] = {"dev": "tune", "test": "held"}
"""The half of the package's lists that goes with each side of the split."""


@dataclass(frozen=True, slots=True)
class Lists:
    """Disguised insults, clean look-alikes and contrasts; `own` names the files that a user gave."""

    insults: tuple[str, ...]
    lookalikes: tuple[str, ...]
    contrasts: tuple[Contrast, ...]
    half: Half
    own: frozenset[str] = frozenset()

    @classmethod
    def of_package(cls, side: str = "test") -> Self:
        """The half that goes with `side`: ``held`` with test, ``tune`` with dev."""
        half = HALVES[side]
        contrasts = tuple(Contrast(*row) for row in lists.contrasts(half))
        return cls(tuple(lists.obfuscated(half)), tuple(lists.lookalikes(half)), contrasts, half)

    def replaced(self, folder: Path) -> Self:
        """These lists with the files of `folder` in their place; what it lacks stays.

        Raises:
            InputError: the folder holds none of the files, or one that cannot be read.
        """
        names = (INSULTS, LOOKALIKES, CONTRASTS)
        own = frozenset(name for name in names if (folder / name).is_file())
        if not own:
            raise InputError(f"{folder}: none of {', '.join(names)} (docs/evaluate.md says what they hold)")
        found = replace(self, own=own)
        if INSULTS in own:
            found = replace(found, insults=tuple(lines(folder / INSULTS)))
        if LOOKALIKES in own:
            found = replace(found, lookalikes=tuple(lines(folder / LOOKALIKES)))
        if CONTRASTS in own:
            contrasts = rows(folder / CONTRASTS, "source", "candidate", "kind")
            found = replace(found, contrasts=tuple(Contrast(*row) for row in contrasts))
        return found

    def called(self, *names: str) -> str:
        """What the report calls the lists `names`: whose they are."""
        shipped = f"lists of the package, {self.half}"
        return " and ".join(sorted({"own lists" if name in self.own else shipped for name in names}))


def lines(path: Path) -> list[str]:
    """The lines of `path` that are neither blank nor begin with ``#``.

    Raises:
        InputError: there is no line left.
    """
    found = [line for line in _read(path).splitlines() if line.strip() and not line.startswith("#")]
    if not found:
        raise InputError(f"{path}: no texts; give one a line")
    return found


def rows(path: Path, *fields: str) -> list[tuple[str, ...]]:
    """The `fields` of every JSON object, one a line.

    Raises:
        InputError: there is none, or a line is no object with these fields as text.
    """
    found = []
    for at, line in enumerate(_read(path).splitlines(), 1):
        if not line.strip():
            continue
        try:
            row = json.loads(line)
        except ValueError as error:
            raise InputError(f"{path}, line {at}: not JSON ({error})") from error
        if not isinstance(row, dict) or not all(isinstance(row.get(field), str) for field in fields):
            raise InputError(f"{path}, line {at}: give an object with the texts {', '.join(fields)}")
        found.append(tuple(row[field] for field in fields))
    if not found:
        raise InputError(f"{path}: no rows; give one JSON object a line")
    return found


def _read(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8")
    except UnicodeDecodeError as error:
        raise InputError(f"{path}: not UTF-8 ({error.reason} at byte {error.start})") from error
