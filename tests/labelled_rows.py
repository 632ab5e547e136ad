"""Labelled rows for tests of classifiers: sentences whose words decide their labels."""

from __future__ import annotations

from pathlib import Path
from random import Random
from typing import Any

from unbarb.data.prepared import Prepared, write_prepared
from unbarb.train.schema import TrainRecipe

LABELS = ["insult", "threat"]
INSULTS, THREATS = ("fool", "clown", "donkey"), ("hurt", "burn", "hunt")
PLAIN = (
    "the",
    "report",
    "was",
    "late",
    "again",
    "and",
    "nobody",
    "read",
    "it",
    "today",
    "while",
    "we",
    "met",
)

Row = dict[str, Any]


def rows(number: int, seed: int = 1, prefix: str = "r") -> list[Row]:
    """Sentences of 5 to 12 words; a third insult, a sixth threaten, some do both."""
    random = Random(seed)
    found = []
    for at in range(number):
        words = random.choices(PLAIN, k=random.randint(4, 10))
        labels = {"insult": float(at % 3 == 0), "threat": float(at % 6 < 1 or at % 6 == 4)}
        for label, signs in (("insult", INSULTS), ("threat", THREATS)):
            if labels[label]:
                words.insert(random.randrange(len(words)), random.choice(signs))
        # The number makes every text a source of its own.
        text = f"{' '.join(words)} {seed}x{at}"
        found.append({"id": f"{prefix}{seed}-{at}", "text": text, "labels": labels, "corpus": "written"})
    return found


def prepared(folder: Path, train: int = 120, dev: int = 36) -> Prepared:
    return write_prepared(folder, "labelled", {"train": rows(train, 1), "dev": rows(dev, 2)})


def recipe(objective: str, **parts: Any) -> TrainRecipe:
    """A recipe of `objective`; `parts` are its sections."""
    content = {"schema": 1, "name": f"a-{objective.replace('_', '-')}", "objective": objective, **parts}
    content["data"] = {"labels": LABELS, **parts.get("data", {})}
    return TrainRecipe.model_validate(content)
