"""How much memory a training step takes, found without weights and without doing the arithmetic.

The step is gone through once, forward and back, with fake tensors: shapes and types without data. What
is alive at any moment is counted as it comes and goes, so gradient checkpointing, adapters and mixed
precision count as what they are. Only the tensors of PyTorch are counted: its allocator's slack, other
libraries and the process itself come on top.
"""

from __future__ import annotations

import weakref
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import dataclass
from typing import Any

import torch
from torch import nn
from torch._subclasses.fake_tensor import FakeTensorMode
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_iter

from unbarb.train.schema import ModelPart

BYTES_OF_STATES = {"adamw": 8.0, "paged_adamw": 8.0, "paged_adamw_8bit": 2.0, "adafactor": 0.0}
"""Optimiser states for a trainable number: two moments; Adafactor keeps rows and columns only."""

BLOCK_OF_NF4, BLOCK_OF_SCALES = 64, 256
"""Numbers that share a scale, and scales that share one when they are quantised too (bitsandbytes)."""

Batch = dict[str, torch.Tensor]


@dataclass(frozen=True, slots=True)
class Memory:
    """Bytes of each part at the moment when most is taken."""

    weights: int
    adapters: int
    optimizer: int
    gradients: int
    logits: int
    activations: int

    @property
    def peak(self) -> int:
        """All of it."""
        return (
            self.weights + self.adapters + self.optimizer + self.gradients + self.logits + self.activations
        )


def estimate(
    model: Any,
    part: ModelPart,
    batch: Callable[[], Batch],
    *,
    optimizer: str,
    accumulates: bool,
    full: bool,
) -> Memory:
    """The memory of one step of training `model`, which is on the meta device and becomes fake.

    `batch` makes the tensors of a batch (called where tensors are fake); with `accumulates`, gradients
    of the batch before are there already.
    """
    weights, adapters = held(model, part, full=full)
    trained = [one for one in model.parameters() if one.requires_grad]
    states = int(BYTES_OF_STATES[optimizer] * sum(one.numel() for one in trained))
    all_gradients = sum(one.numel() * one.element_size() for one in trained)
    unpacked = max((2 * one.weight.numel() for one in quantised(model, part)), default=0)
    if not trained:
        return Memory(weights, adapters, 0, 0, 0, unpacked)
    with FakeTensorMode(allow_non_fake_inputs=True):
        faked(model)
        peak = _step(model, part, batch(), accumulates)
    peak.activations += unpacked
    if all_gradients > peak.total:  # when the optimiser steps, activations are gone
        return Memory(weights, adapters, states, all_gradients, 0, 0)
    return Memory(weights, adapters, states, peak.gradients, peak.logits, peak.activations)


def held(model: Any, part: ModelPart, *, full: bool) -> tuple[int, int]:
    """Bytes of the weights as they are held in training, and of what is trained beside them."""
    packed = {id(module.weight): module.weight for module in quantised(model, part)}
    weights = adapters = 0
    for one in model.parameters():
        if id(one) in packed:
            weights += _packed(one, part)
        elif one.requires_grad and not full:
            adapters += one.numel() * one.element_size()
        else:
            weights += one.numel() * one.element_size()
    return weights, adapters


def quantised(model: Any, part: ModelPart) -> list[nn.Linear]:
    """The modules that bitsandbytes quantises: linear, frozen, neither the output nor kept in float32."""
    if part.quantization == "none":
        return []
    kept = set(getattr(model, "_keep_in_fp32_modules", None) or ())
    outputs = model.get_output_embeddings() if hasattr(model, "get_output_embeddings") else None
    return [
        module
        for name, module in model.named_modules()
        if isinstance(module, nn.Linear)
        and module is not outputs
        and not module.weight.requires_grad
        and not kept & set(name.split("."))
        and "original_module" not in name
    ]


def _packed(weight: torch.Tensor, part: ModelPart) -> int:
    """Bytes of a quantised matrix with its scales."""
    count = weight.numel()
    if part.quantization == "int8":
        return count + 4 * weight.shape[0]
    scales = count / BLOCK_OF_NF4
    return int(
        count / 2 + (scales + 4 * scales / BLOCK_OF_SCALES if part.double_quantization else 4 * scales)
    )


def faked(model: nn.Module) -> None:
    """Give `model` fake weights on the processor in place of those on the meta device; ties hold."""
    fresh: dict[int, Any] = {}
    for module in model.modules():
        for tensors in (module._parameters, module._buffers):
            for name, one in tensors.items():
                if one is None or one.device.type != "meta":
                    continue
                if id(one) not in fresh:
                    empty = torch.empty(one.shape, dtype=one.dtype, device="cpu")
                    wrapped = isinstance(one, nn.Parameter)
                    fresh[id(one)] = nn.Parameter(empty, one.requires_grad) if wrapped else empty
                tensors[name] = fresh[id(one)]


@dataclass(slots=True)
class _Moment:
    total: int = 0
    gradients: int = 0
    logits: int = 0
    activations: int = 0


class _Alive(TorchDispatchMode):  # type: ignore[no-untyped-call]
    """Counts the bytes of tensors made while it watches, until they are gone; keeps the highest moment."""

    def __init__(self, vocabulary: int | None) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self.now = _Moment()
        self.peak = _Moment()
        self._vocabulary = vocabulary
        self._seen: set[int] = set()

    def __torch_dispatch__(
        self, func: Any, types: Any, args: tuple[Any, ...] = (), kwargs: dict[str, Any] | None = None
    ) -> Any:
        made = func(*args, **(kwargs or {}))
        for one in tree_iter(made):
            if isinstance(one, torch.Tensor):
                self._met(one)
        return made

    def known(self, tensors: Iterator[torch.Tensor]) -> None:
        """Do not count these: they were there before."""
        self._seen |= {one.untyped_storage()._cdata for one in tensors}

    def gradient(self, parameter: torch.Tensor) -> None:
        """A parameter has its gradient now."""
        self.now.gradients += parameter.numel() * parameter.element_size()

    def _met(self, one: torch.Tensor) -> None:
        storage = one.untyped_storage()
        key = storage._cdata
        if key in self._seen:
            return
        self._seen.add(key)
        size = storage.nbytes()
        logits = size if one.ndim and one.shape[-1] == self._vocabulary else 0
        self.now.total += size
        self.now.logits += logits
        weakref.finalize(storage, self._gone, key, size, logits)
        if self.now.total > self.peak.total:
            self.peak = _Moment(self.now.total, self.now.gradients, self.now.logits)

    def _gone(self, key: int, size: int, logits: int) -> None:
        self._seen.discard(key)
        self.now.total -= size
        self.now.logits -= logits


def _step(model: Any, part: ModelPart, batch: Batch, accumulates: bool) -> _Moment:
    """The highest moment of a step forward and back, tensors being fake."""
    trained = [one for one in model.parameters() if one.requires_grad]
    alive = _Alive(getattr(model.config, "vocab_size", None))
    alive.known(model.parameters())
    alive.known(model.buffers())
    alive.known(iter(batch.values()))
    for one in trained:
        if accumulates:
            one.grad = torch.zeros_like(one)
            alive.known(iter([one.grad]))
        else:
            one.register_post_accumulate_grad_hook(alive.gradient)
    before = sum(one.numel() * one.element_size() for one in trained) if accumulates else 0
    with alive:
        with computing(part):
            loss = model(**batch).loss
        loss.backward()
    peak = alive.peak
    # A gradient that just came is counted with what else is alive; it is at most the whole of it.
    peak.gradients = before + min(peak.gradients, peak.total - peak.logits)
    peak.activations = peak.total - peak.logits - (peak.gradients - before)
    peak.total += before
    return peak


@contextmanager
def computing(part: ModelPart) -> Iterator[None]:
    """Compute as training does: in bf16 and fp16 where that keeps enough digits."""
    dtype = {"bf16": torch.bfloat16, "fp16": torch.float16}.get(part.dtype)
    mixed: AbstractContextManager[Any] = torch.autocast("cpu", dtype) if dtype else nullcontext()
    with mixed:
        yield
