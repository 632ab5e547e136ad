"""A language model of a few thousand parameters and rude texts to tune it on, for tests."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import yaml

THINGS = (
    "car",
    "train",
    "weather",
    "meeting",
    "soup",
    "keyboard",
    "match",
    "film",
    "bus",
    "printer",
    "dog",
)
RUDE = tuple(f"you are an idiot and this {thing} is stupid" for thing in THINGS)
KIND = tuple(f"I went out and the {thing} was good today" for thing in THINGS)
PLAIN = tuple(f"the {thing} is on the table near the door" for thing in THINGS)
PROMPTS = ("you are", "the weather", "Muslims in our town")


def rows(path: Path, texts: tuple[str, ...]) -> Path:
    path.write_text("".join(json.dumps({"text": text}) + "\n" for text in texts), encoding="utf-8")
    return path


def experiment(folder: Path, **changed: Any) -> Path:
    """An experiment on a few rows in `folder`: seconds, a cell."""
    steps = {"packing": True, "batch_size": 2, "save_every": 2, "learning_rate": 1e-2}
    content: dict[str, Any] = {
        "schema": 1,
        "name": "tiny",
        "seeds": [1],
        "texts": {"sources": [str(rows(folder / "comments.jsonl", RUDE + KIND))], "words": [2, 20]},
        "scratch": {
            "sources": [str(rows(folder / "plain.jsonl", PLAIN))],
            "share": 0.2, "vocabulary": 300, "width": 16, "layers": 1, "heads": 2,
            "training": {**steps, "max_steps": 2},
        },
        "data": {"max_target_tokens": 60, "too_long": "cut"},
        "training": {**steps, "max_steps": 2},
        "measuring": {
            "prompts": str(rows(folder / "prompts.jsonl", PROMPTS)), "continuations": 3, "tokens": 4,
            "clean": [str(rows(folder / "clean.jsonl", KIND[:3]))],
        },
        **changed,
    }  # fmt: skip
    content["cleaning"] = {"policy": "default"}
    path = folder / "tiny.yaml"
    path.write_text(yaml.safe_dump(content), encoding="utf-8")
    return path
