"""Instruction files: rows as ``instruction``, ``input``, ``output``, the keys that Alpaca made common.

Source: Taori et al. 2023, "Stanford Alpaca", https://github.com/tatsu-lab/stanford_alpaca.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from pathlib import Path

from unbarb.data.balance import HELD, NONE
from unbarb.data.prepared import Kind, Row

REWRITE = "Rewrite the text so that it is no longer toxic and keeps its meaning."
CLASSIFY = "Name every kind of toxicity in the text, of: {labels}. Answer none if there is none."


def instruction_of(kind: Kind, labels: Sequence[str] = ()) -> str:
    """What is asked of a model by default: a rewrite, or the names of labels."""
    return CLASSIFY.format(labels=", ".join(labels)) if kind == "labelled" else REWRITE


def instruct(row: Row, kind: Kind, instruction: str, labels: Sequence[str] = ()) -> dict[str, str]:
    """One row; the answer to a labelled one is its labels in their order, or *none*."""
    if kind == "labelled":
        held = [label for label in labels if row["labels"].get(label, 0) >= HELD]
        return {"instruction": instruction, "input": row["text"], "output": ", ".join(held) or NONE}
    answer = row["target"] if kind == "pairs" else row["chosen"]
    return {"instruction": instruction, "input": row["source"], "output": answer}


def write_instructions(
    path: Path, rows: Iterable[Row], kind: Kind, labels: Sequence[str] = (), instruction: str | None = None
) -> int:
    """Write `rows` as a JSON list, one row a line, and say how many they were."""
    asked = instruction or instruction_of(kind, labels)
    number = 0
    with path.open("w", encoding="utf-8", newline="\n") as file:
        file.write("[")
        for number, row in enumerate(rows, 1):
            made = json.dumps(instruct(row, kind, asked, labels), ensure_ascii=False)
            file.write(f"{',' if number > 1 else ''}\n{made}")
        file.write("\n]\n")
    return number
