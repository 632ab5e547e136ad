"""A model converted to CTranslate2, with tokenizer and template beside it, as `unbarb` itself serves it."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from unbarb.deploy.layouts.huggingface import settings_problems
from unbarb.deploy.layouts.weights import pickles

VOCABULARIES = ("shared_vocabulary.json", "vocabulary.json", "source_vocabulary.json")
NEWEST = 6
"""The version of the binary format that CTranslate2 4 writes; it reads all before it."""


def refuse(facts: Mapping[str, Any]) -> None:
    """Refuse nothing: the export knows what it can write."""


def arrange(folder: Path, facts: Mapping[str, Any]) -> None:
    """Nothing to add: it is what an export writes."""


def problems(folder: Path, base: Path | None = None) -> Iterator[str]:
    """What is wrong with it, one line each."""
    yield from pickles(folder)
    yield from settings_problems(folder)
    try:
        with (folder / "model.bin").open("rb") as file:
            version = int.from_bytes(file.read(4), "little")
        if not 1 <= version <= NEWEST:
            yield f"model.bin is of version {version}, not 1 to {NEWEST}: is it CTranslate2's?"
    except OSError as error:
        yield f"model.bin cannot be read: {error.strerror or error}"
    found = [folder / name for name in VOCABULARIES if (folder / name).is_file()]
    if not found:
        yield f"there is no vocabulary, none of {', '.join(VOCABULARIES)}"
    for path in found:
        try:
            if not json.loads(path.read_text("utf-8")):
                yield f"{path.name} is empty"
        except ValueError as error:
            yield f"{path.name} does not load: {error}"


def serve(folder: Path, facts: Mapping[str, Any]) -> list[str]:
    """How it is served."""
    kind = "seq2seq" if facts.get("kind") == "seq2seq" else "causal"
    return [f"in a policy: rewriter: {{name: {kind}, model: {folder}}}, then `unbarb serve --policy FILE`"]
