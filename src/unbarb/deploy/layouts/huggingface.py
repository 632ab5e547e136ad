"""A model in the hub's format: weights without pickle, settings, tokenizer. Most servers read it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from unbarb.deploy.layouts.weights import of_folder, pickles
from unbarb.detect.folder import read_json
from unbarb.errors import ModelError

EMBEDDINGS = ("shared.weight", "embed_tokens.weight", "word_embeddings.weight", "wte.weight")
TOKENIZERS = ("tokenizer.json", "tokenizer.model", "spiece.model")


def refuse(facts: Mapping[str, Any]) -> None:
    """Refuse nothing: the export knows what it can write."""


def arrange(folder: Path, facts: Mapping[str, Any]) -> None:
    """Nothing to add: it is what an export writes."""


def problems(folder: Path, base: Path | None = None) -> Iterator[str]:
    """What is wrong with it, one line each."""
    yield from pickles(folder)
    yield from settings_problems(folder)
    try:
        held = of_folder(folder)
        vocabulary = read_json(folder / "config.json").get("vocab_size")
    except ModelError as error:
        yield str(error)
        return
    for name, tensor in held.items():
        if name.endswith(EMBEDDINGS) and vocabulary is not None and tensor.shape[0] != vocabulary:
            yield f"config.json tells a vocabulary of {vocabulary} and {name} has {tensor.shape[0]} rows"


def settings_problems(folder: Path) -> Iterator[str]:
    """What is wrong with the settings and the tokenizer."""
    for name in ("config.json", "tokenizer_config.json"):
        try:
            read_json(folder / name)
        except ModelError as error:
            yield str(error)
    if not any((folder / name).is_file() for name in TOKENIZERS):
        yield f"{folder}: there is no tokenizer, none of {', '.join(TOKENIZERS)}"


def serve(folder: Path, facts: Mapping[str, Any]) -> list[str]:
    """How it is served."""
    if facts.get("kind") == "causal":
        return [f"vllm serve {folder}"]
    return [f"KServe's runtime 'huggingface' with storageUri, or python: from_pretrained({str(folder)!r})"]
