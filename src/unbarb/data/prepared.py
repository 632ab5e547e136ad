"""A prepared set: a folder with three files of rows and a manifest that says where every row came from.

Rows are JSON objects, one a line, of one of four kinds::

    pairs        {"id", "source", "target", "corpus"}
    labelled     {"id", "text", "labels": {label: 0…1}, "corpus"}
    preferences  {"id", "source", "chosen", "rejected", "corpus"}
    texts        {"id", "text", "corpus"}

Each may carry ``"meta"``, an object. ``manifest.json`` holds the SHA-256 of every file, so that a set that
was changed by hand is not taken for the one that was measured.
"""

from __future__ import annotations

import hashlib
import json
import shutil
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from itertools import combinations
from pathlib import Path
from typing import Any, Literal, Self, get_args

from unbarb.data.split import group_key
from unbarb.errors import InputError

Kind = Literal["pairs", "labelled", "preferences", "texts"]
Row = dict[str, Any]

KINDS: Mapping[str, tuple[str, ...]] = {
    "pairs": ("source", "target"),
    "labelled": ("text",),
    "preferences": ("source", "chosen", "rejected"),
    "texts": ("text",),
}
"""The texts of a row of each kind; the first is the one that a split goes by."""

SPLITS = ("train", "dev", "test")
MANIFEST = "manifest.json"
SCHEMA = 1
SHOWN = 20
"""So many problems are told one by one, the others counted."""


@dataclass(frozen=True, slots=True)
class Prepared:
    """A prepared set that was read, checked and found whole; rows are read when asked for.

    `digest` is of the rows alone: two sets with the same rows have the same one.
    """

    folder: Path
    kind: Kind
    manifest: Mapping[str, Any]
    digest: str

    @classmethod
    def load(cls, folder: Path | str) -> Self:
        """Read the manifest, compare every digest and check every row.

        Raises:
            InputError: the folder is no prepared set, a file is missing or was changed, a row is not of
                the set's kind, or a source stands in two splits; all that is wrong at once.
        """
        folder = Path(folder)
        manifest = _manifest(folder)
        kind: Kind = manifest["kind"]
        problems = _changed(folder, manifest)
        if not problems:
            labels = manifest.get("labels") or None
            for name in SPLITS:
                problems += faults(_lines(folder / f"{name}.jsonl"), kind, f"{name}.jsonl", labels)
        prepared = cls(folder, kind, manifest, manifest["digest"])
        if not problems:
            problems += [
                f"{pair}: {len(shared):,} sources stand in both, as {shared[0]!r}; prepare the set anew"
                for pair, shared in prepared.leaks().items()
            ]
        raise_all(f"{folder} cannot be used", problems)
        return prepared

    def split(self, name: str) -> list[Row]:
        """The rows of ``train``, ``dev`` or ``test``.

        Raises:
            InputError: there is no such split.
        """
        return list(self.rows(name))

    def rows(self, name: str) -> Iterator[Row]:
        """As `split`, one row at a time."""
        if name not in SPLITS:
            raise InputError(f"no split {name!r} in {self.folder}; there are {', '.join(SPLITS)}")
        return (json.loads(line) for _, line in _lines(self.folder / f"{name}.jsonl"))

    @property
    def labels(self) -> tuple[str, ...]:
        """The labels that rows know, in the manifest's order; none for other kinds."""
        return tuple(self.manifest.get("labels", ()))

    def leaks(self) -> dict[str, list[str]]:
        """The normalised sources that two splits share, by ``"train/test"`` and so on; empty when none."""
        return shared({name: {source_key(row, self.kind) for row in self.rows(name)} for name in SPLITS})


def source_key(row: Mapping[str, Any], kind: Kind) -> str:
    """The normalised source of a row: what must not be in two splits."""
    return group_key(row[KINDS[kind][0]])


def shared(keys: Mapping[str, set[str]]) -> dict[str, list[str]]:
    """The keys that two splits have in common, sorted; only splits that share any."""
    found = {f"{one}/{other}": sorted(keys[one] & keys[other]) for one, other in combinations(keys, 2)}
    return {pair: both for pair, both in found.items() if both}


def write_prepared(
    folder: Path | str,
    kind: Kind,
    splits: Mapping[str, Iterable[Row]],
    about: Mapping[str, Any] | None = None,
    *,
    finish: Callable[[Path], Mapping[str, Any]] = lambda part: {},
    overwrite: bool = False,
) -> Prepared:
    """Write rows by split and their manifest, and read the set back, as anybody will, before it appears.

    A split that is not in `splits` becomes an empty file. `about` goes into the manifest: sources, options,
    drops; so does what `finish` gives, which is called when all rows are written and may write further
    files into the folder it is given. The folder appears when all is written; a stopped run leaves only
    ``FOLDER.part``.

    Raises:
        InputError: a row is not of `kind`, a source is in two splits, the folder is in use (without
            `overwrite`, or it holds something else than a prepared set), or it cannot be written.
    """
    folder = Path(folder)
    refuse_other(folder, overwrite=overwrite)
    part = folder.with_name(f"{folder.name}.part")
    try:
        shutil.rmtree(part, ignore_errors=True)
        part.mkdir(parents=True)
        counts = {name: _written(part / f"{name}.jsonl", splits.get(name, ())) for name in SPLITS}
        seal(part, kind, {**(about or {}), "rows": counts, **finish(part)})
        checked = Prepared.load(part)
        shutil.rmtree(folder, ignore_errors=True)
        part.rename(folder)
    except OSError as error:
        raise InputError(f"{folder} cannot be written: {error.strerror or error}") from error
    return replace(checked, folder=folder)


def seal(folder: Path, kind: Kind, about: Mapping[str, Any]) -> None:
    """Write the manifest of the files that stand in `folder`."""
    files = {path.name: file_digest(path) for path in sorted(folder.iterdir()) if path.name != MANIFEST}
    manifest = {"schema": SCHEMA, "kind": kind, "digest": _digest(files), **about, "files": files}
    if kind == "labelled" and "labels" not in manifest:
        manifest["labels"] = _labels(folder)
    text = json.dumps(manifest, ensure_ascii=False, indent=2)
    (folder / MANIFEST).write_text(text + "\n", encoding="utf-8")


def refuse_other(folder: Path, *, overwrite: bool) -> None:
    """Say no before any work when `folder` must not be written.

    Raises:
        InputError: it holds something else, or a set and `overwrite` is not given.
    """
    if folder.is_dir() and not any(folder.iterdir()):
        return
    if folder.exists() and not (folder / MANIFEST).is_file():
        raise InputError(f"{folder} is there and is no prepared set; name another folder")
    if folder.exists() and not overwrite:
        raise InputError(f"{folder} holds a prepared set already; name another folder or give --overwrite")


def faults(
    lines: Iterable[tuple[int, str]], kind: Kind, name: str, labels: Iterable[str] | None = None
) -> list[str]:
    """What is wrong with rows of `kind`, each with file and line; `labels` are those that may occur."""
    known = None if labels is None else set(labels)
    found = []
    for number, line in lines:
        try:
            row = json.loads(line)
        except ValueError as error:
            found.append(f"{name}:{number}: not JSON: {error}")
            continue
        found += [f"{name}:{number}: {fault}" for fault in _faults_of(row, kind, known)]
    return found


def _faults_of(row: object, kind: Kind, known: set[str] | None) -> Iterator[str]:
    if not isinstance(row, dict):
        yield f"a JSON object is needed, not {type(row).__name__}"
        return
    for column in ("id", *KINDS[kind], "corpus"):
        value = row.get(column)
        if column not in row:
            yield f"no {column!r}; a row of {kind} has {', '.join(('id', *KINDS[kind], 'corpus'))}"
        elif not isinstance(value, str):
            yield f"{column!r} must be a string, not {json.dumps(value)}"
        elif not value.strip():
            yield f"{column!r} is empty"
    if kind == "labelled":
        yield from _label_faults(row.get("labels"), known)
    if not isinstance(row.get("meta", {}), dict):
        yield "'meta' must be an object"


def _label_faults(labels: object, known: set[str] | None) -> Iterator[str]:
    if not isinstance(labels, dict) or not labels:
        yield "'labels' must be an object with at least one label"
        return
    for label, value in labels.items():
        if known is not None and label not in known:
            yield f"label {label!r} is not one of {', '.join(sorted(known))}"
        if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value <= 1:
            yield f"label {label!r} must be a number from 0 to 1, not {json.dumps(value)}"


def raise_all(what: str, problems: list[str]) -> None:
    """One error that tells every problem, or nothing when there is none.

    Raises:
        InputError: there are problems.
    """
    if problems:
        more = f"\n  … and {len(problems) - SHOWN:,} more" if len(problems) > SHOWN else ""
        raise InputError(f"{what}:\n  " + "\n  ".join(problems[:SHOWN]) + more)


def file_digest(path: Path) -> str:
    """SHA-256 of a file, in hexadecimal."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _manifest(folder: Path) -> dict[str, Any]:
    path = folder / MANIFEST
    if not path.is_file():
        raise InputError(f"{folder} is no prepared set (no {MANIFEST}); `unbarb data prepare` writes one")
    try:
        manifest = json.loads(path.read_text("utf-8"))
    except ValueError as error:
        raise InputError(f"{path}: not JSON: {error}") from error
    if not isinstance(manifest, dict) or manifest.get("schema") != SCHEMA:
        raise InputError(f"{path}: schema {SCHEMA} is needed; prepare the set anew")
    if manifest.get("kind") not in get_args(Kind):
        raise InputError(f"{path}: kind {manifest.get('kind')!r} is not one of {', '.join(get_args(Kind))}")
    if not isinstance(manifest.get("files"), dict) or not isinstance(manifest.get("digest"), str):
        raise InputError(f"{path}: no digests; prepare the set anew")
    return manifest


def _digest(files: Mapping[str, str]) -> str:
    return hashlib.sha256("".join(files.get(f"{name}.jsonl", "") for name in SPLITS).encode()).hexdigest()


def _changed(folder: Path, manifest: Mapping[str, Any]) -> list[str]:
    found = []
    for name in {**{f"{split}.jsonl": "" for split in SPLITS}, **manifest["files"]}:
        path, expected = folder / name, manifest["files"].get(name)
        if not path.is_file():
            found.append(f"{name} is missing")
        elif file_digest(path) != expected:
            found.append(f"{name} is not the file that the manifest knows (its SHA-256 differs)")
    if _digest(manifest["files"]) != manifest["digest"]:
        found.append(f"{MANIFEST}: the digest is not that of its files")
    return found


def _lines(path: Path) -> Iterator[tuple[int, str]]:
    # By \n alone: a text may hold other characters that splitlines() takes for the end of a line.
    with path.open(encoding="utf-8", newline="\n") as file:
        yield from enumerate(file, 1)


def _written(path: Path, rows: Iterable[Row]) -> int:
    number = 0
    with path.open("w", encoding="utf-8", newline="\n") as file:
        for number, row in enumerate(rows, 1):  # noqa: B007 - the last number is the count
            file.write(json.dumps(row, ensure_ascii=False) + "\n")
    return number


def _labels(folder: Path) -> list[str]:
    """Every label that a row knows, in the order of their first row."""
    found: dict[str, None] = {}
    for name in SPLITS:
        for _, line in _lines(folder / f"{name}.jsonl"):
            found.update(dict.fromkeys(json.loads(line).get("labels", {})))
    return list(found)
