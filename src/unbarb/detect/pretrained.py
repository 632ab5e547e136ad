"""Loads a model of transformers, alone or with an adapter of peft, ready to be asked."""

from __future__ import annotations

import warnings
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import torch
from peft import PeftModel, get_peft_model_state_dict
from peft.utils import load_peft_weights
from safetensors import SafetensorError
from transformers import AutoConfig, AutoTokenizer

from unbarb.detect.folder import ModelFolder
from unbarb.errors import ConfigError, ModelError

DTYPES = {"auto": "auto", "fp32": torch.float32, "bf16": torch.bfloat16, "fp16": torch.float16}
"""How weights are held: as they are stored, or as told."""


@dataclass(frozen=True, slots=True)
class Pretrained:
    """A model in evaluation mode on `device`, and its tokenizer."""

    model: Any
    tokenizer: Any
    device: torch.device


def load(kind: Any, folder: ModelFolder, *, dtype: str = "auto", device: str = "auto") -> Pretrained:
    """The model of `folder` as `kind`, one of transformers' Auto classes; nothing is unpickled.

    Raises:
        ConfigError: `dtype` or `device` is unknown or not here.
        ModelError: the files are damaged, or the adapter does not fit its base.
    """
    if dtype not in DTYPES:
        raise ConfigError(f"dtype {dtype!r} is none of {', '.join(DTYPES)}")
    place = _device(device)
    try:
        # A classifier's labels and number of outputs are the adapter's, not the base's.
        config = AutoConfig.from_pretrained(
            folder.path if (folder.path / "config.json").is_file() else folder.base
        )
        weights = {"config": config, "dtype": DTYPES[dtype], "use_safetensors": True}
        model, told = kind.from_pretrained(
            folder.base or folder.path,
            **weights,
            output_loading_info=True,
            ignore_mismatched_sizes=True,  # told in `_check_whole`
        )
        _check_whole(told, folder)
        if folder.base is not None:
            model = adapted(model, folder)
        tokenizer = AutoTokenizer.from_pretrained(_with_tokenizer(folder))
    except (OSError, ValueError, KeyError, RuntimeError, SafetensorError) as error:
        raise ModelError(f"{folder.path} does not load: {type(error).__name__}: {error}") from error
    return Pretrained(model.eval().to(place), tokenizer, place)


def adapted(model: Any, folder: ModelFolder) -> Any:
    """`model` with the adapter of `folder` on it.

    Raises:
        ModelError: a weight of the adapter finds no place in the model, or a place of the model no weight;
            peft itself only warns, and the adapter would do nothing.
    """
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", message="Found missing adapter keys")  # an error, just below
        wrapped = PeftModel.from_pretrained(model, folder.path)
    for part in wrapped.peft_config.values():
        part.base_model_name_or_path = str(folder.base)  # peft asks the hub for what is no folder
    there = set(get_peft_model_state_dict(wrapped))
    stored = set(load_peft_weights(str(folder.path), device="cpu"))
    if there != stored:
        lost, empty = sorted(stored - there), sorted(there - stored)
        raise ModelError(
            f"the adapter {folder.path} does not fit {folder.base}: {len(lost)} of its weights find no"
            f" place ({', '.join(lost[:2])}), {len(empty)} places have no weight; give the base it was"
            " trained on"
        )
    return wrapped


def _check_whole(told: Mapping[str, Any], folder: ModelFolder) -> None:
    """Refuse a model with weights that nobody trained: transformers makes up what is missing, and warns."""
    found = {key if isinstance(key, str) else key[0] for key in told["mismatched_keys"]}
    missing = found | set(told["missing_keys"])
    if missing and folder.base is not None:
        learnt = load_peft_weights(str(folder.path), device="cpu")
        missing = {key for key in missing if not any(f".{key}" in name for name in learnt)}
    if missing:
        raise ModelError(
            f"{folder.path}: {len(missing)} weights are not there or of another shape"
            f" ({', '.join(sorted(missing)[:2])}); a base model has no trained head, so name what was"
            " trained"
        )


def _with_tokenizer(folder: ModelFolder) -> Any:
    return folder.path if (folder.path / "tokenizer_config.json").is_file() else folder.base or folder.path


def _device(name: str) -> torch.device:
    if name == "auto":
        return torch.device("cuda" if torch.cuda.is_available() else "cpu")
    try:
        place = torch.device(name)
    except RuntimeError as error:
        raise ConfigError(f"device {name!r} is unknown; write auto, cpu, cuda or cuda:0") from error
    if place.type == "cuda" and not torch.cuda.is_available():
        raise ConfigError(f"device {name!r} is not here; write auto or cpu")
    return place
