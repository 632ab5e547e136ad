"""Word lists of profanity."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from unbarb.data.table import number, opened, rows


@dataclass(frozen=True, slots=True)
class Term:
    """An entry: lower-case text, its canonical forms, kinds, and severity 1 (mild) … 3, if rated."""

    text: str
    forms: tuple[str, ...]
    kinds: tuple[str, ...]
    severity: float | None
    source: str


def surge_profanity(path: Path) -> list[Term]:
    """Read Surge AI's list with canonical forms, categories and rated severity.

    Source: https://github.com/surge-ai/profanity; MIT.
    """
    found = []
    for row in rows(path, ("text", "severity_rating")):
        forms = tuple(value for n in (1, 2, 3) if (value := row.get(f"canonical_form_{n}")))
        kinds = tuple(value for n in (1, 2, 3) if (value := row.get(f"category_{n}")))
        severity = number(row, "severity_rating", path)
        found.append(Term(row["text"].strip().casefold(), forms, kinds, severity, "surge_profanity"))
    return found


def ldnoobw(path: Path) -> list[Term]:
    """Read the *List of Dirty, Naughty, Obscene and Otherwise Bad Words*, English, one entry a line.

    Source: https://github.com/LDNOOBW/List-of-Dirty-Naughty-Obscene-and-Otherwise-Bad-Words; CC BY 4.0.
    """
    with opened(path) as file:
        lines = (line.strip().casefold() for line in file)
        return [Term(line, (), (), None, "ldnoobw") for line in lines if line]
