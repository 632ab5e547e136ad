"""The stage: rows in, what becomes of them out. Built once a worker, for it holds the guard."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path as FilePath
from typing import TYPE_CHECKING, Any

import numpy as np

from unbarb.corpus.fields import FieldError, Path, name_of, texts_of
from unbarb.corpus.settings import Settings
from unbarb.errors import InputError
from unbarb.guard import THE_POLICYS, Guard
from unbarb.policy import Policy
from unbarb.text import Direction, Verdict

if TYPE_CHECKING:
    from numpy.typing import NDArray

WITHHELD = ("block", "route")
CHANGED = ("rewrite", "mask")
DONE = "unbarb"
"""Column that `CleanRows` adds to a batch."""


@dataclass(slots=True)
class Cleaned:
    """What becomes of one row.

    `new` are the texts to be replaced, empty where the row stays as it is and None where it is dropped;
    `verdicts` are those that were not simply allowed, with where each text stands.
    """

    new: Mapping[Path, str] | None = field(default_factory=dict)
    verdicts: Sequence[tuple[Path, Verdict]] = ()


_CLEAN = Cleaned()


class CleanRows:
    """Cleans batches of rows: a class for ``map_batches`` of Ray Data, or for any loop of your own.

    >>> dataset.map_batches(CleanRows, fn_constructor_kwargs={"columns": ["text"]}, ...)  # doctest: +SKIP

    A text's verdict depends on nothing but the text and the settings, so that batches may be of any size.

    Args:
        policy: a preset's name, a policy file, or a :class:`~unbarb.policy.Policy`.
        columns: those that hold texts, nested ones as ``a.b``; default ``text``.
        roles: of chat messages, the roles that are cleaned; default all.
        filter: drop the rows that would be rewritten or masked.
        direction: whether texts go into a model or come out of it; the policy may differ.
        threads: texts worked on side by side; one, for workers are processes.

    Raises:
        ConfigError, PluginError, ModelError: as `Guard`.
    """

    def __init__(
        self,
        policy: str | FilePath | Policy = "default",
        columns: str | Sequence[str] | None = None,
        *,
        roles: str | Sequence[str] | None = None,
        filter: bool = False,
        direction: Direction = "none",
        threads: int = 1,
    ) -> None:
        settings = Settings.of(policy, columns, roles=roles, filter=filter, direction=direction)
        self._prepare(settings, threads)

    @classmethod
    def of(cls, settings: Settings) -> CleanRows:
        """The stage for a run's settings."""
        stage = cls.__new__(cls)
        stage._prepare(settings, 1)
        return stage

    def _prepare(self, settings: Settings, threads: int) -> None:
        self.settings = settings
        policy = settings.load_policy()
        # Where nothing is rewritten no rewriter is loaded.
        rewriter = None if settings.filter else THE_POLICYS
        self._guard = Guard(policy, rewriter=rewriter, threads=threads)

    @property
    def models(self) -> dict[str, str]:
        """What decides, by name, with its digest."""
        return {member.name: member.digest for member in self._guard.panel.members}

    def rows(self, texts: Sequence[Sequence[tuple[Path, str]]]) -> list[Cleaned]:
        """What becomes of each row, given as its texts; a text that stands there often is read once."""
        todo = dict.fromkeys(text for row in texts for _, text in row)
        decide = self._guard.check_batch if self.settings.filter else self._guard.batch
        verdicts = decide(list(todo), direction=self.settings.direction)
        known = {
            text: verdict for text, verdict in zip(todo, verdicts, strict=True) if verdict.action != "allow"
        }
        if not known:
            return [_CLEAN] * len(texts)
        return [self._row(row, known) for row in texts]

    def _row(self, texts: Sequence[tuple[Path, str]], known: Mapping[str, Verdict]) -> Cleaned:
        found = [(path, known[text]) for path, text in texts if text in known]
        if not found:
            return _CLEAN
        if any(verdict.text is None or self.drops(verdict) for _, verdict in found):
            return Cleaned(None, found)
        new = {path: verdict.text or "" for path, verdict in found if verdict.action in CHANGED}
        return Cleaned(new, found)

    def drops(self, verdict: Verdict) -> bool:
        """Whether a row with a text of this verdict is left out."""
        return verdict.action in WITHHELD or (self.settings.filter and verdict.action in CHANGED)

    def __call__(self, batch: dict[str, NDArray[Any]]) -> dict[str, NDArray[Any]]:
        """The batch cleaned: texts replaced, rows dropped, and a column ``unbarb`` that says what was done.

        All columns have the shape (rows,). The new one holds a JSON list of what was found in the row,
        and is empty where nothing was.

        Raises:
            InputError: a column is missing, or holds what is no text.
        """
        count = len(next(iter(batch.values()), ()))
        tops = {name if name in batch else name.split(".")[0] for name in self.settings.columns}
        if missing := sorted(tops.difference(batch)):
            raise InputError(f"no column {', '.join(map(repr, missing))}; the batch has {', '.join(batch)}")
        rows = [{name: _plain(batch[name][at]) for name in tops} for at in range(count)]
        try:
            texts = [texts_of(row, self.settings.columns, self.settings.roles) for row in rows]
        except FieldError as error:
            raise InputError(f"a row of the batch: {error}") from None
        cleaned = self.rows(texts)
        for row, one in zip(rows, cleaned, strict=True):
            for path, text in (one.new or {}).items():
                _put(row, path, text)
        kept = np.array([one.new is not None for one in cleaned], bool)
        changed = {str(path[0]) for one in cleaned for path in one.new or ()}
        result = {
            name: (_column([row[name] for row in rows]) if name in changed else values)[kept]
            for name, values in batch.items()
        }
        result[DONE] = _column([_told(one) for one in cleaned])[kept]
        return result


def _plain(value: Any) -> Any:
    """A value as Python's own lists and mappings, which numpy's arrays inside of columns are not."""
    if isinstance(value, np.ndarray):
        return [_plain(item) for item in value]
    if isinstance(value, list | tuple):
        return [_plain(item) for item in value]
    if isinstance(value, Mapping):
        return {key: _plain(item) for key, item in value.items()}
    return value


def _put(row: dict[str, Any], path: Path, text: str) -> None:
    inside: Any = row
    for part in path[:-1]:
        inside = inside[part]
    inside[path[-1]] = text


def _column(values: Sequence[Any]) -> NDArray[Any]:
    """One object each, also where all are lists of one length."""
    column = np.empty(len(values), object)
    for at, value in enumerate(values):
        column[at] = value
    return column


def _told(cleaned: Cleaned) -> str:
    if not cleaned.verdicts:
        return ""
    return json.dumps([record(path, verdict) for path, verdict in cleaned.verdicts], ensure_ascii=False)


def record(path: Path, verdict: Verdict) -> dict[str, Any]:
    """What is kept of a verdict about the text at `path`: what was done to it and why."""
    return {
        "where": name_of(path),
        "action": verdict.action,
        "rule": verdict.rule,
        "step": verdict.step,
        "edits": [
            {
                "start": edit.start,
                "end": edit.end,
                "removed": verdict.original[edit.start : edit.end],
                "replacement": edit.replacement,
            }
            for edit in verdict.edits
        ],
        "scores": dict(verdict.scores),
        "scores_after": None if verdict.scores_after is None else dict(verdict.scores_after),
        "meaning": None if verdict.meaning is None else round(verdict.meaning, 4),
        "not_detoxifiable": verdict.not_detoxifiable,
        "warnings": list(verdict.warnings),
    }
