"""Test lists that the package carries: disguised insults, clean look-alikes, contrast pairs.

They were written for unbarb (Apache-2.0). Each row belongs to a half: rules and checks were made with an
eye on ``tune``; ``held`` shares no disguised word, text or source sentence with it and is for reporting.
"""

from __future__ import annotations

import json
from importlib.resources import files
from typing import Literal

Half = Literal["tune", "held"]

_FOLDER = files("unbarb") / "data"


def obfuscated(half: Half) -> list[str]:
    """Insults disguised by rule: leet, stars, dots, spaces, repeats, look-alike letters."""
    return [text for own, _, _, text in _rows("disguise/obfuscated.tsv", 4) if own == half]


def lookalikes(half: Half) -> list[str]:
    """Clean words and sentences that look like insults or like disguises."""
    return [text for own, text in _rows("disguise/lookalikes.tsv", 2) if own == half]


def contrasts(half: Half) -> list[tuple[str, str, str]]:
    """Rewrites that must be rejected: (source, candidate, kind) each."""
    rows = map(json.loads, _lines("contrast/contrasts.jsonl"))
    return [(row["source"], row["candidate"], row["kind"]) for row in rows if row["half"] == half]


def _rows(name: str, columns: int) -> list[list[str]]:
    """The fields of every line under the header."""
    return [line.split("\t", columns - 1) for line in _lines(name)[1:]]


def _lines(name: str) -> list[str]:
    # Not splitlines(): a disguise may hold a character that it takes for the end of a line.
    return (_FOLDER / name).read_text(encoding="utf-8").rstrip("\n").split("\n")
