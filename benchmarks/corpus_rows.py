"""A corpus of any size at a natural rate of toxicity, made of real comments, no two rows alike.

The comments are Wikipedia's talk pages at their natural rate (`wiki_natural`, context_toxicity by
Pavlopoulos et al. 2020, Apache-2.0; the comments themselves CC BY-SA 3.0): 9,842, of which 1.5 % were
judged toxic. The first pass takes them as they are, in random order. Every later pass takes them in another
order and puts the first half of one comment's words before the second half of another of the same class, so
that lengths, words and the rate stay and no text comes twice. Only figures are published; the rows are not.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from itertools import count
from pathlib import Path
from random import Random

from unbarb.data.corpora import Corpora

TOXIC = 0.5
"""A comment is toxic from this share of the votes on."""


def comments() -> tuple[list[str], list[str]]:
    """The clean and the toxic comments of the folder that UNBARB_DATA names."""
    texts = Corpora.from_environment().labelled("wiki_natural")
    clean = [one.text for one in texts if one.labels["toxicity"] < TOXIC]
    return clean, [one.text for one in texts if one.labels["toxicity"] >= TOXIC]


def rows(seed: int = 1) -> Iterator[dict[str, str]]:
    """Rows without end: an id and a text that no other row has."""
    random = Random(seed)
    classes = comments()
    seen: set[int] = set()
    number = 0
    for turn in count():
        texts = [text for one in classes for text in (mixed(one, random) if turn else one) if text.strip()]
        random.shuffle(texts)
        for text in texts:
            if hash(text) in seen:  # a half that many begin or end with
                text = f"{text} ({number})"
            seen.add(hash(text))
            yield {"id": f"c{number}", "text": text}
            number += 1


def mixed(texts: list[str], random: Random) -> list[str]:
    """As many texts, each of the first half of one and the second half of another."""
    heads, tails = random.sample(texts, len(texts)), random.sample(texts, len(texts))
    return [
        f"{_half(head, first=True)} {_half(tail, first=False)}"
        for head, tail in zip(heads, tails, strict=True)
    ]


def write(path: Path, size: int, seed: int = 1) -> Path:
    """`size` rows as JSON Lines; a file that is there is of the same rows and stays."""
    if not path.exists():
        part = path.with_suffix(".part")
        with part.open("w", encoding="utf-8") as lines:
            for _, row in zip(range(size), rows(seed), strict=False):
                lines.write(json.dumps(row, ensure_ascii=False) + "\n")
        part.rename(path)
    return path


def _half(text: str, *, first: bool) -> str:
    words = text.split(" ")
    middle = (len(words) + 1) // 2
    return " ".join(words[:middle] if first else words[middle:])
