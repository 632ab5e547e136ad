"""The shipped English word list: entries with severity and sense, spellings, and what only looks alike."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Literal, cast

from unbarb.errors import ModelError

FOLDER = Path(__file__).parent.parent / "models" / "lexicon-en"
FILES = ("lexicon.tsv", "spellings.tsv", "innocent.txt", "pieces.txt")

Sense = Literal["always", "mostly", "ambiguous"]


@dataclass(frozen=True, slots=True)
class Entry:
    """One line of ``lexicon.tsv``.

    `severity` is 1 mild, 2 strong, 3 severe. `sense` says how often the word is rude when it is
    written: always, mostly, or only in some senses. `precision` is the share of toxic texts among
    the `n` public comments that hold it; None where `n` is under 5. `disguised` says whether a
    spelling that hides it (leet, stars, spaces) is read as it.
    """

    text: str
    labels: tuple[str, ...]
    severity: int
    sense: Sense
    forms: tuple[str, ...]
    precision: float | None
    n: int
    disguised: bool

    @property
    def plain(self) -> bool:
        """Whether it is strong and rude by itself, so that a slip of it or a glued one is meant as it."""
        return self.severity >= 2 and self.sense != "ambiguous"


Phrases = Mapping[str, tuple[tuple[tuple[str, ...], Entry | None], ...]]


@dataclass(frozen=True, slots=True)
class WordList:
    """The list, ready to look words up in.

    `words` maps every written form to its entry; `phrases` the first word of a phrase to the phrases,
    longest first, an innocent one with no entry; `spellings` a known misspelling to the form it is of.
    `innocent` words only look like a disguise; `pieces` are ordinary words that a listed word begins
    or ends with.
    """

    words: Mapping[str, Entry]
    phrases: Phrases
    spellings: Mapping[str, str]
    innocent: frozenset[str]
    pieces: frozenset[str]


@cache
def load() -> WordList:
    """Read the shipped list, once.

    Raises:
        ModelError: a file is missing or a line of it cannot be read.
    """
    words: dict[str, Entry] = {}
    phrases: dict[str, list[tuple[tuple[str, ...], Entry | None]]] = {}
    for entry in _entries():
        for form in (entry.text, *entry.forms):
            parts = tuple(form.replace("-", " ").replace("'", " ").split())
            if len(parts) == 1:
                words.setdefault(form, entry)
            else:
                phrases.setdefault(parts[0], []).append((parts, entry))
    innocent = [line.split() for line in _lines("innocent.txt")]
    for line in innocent:
        if len(line) > 1:
            phrases.setdefault(line[0], []).append((tuple(line), None))
    spellings = {
        spelling: word
        for word, _, written in (line.partition("\t") for line in _lines("spellings.tsv"))
        for spelling in written.split()
    }
    return WordList(
        words=words,
        phrases={first: tuple(sorted(found, key=lambda p: -len(p[0]))) for first, found in phrases.items()},
        spellings=spellings,
        innocent=frozenset(line[0] for line in innocent if len(line) == 1),
        pieces=frozenset(" ".join(_lines("pieces.txt")).split()),
    )


def _lines(name: str) -> list[str]:
    path = FOLDER / name
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
    except OSError as error:
        raise ModelError(f"{path}: cannot be read ({error}); install unbarb again") from error
    return [line for line in lines if line and not line.startswith("#")]


def _entries() -> list[Entry]:
    found = []
    for number, line in enumerate(_lines("lexicon.tsv"), 2):
        try:
            text, labels, severity, sense, forms, _, precision, n, disguised = line.split("\t")
            entry = Entry(
                text,
                tuple(labels.split(",")),
                int(severity),
                cast(Sense, sense),
                tuple(forms.split(",")) if forms else (),
                float(precision) if precision else None,
                int(n or 0),
                disguised == "yes",
            )
        except ValueError as error:
            raise ModelError(f"lexicon.tsv, line {number}: {error}; nine columns are needed") from error
        found.append(entry)
    return found
