"""Fetches corpora by their public names from the Hugging Face hub, into the files that the readers know.

Needs the package ``datasets``, which is imported only when something is fetched. The other corpora of
``docs/data.md`` are plain files in public repositories, to be downloaded by hand.
"""

from __future__ import annotations

import csv
import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from typing import Any

from unbarb.data.corpora import FILES, TABLES
from unbarb.errors import ConfigError, InputError, MissingExtra
from unbarb.text import LABELS


@dataclass(frozen=True, slots=True)
class HubSource:
    """Where a corpus is on the hub: its name, configuration and split, and the column for each of ours."""

    repository: str
    configuration: str | None
    split: str
    columns: Mapping[str, str]


HUB: Mapping[str, HubSource] = {
    "paradetox": HubSource(
        "s-nlp/paradetox",
        None,
        "train",
        {"toxic": "en_toxic_comment", "neutral1": "en_neutral_comment"},
    ),
    "davidson": HubSource(
        "tdavidson/hate_speech_offensive",
        None,
        "train",
        {
            "hate_votes": "hate_speech_count",
            "offensive_votes": "offensive_language_count",
            "neither_votes": "neither_count",
            "text": "tweet",
        },
    ),
    "jigsaw": HubSource(
        "thesofakillers/jigsaw-toxic-comment-classification-challenge",
        None,
        "train",
        {
            "text": "comment_text",
            **{
                column: column
                for column in ("toxic", "severe_toxic", "obscene", "threat", "insult", "identity_hate")
            },
        },
    ),
    "civil_comments": HubSource(
        "google/civil_comments", None, "train", {column: column for column in ("text", *LABELS)}
    ),
    "real_toxicity_prompts": HubSource(
        "allenai/real-toxicity-prompts",
        None,
        "train",
        {column: column for column in ("prompt", "continuation", "challenging")},
    ),
    "wikitext": HubSource("Salesforce/wikitext", "wikitext-103-v1", "validation", {"text": "text"}),
}
"""Corpora that can be fetched, by their name here. Train rows only: no test set is fetched."""


def fetch(name: str, folder: Path, repository: str | None = None) -> Path:
    """Write the corpus `name` into `folder` and give the file; an existing file is left alone.

    `repository` may name a mirror or a local folder in the hub's format instead.

    Raises:
        ConfigError: `name` cannot be fetched from the hub.
        MissingExtra: the package ``datasets`` is not installed.
        InputError: the hub did not give it, or what it gave lacks a column.
    """
    if name not in HUB:
        raise ConfigError(
            f"{name!r} is not on the hub; there are {', '.join(HUB)}."
            " docs/data.md says where to get the others"
        )
    path = folder / {**FILES, **TABLES}[name][0]
    for present in (path, path.with_name(f"{path.name}.gz")):
        if present.exists():
            return present
    source = HUB[name]
    # A local folder has no configurations of that name.
    configuration = source.configuration if repository is None else None
    rows = _load(repository or source.repository, configuration, source.split)
    partial = path.with_name(path.name + ".partial")
    _write(rows, source, partial)
    return partial.replace(path)


def _load(repository: str, configuration: str | None, split: str) -> Iterable[Mapping[str, Any]]:
    try:
        datasets = import_module("datasets")
    except ModuleNotFoundError as error:
        raise MissingExtra(
            "fetching from the hub needs the package 'datasets': pip install datasets"
        ) from error
    try:
        rows: Iterable[Mapping[str, Any]] = datasets.load_dataset(repository, configuration, split=split)
    except Exception as error:  # no network, no such name, a login: each raises classes of another package
        raise InputError(
            f"{repository}: the hub did not give it ({type(error).__name__}: {error});"
            " name a mirror or a local folder instead, or get the file by hand (docs/data.md)"
        ) from error
    return rows


def _write(rows: Iterable[Mapping[str, Any]], source: HubSource, path: Path) -> None:
    """Text files get lines as they are, JSONL objects, tables a header; columns have our names."""
    name = path.name.removesuffix(".partial")
    with path.open("w", encoding="utf-8", newline="") as file:
        table = csv.writer(file, delimiter="\t" if name.endswith(".tsv") else ",", lineterminator="\n")
        if not name.endswith((".txt", ".jsonl")):
            table.writerow(source.columns)
        for row in rows:
            missing = [column for column in source.columns.values() if column not in row]
            if missing:
                raise InputError(
                    f"{source.repository}: no column {', '.join(missing)}; found {', '.join(row)}"
                )
            values = [row[column] for column in source.columns.values()]
            if name.endswith(".txt"):
                file.write(f"{values[0].rstrip()}\n")
            elif name.endswith(".jsonl"):
                told = dict(zip(source.columns, values, strict=True))
                file.write(json.dumps(told, ensure_ascii=False) + "\n")
            else:
                table.writerow(values)
