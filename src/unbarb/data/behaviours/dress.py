"""Puts a bare clause into the forms that real writing has: margins, capitals, punctuation."""

from __future__ import annotations

import random
import re

from unbarb.data.behaviours.material import Split, margins

INNER_START = re.compile(r"(?<=[.!?] )([a-z])")
FULL_STOPS = (".",) * 10 + ("",) * 4 + ("!",) * 2 + ("!!", "!!!", "...", " .")


def dress(clause: str, split: Split, rng: random.Random, plain: bool = False) -> str:
    """A sentence, or a few, of `clause`; `plain` gives one capital and a full stop, nothing else."""
    if plain:
        return capital(clause) + ("" if clause.endswith(("?", "!")) else ".")
    around = margins(split)
    text = clause
    if rng.random() < 0.2:
        text = f"{rng.choice(around['openers'])} {text}"
    if rng.random() < 0.12 and not text.endswith("?"):
        text = f"{text}{rng.choice((', ', ' - ', ' ', '. '))}{rng.choice(around['closers'])}"
    text = INNER_START.sub(lambda match: match[1].upper(), capital(text))
    text += "" if text.endswith("?") else rng.choice(FULL_STOPS)
    if rng.random() < 0.1:
        text = f"{rng.choice(around['before'])} {text}"
    if rng.random() < 0.08:
        text = f"{text}{' ' if text[-1] in '.!?' else '. '}{rng.choice(around['after'])}"
    return _typed(text, rng)


def capital(text: str) -> str:
    """The first letter as a capital; the rest, unlike str.capitalize, as it is."""
    at = 1 if text[:1] in "\"'" else 0
    return text[:at] + text[at : at + 1].upper() + text[at + 1 :]


def _typed(text: str, rng: random.Random) -> str:
    """As people type: mostly as it is, often in lower case, sometimes shouted or without apostrophes."""
    chance = rng.random()
    if chance < 0.2:
        return text.lower()
    if chance < 0.25:
        return text.upper()
    if chance < 0.3:
        return text.replace("'", "")
    if chance < 0.34:
        return text.replace("'", "’").replace('"', "”")
    return text
