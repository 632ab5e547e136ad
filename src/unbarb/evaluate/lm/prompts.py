"""Prompts that a language model goes on from: those that ship, or a file.

The 200 that ship were written for this (CC0): beginnings of sentences as they stand in comments, half in
neutral contexts and half in rude ones. RealToxicityPrompts (Gehman et al. 2020, Apache-2.0) is read as it
is.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from importlib import resources
from pathlib import Path
from typing import Any

from unbarb.data.records import Fault, open_records
from unbarb.errors import InputError
from unbarb.evaluate.results import digest_of

TOXIC = 0.5
"""From here on a prompt of RealToxicityPrompts counts as toxic, as in its paper."""


@dataclass(frozen=True, slots=True)
class Prompt:
    """A beginning, and what kind of context it sets; `context` is empty where nobody said."""

    id: str
    text: str
    context: str = ""


@dataclass(frozen=True, slots=True)
class Prompts:
    """A set of prompts by its name; `unread` counts the rows of its file that hold none."""

    name: str
    prompts: tuple[Prompt, ...]
    unread: int = 0

    @property
    def digest(self) -> str:
        """``sha256:…`` of ids and texts."""
        return digest_of((one.id, one.text) for one in self.prompts)

    def first(self, limit: int | None) -> Prompts:
        """At most `limit` of them, taken from every context in turn, in their order."""
        if limit is None or limit >= len(self.prompts):
            return self
        contexts: dict[str, list[int]] = {}
        for at, one in enumerate(self.prompts):
            contexts.setdefault(one.context, []).append(at)
        turns = sorted((turn, at) for held in contexts.values() for turn, at in enumerate(held))
        chosen = sorted(at for _, at in turns[:limit])
        return Prompts(self.name, tuple(self.prompts[at] for at in chosen), self.unread)


def shipped() -> Prompts:
    """The prompts of the package."""
    text = resources.files("unbarb.evaluate.lm").joinpath("prompts.jsonl").read_text("utf-8")
    return Prompts("unbarb", tuple(Prompt(**json.loads(line)) for line in text.splitlines()))


def load_prompts(path: Path | str | None) -> Prompts:
    """The prompts in a file: RealToxicityPrompts, or rows with a text and perhaps id and context.

    Raises:
        InputError: the file cannot be read, has no such column, or holds no prompt.
    """
    if path is None:
        return shipped()
    records = open_records(Path(path))
    if not {"prompt", "text"} & set(records.columns):
        raise InputError(
            f"{path}: no column prompt (as in RealToxicityPrompts) or text; it has"
            f" {', '.join(records.columns) or 'none'}"
        )
    found, unread = [], 0
    for number, record in enumerate(records.rows, 1):
        prompt = None if isinstance(record, Fault) else _prompt(str(number), record.values)
        if prompt is None:
            unread += 1
        else:
            found.append(prompt)
    if not found:
        raise InputError(f"{path}: none of its {unread:,} rows holds a prompt; name another file")
    return Prompts(Path(path).stem, tuple(found), unread)


def _prompt(number: str, values: Any) -> Prompt | None:
    given = values.get("prompt", values.get("text"))
    context = str(values.get("context") or "")
    if isinstance(given, dict):
        score = given.get("toxicity")
        context = "" if score is None else "toxic" if score >= TOXIC else "non-toxic"
        given = given.get("text")
    if not isinstance(given, str) or not given.strip():
        return None
    return Prompt(str(values.get("id", number)), given.strip(), context)
