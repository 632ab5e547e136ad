"""A folder of corpora, found by file name."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Self

from unbarb.data.examples import Labelled, Pair
from unbarb.data.readers.civil import civil
from unbarb.data.readers.davidson import davidson
from unbarb.data.readers.edos import edos
from unbarb.data.readers.identity_templates import identity_templates
from unbarb.data.readers.jigsaw import jigsaw
from unbarb.data.readers.lexicons import Term, ldnoobw, surge_profanity
from unbarb.data.readers.paradetox import cannot_rewrite, paradetox
from unbarb.data.readers.toxic_spans import toxic_spans
from unbarb.data.readers.wiki_natural import wiki_natural
from unbarb.data.readers.wikitext import wikitext
from unbarb.errors import ConfigError, InputError

VARIABLE = "UNBARB_DATA"

FILES = {
    "jigsaw": ("jigsaw_train.csv",),
    "wiki_natural": ("wiki_natural.csv",),
    "civil": ("civil_comments.csv", "civil_annotations.csv", "civil_spans.csv"),
    "toxic_spans": ("toxic_spans_train.csv",),
    "davidson": ("davidson.csv",),
    "edos": ("edos.csv",),
    "paradetox": ("paradetox.tsv",),
    "cannot_rewrite": ("paradetox_cannot_rewrite.tsv",),
    "identity_templates": ("identity_templates.csv",),
    "wikitext": ("wikitext_valid.txt",),
    "surge_profanity": ("profanity_en.csv",),
    "ldnoobw": ("ldnoobw_en.txt",),
}
"""Names of the files of each corpus; each may be gzipped and then ends in ``.gz``."""

TABLES = {
    "civil_comments": ("civil_comments_hub.csv",),
    "real_toxicity_prompts": ("real_toxicity_prompts.jsonl",),
}
"""Files of tables that are known by their columns: ``unbarb data prepare --input`` reads them."""

READERS: Mapping[str, Callable[..., list[Labelled]]] = {
    "jigsaw": jigsaw,
    "wiki_natural": wiki_natural,
    "civil": civil,
    "toxic_spans": toxic_spans,
    "davidson": davidson,
    "edos": edos,
    "cannot_rewrite": cannot_rewrite,
    "identity_templates": identity_templates,
    "wikitext": wikitext,
}
"""Readers that give labelled texts, by the name of their corpus."""


@dataclass(frozen=True, slots=True)
class Corpora:
    """The corpora in `folder`; each is read when asked for."""

    folder: Path

    @classmethod
    def from_environment(cls) -> Self:
        """The folder that the environment variable ``UNBARB_DATA`` names.

        Raises:
            ConfigError: it is not set or names no folder.
        """
        value = os.environ.get(VARIABLE, "")
        if not value or not Path(value).is_dir():
            raise ConfigError(
                f"{VARIABLE} is {value!r}, which is no folder; set it to the folder that holds the corpora"
                " (docs/data.md lists their files and where they come from)"
            )
        return cls(Path(value))

    def paths(self, name: str) -> tuple[Path, ...]:
        """The files of the corpus `name`, plain or gzipped.

        Raises:
            ConfigError: there is no corpus of that name.
            InputError: a file is missing.
        """
        if name not in FILES:
            raise ConfigError(f"no corpus named {name!r}; known: {', '.join(FILES)}")
        return tuple(self._path(file) for file in FILES[name])

    def _path(self, file: str) -> Path:
        for path in (self.folder / f"{file}.gz", self.folder / file):
            if path.is_file():
                return path
        raise InputError(f"{self.folder}: neither {file} nor {file}.gz; docs/data.md says where to get it")

    def available(self) -> tuple[str, ...]:
        """Names of the corpora whose files are all here."""
        return tuple(name for name in FILES if not self.missing(name))

    def missing(self, name: str) -> tuple[str, ...]:
        """The files of the corpus or table `name` that are not here."""
        present = {path.name.removesuffix(".gz") for path in self.folder.iterdir()}
        return tuple(file for file in {**FILES, **TABLES}[name] if file not in present)

    def labelled(self, name: str) -> list[Labelled]:
        """All labelled texts of one corpus of :data:`READERS`.

        Raises:
            ConfigError: the corpus is unknown or holds no labelled texts.
            InputError: a file is missing or cannot be read.
        """
        paths = self.paths(name)
        if name not in READERS:
            raise ConfigError(f"{name!r} has no labelled texts; those that have: {', '.join(READERS)}")
        return READERS[name](*paths)

    def pairs(self, dropped: Counter[str] | None = None) -> list[Pair]:
        """The pairs of ParaDetox; what was left out is counted in `dropped`."""
        (path,) = self.paths("paradetox")
        return paradetox(path, dropped)

    def lexicon_files(self) -> list[Term]:
        """The entries of both word lists."""
        return surge_profanity(*self.paths("surge_profanity")) + ldnoobw(*self.paths("ldnoobw"))
