"""A LoRA adapter against the model that it is for: every pair of matrices must fit one of its weights."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path

from unbarb.deploy.layouts.weights import Tensor, of_folder, pickles, tensors
from unbarb.detect.folder import read_json
from unbarb.errors import ModelError

WEIGHTS, SETTINGS = "adapter_model.safetensors", "adapter_config.json"
_PREFIX, _A, _B = "base_model.model.", ".lora_A.weight", ".lora_B.weight"


def adapter_problems(folder: Path, base: Path | None) -> Iterator[str]:
    """What is wrong with the adapter in `folder`, one line each; `base` is looked at where it is here."""
    yield from pickles(folder)
    try:
        settings = read_json(folder / SETTINGS)
        pairs = dict(lora_pairs(folder))
    except ModelError as error:
        yield str(error)
        return
    if settings.get("peft_type") == "LORA" and not pairs:
        yield f"{WEIGHTS} holds no pair of lora_A and lora_B"
    if base is None or not pairs:
        return
    try:
        held = of_folder(base)
    except ModelError as error:
        yield str(error)
        return
    for module, (a, b) in pairs.items():
        weight = _weight(held, module)
        if weight is None:
            yield f"{module}: the base has no such weight; is it the model that the adapter was trained on?"
        elif weight.shape != (b.shape[0], a.shape[1]):
            yield f"{module}: the adapter is for {b.shape[0]} × {a.shape[1]}, the base has {weight.shape}"


def lora_pairs(folder: Path) -> Iterator[tuple[str, tuple[Tensor, Tensor]]]:
    """Module → its two matrices, (rank, in) and (out, rank).

    Raises:
        ModelError: the weights do not load, or one of a pair is missing.
    """
    held = tensors(folder / WEIGHTS)
    for name, a in held.items():
        if not name.endswith(_A):
            continue
        b = held.get(name.removesuffix(_A) + _B)
        if b is None or len(a.shape) != 2 or len(b.shape) != 2 or a.shape[0] != b.shape[1]:
            raise ModelError(f"{folder / WEIGHTS}: {name} has no lora_B that fits it")
        yield name.removesuffix(_A).removeprefix(_PREFIX), (a, b)


def _weight(held: Mapping[str, Tensor], module: str) -> Tensor | None:
    """The weight of a module; checkpoints of a bare trunk leave out the first part of the name."""
    name = f"{module}.weight"
    while name not in held and "." in name.removesuffix(".weight"):
        name = name.partition(".")[2]
    return held.get(name)
