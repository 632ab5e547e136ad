"""A LoRA adapter as vLLM loads it: the ranks, methods and architectures it takes, and how it is served.

Sources: vLLM's ``vllm/config/lora.py`` (the ranks), ``vllm/lora/peft_helper.py`` (what it refuses), and the
column "LoRA" of its page "Supported Models".
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from shlex import quote
from typing import Any

from unbarb.deploy.layouts.adapter import SETTINGS, adapter_problems
from unbarb.deploy.manifests.wanted import LORA_RANKS
from unbarb.detect.folder import read_json
from unbarb.errors import ConfigError, ModelError

NO_LORA = frozenset(
    {"bloom", "falcon", "gpt2", "gptj", "gpt_neox", "mpt", "falcon_mamba", "mamba", "mamba2"}
)
"""Types of models that vLLM serves, without adapters."""

INSTEAD = "merge it and serve the whole: `unbarb deploy layout huggingface`"


def refuse(facts: Mapping[str, Any]) -> None:
    """Refuse what vLLM cannot serve as an adapter.

    Raises:
        ConfigError: the model is no LoRA adapter of a model that writes, one token after the other.
    """
    if not facts.get("base"):
        raise ConfigError(f"vllm lays out a LoRA adapter, and this model has none; {INSTEAD}")
    if facts.get("kind") != "causal":
        raise ConfigError(
            f"vLLM serves no adapter of a {facts.get('kind')} model (encoder-decoders of text are gone from"
            " it since 2025); lay it out as ctranslate2, caikit or huggingface"
        )
    if facts.get("model_type") in NO_LORA:
        raise ConfigError(f"vLLM serves {facts['model_type']} without adapters; {INSTEAD}")


def arrange(folder: Path, facts: Mapping[str, Any]) -> None:
    """Name the base as its run does, where the adapter names a folder of the machine it was trained on."""
    settings = read_json(folder / SETTINGS)
    if facts.get("base_name") and Path(str(settings.get("base_model_name_or_path"))).is_dir():
        named = settings | {"base_model_name_or_path": facts["base_name"]}
        (folder / SETTINGS).write_text(json.dumps(named, indent=2, sort_keys=True) + "\n", "utf-8")


def problems(folder: Path, base: Path | None = None) -> Iterator[str]:
    """What is wrong with it, one line each; against the base where it is here."""
    yield from adapter_problems(folder, base)
    try:
        settings = read_json(folder / SETTINGS)
    except ModelError:
        return  # told already
    if settings.get("peft_type") != "LORA":
        yield f"{SETTINGS}: vLLM takes LORA, not {settings.get('peft_type')}; {INSTEAD}"
    if settings.get("use_dora"):
        yield f"{SETTINGS}: vLLM takes no DoRA; {INSTEAD}"
    if settings.get("modules_to_save"):
        named = ", ".join(settings["modules_to_save"])
        yield f"{SETTINGS}: vLLM takes no modules trained whole beside the adapter ({named}); {INSTEAD}"
    if settings.get("bias", "none") != "none":
        yield f"{SETTINGS}: vLLM takes no biases (bias: {settings['bias']}); {INSTEAD}"
    if rank(settings) > LORA_RANKS[-1]:
        yield f"{SETTINGS}: rank {rank(settings)} is more than vLLM's {LORA_RANKS[-1]}; {INSTEAD}"
    if not settings.get("base_model_name_or_path"):
        yield f"{SETTINGS} names no base model"


def rank(settings: Mapping[str, Any]) -> int:
    """The largest rank that any of its modules has."""
    ranks = [settings.get("r") or 0, *(settings.get("rank_pattern") or {}).values()]
    return max(map(int, ranks))


def serve(folder: Path, facts: Mapping[str, Any]) -> list[str]:
    """How it is served."""
    settings = read_json(folder / SETTINGS)
    base = quote(str(settings["base_model_name_or_path"]))
    least = min(one for one in LORA_RANKS if one >= rank(settings))
    return [
        f"vllm serve {base} --enable-lora --lora-modules {quote(f'{folder.name}={folder}')}"
        f" --max-lora-rank {least}",
        f"requests name the adapter: model: {folder.name}",
    ]
