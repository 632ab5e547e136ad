"""What a recipe will train and what it will take, before a weight is loaded.

The architecture is built on the meta device, from a config: tensors there have shapes and no data, so a
model of 47 billion parameters is planned in seconds on a laptop.
"""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import torch
from peft import PeftConfig, get_peft_model
from torch import nn
from transformers import (
    AutoConfig,
    AutoModelForCausalLM,
    AutoModelForMaskedLM,
    AutoModelForSeq2SeqLM,
    AutoModelForSequenceClassification,
    PretrainedConfig,
)

from unbarb.errors import ConfigError
from unbarb.policy.reading import did_you_mean
from unbarb.train.memory import Batch, Memory, estimate
from unbarb.train.models import load_config
from unbarb.train.packaged import packaged
from unbarb.train.schema import ModelPart, TrainRecipe
from unbarb.train.targets import Resolved, adapter, steady, trainable

CONFIGS = Path(__file__).parent.parent / "models" / "configs"
"""Configs of public models, as data: one JSON file each, with its source in ``_source``."""

GIB = 1 << 30


@dataclass(frozen=True, slots=True)
class Device:
    """Where a run would go: the first GPU, or else this machine's memory; bytes."""

    name: str
    memory: int


@dataclass(frozen=True, slots=True)
class Plan:
    """What a recipe trains, and the memory of one step with a batch in which every row is full."""

    recipe: str
    architecture: str
    targets: Resolved
    trainable: int
    total: int
    memory: Memory
    batch: tuple[int, ...]
    device: Device

    @property
    def fits(self) -> bool:
        """Whether the peak is below the device's memory."""
        return self.memory.peak < self.device.memory

    def to_dict(self) -> dict[str, Any]:
        """For ``--json``; memory in bytes."""
        return {
            "recipe": self.recipe,
            "architecture": self.architecture,
            "targets": {
                **{name: list(full) for name, full in self.targets.modules.items()},
                **{name: list(full) for name, full in self.targets.experts.items()},
            },
            "trained_whole": list(self.targets.save),
            "trainable": self.trainable,
            "total": self.total,
            "share": self.trainable / self.total,
            "batch": list(self.batch),
            "memory": {**asdict(self.memory), "peak": self.memory.peak},
            "device": asdict(self.device),
            "fits": self.fits,
        }


def plan(recipe: TrainRecipe) -> Plan:
    """Plan a run.

    Raises:
        ConfigError: the recipe has no base model, there is no config for it, a target matches nothing,
            or the method cannot be had in this model.
    """
    kind, resolved, model = outline(recipe)
    memory = estimate(
        model,
        recipe.base,
        batch(recipe, model.config),
        optimizer=recipe.training.optimizer,
        accumulates=recipe.training.gradient_accumulation > 1,
        full=recipe.method.name == "full",
    )
    counts = trainable(model)
    return Plan(recipe.name, kind, resolved, *counts, memory, shape(recipe, model.config), at_hand())


def outline(recipe: TrainRecipe) -> tuple[str, Resolved, Any]:
    """The kind of model, what is trained of it, and the model on the meta device with its adapters.

    Raises:
        ConfigError: as `plan`.
    """
    if recipe.model is None:
        raise ConfigError(f"{recipe.name} learns from words: it has no base model to plan")
    model = architecture(recipe)
    kind = type(model).__name__
    resolved, how = adapter(recipe, model)
    return kind, resolved, attached(model, how, recipe)


def config_of(part: ModelPart) -> PretrainedConfig:
    """The config of a model: one that ships, a local folder's, or the hub's.

    Raises:
        ConfigError: there is none.
        InputError: the hub cannot be reached.
    """
    if part.config is not None:
        path = CONFIGS / f"{part.config}.json"
        if not path.is_file():
            names = sorted(one.stem for one in CONFIGS.glob("*.json"))
            hint = did_you_mean(part.config, names) or ";"
            raise ConfigError(
                f"model.config: no config {part.config!r} ships{hint} there are {', '.join(names)}"
            )
        content = json.loads(path.read_text(encoding="utf-8"))
        return AutoConfig.for_model(**{key: one for key, one in content.items() if key != "_source"})
    return load_config(packaged(part))


def architecture(recipe: TrainRecipe) -> Any:
    """The model of the recipe on the meta device, in the numbers it is held in.

    Raises:
        ConfigError: its kind cannot do what the recipe's objective asks.
    """
    part = recipe.base
    config = config_of(part)
    # Asked of the file: transformers 5 ties every T5, also those with an output of their own.
    untied = _untied(part)
    auto: Any = AutoModelForCausalLM
    if recipe.objective == "classification":
        config.num_labels = len(recipe.data.labels)
        auto = AutoModelForSequenceClassification
    elif config.is_encoder_decoder:
        auto = AutoModelForSeq2SeqLM
    elif recipe.objective == "infill":
        auto = AutoModelForMaskedLM
    if recipe.objective == "seq2seq" and not config.is_encoder_decoder:
        raise ConfigError(f"objective: {config.model_type} is no encoder-decoder; use causal")
    if recipe.objective == "causal" and config.is_encoder_decoder:
        raise ConfigError(f"objective: {config.model_type} is an encoder-decoder; use seq2seq")
    numbers = torch.float32 if recipe.method.name == "full" else _dtype(part)
    with torch.device("meta"):
        model = auto.from_config(config, dtype=numbers)
        if untied and auto is not AutoModelForSequenceClassification:
            outputs = model.get_output_embeddings()
            outputs.weight = nn.Parameter(torch.empty_like(outputs.weight))
    if part.quantization != "none":
        steady(model)
    return model


def attached(model: Any, how: PeftConfig | None, recipe: TrainRecipe) -> Any:
    """The model with its adapters, frozen as the method asks."""
    if how is None:
        return model.requires_grad_(recipe.method.name == "full")
    if getattr(how, "init_lora_weights", None) == "pissa":
        how.init_lora_weights = True  # the same shapes; what they start from needs weights
    with torch.device("meta"):
        model = get_peft_model(model, how)
    if recipe.training.gradient_checkpointing:
        model.activation_checkpointing_enable({"use_reentrant": False})
    return model


def shape(recipe: TrainRecipe, config: Any) -> tuple[int, ...]:
    """Rows and tokens of a full batch: (rows, source, target), or (rows, tokens) of one sequence.

    A preference is two rows, the chosen and the rejected.
    """
    source, target = recipe.data.max_source_tokens, recipe.data.max_target_tokens
    rows = recipe.training.batch_size * (2 if recipe.objective == "preference" else 1)
    fills = recipe.objective == "infill" and not config.is_encoder_decoder
    if recipe.objective == "classification" or fills:
        return rows, source
    return (rows, source, target) if config.is_encoder_decoder else (rows, source + target)


def batch(recipe: TrainRecipe, config: Any) -> Callable[[], Batch]:
    """Makes the tensors of a full batch."""
    rows, *lengths = shape(recipe, config)

    def make() -> Batch:
        ids = torch.zeros(rows, lengths[0], dtype=torch.long)
        if recipe.objective == "classification":
            labels = torch.zeros(rows, len(recipe.data.labels))
            config.problem_type = "multi_label_classification"
            return {"input_ids": ids, "labels": labels}
        labels = torch.zeros(rows, lengths[-1], dtype=torch.long)
        made = {"input_ids": ids, "labels": labels}
        if config.is_encoder_decoder:
            # Whole, so that no model asks what a mask holds: fake tensors hold nothing.
            made["decoder_attention_mask"] = torch.ones(rows, 1, lengths[-1], lengths[-1], dtype=torch.bool)
        return made

    return make


def at_hand() -> Device:
    """The device a run would use now."""
    if torch.cuda.is_available():
        free = torch.cuda.get_device_properties(0)
        return Device(free.name, free.total_memory)
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    limit = Path("/sys/fs/cgroup/memory.max")
    if limit.is_file() and (given := limit.read_text().strip()).isdigit():
        memory = min(memory, int(given))
    return Device("this machine's memory", memory)


def _dtype(part: ModelPart) -> torch.dtype:
    return {"fp32": torch.float32, "bf16": torch.bfloat16, "fp16": torch.float16}[part.dtype]


def _untied(part: ModelPart) -> bool:
    """Whether the config as written says that the output has weights of its own."""
    ships = part.config is not None
    path = CONFIGS / f"{part.config}.json" if ships else Path(part.name) / "config.json"
    if not path.is_file():
        return False
    return bool(json.loads(path.read_text(encoding="utf-8")).get("tie_word_embeddings") is False)
