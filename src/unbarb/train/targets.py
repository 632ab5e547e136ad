"""Which modules of a model a method trains, found and named before anything is trained.

peft passes over a name that matches nothing as long as another one matches: of ``[Wqkv, fc1, fc2]`` on
Phi only the last two are adapted, and nobody is told. Here every requested name must match.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import torch
from peft import IA3Config, LoraConfig, PeftConfig, PromptTuningConfig, TaskType
from torch import nn

from unbarb.errors import ConfigError
from unbarb.policy.reading import did_you_mean
from unbarb.train.schema import MethodPart, TrainRecipe

ROLES = {
    "query, key and value": (
        "Wqkv", "query_key_value", "qkv_proj", "c_attn", "in_proj", "q_proj", "k_proj", "v_proj",
        "q", "k", "v", "query", "key", "value",
    ),
    "attention output": ("o_proj", "out_proj", "o", "dense", "Wo", "attn.Wo", "attention.output.dense"),
    "into the feed-forward": (
        "fc1", "wi", "wi_0", "wi_1", "gate_proj", "up_proj", "gate_up_proj", "dense_h_to_4h", "Wi",
        "intermediate.dense", "w1", "w3",
    ),
    "out of the feed-forward": (
        "fc2", "wo", "down_proj", "dense_4h_to_h", "mlp.Wo", "output.dense", "w2",
    ),
}  # fmt: skip
"""What families of models call the same module, for hints; the last role is also IA3's feed-forward."""


@dataclass(frozen=True, slots=True)
class Resolved:
    """What a method trains: requested name → full names that match, modules first, then parameters.

    `save` are modules trained whole, such as a new classification head.
    """

    modules: Mapping[str, tuple[str, ...]]
    experts: Mapping[str, tuple[str, ...]]
    save: tuple[str, ...] = ()

    def lines(self) -> list[str]:
        """As printed: one requested name a line, with how many it matches and the first of them."""
        found = [*self.modules.items(), *self.experts.items()]
        told = [f"{name}: {len(full)} ({full[0]}{', …' if len(full) > 1 else ''})" for name, full in found]
        return told + [f"{name}: trained whole" for name in self.save]


def resolve(model: nn.Module, method: MethodPart, *, classifies: bool = False) -> Resolved:
    """The modules that `method` trains in `model`, by the rule of peft: a name, or the end of one.

    ``all-linear`` becomes the linear modules of the body, never the head's. With `classifies` the head
    is trained whole.

    Raises:
        ConfigError: a requested name matches nothing; near and possible names are told.
    """
    body, head = _linear(model)
    if method.name in ("full", "none", "prompt_tuning"):
        return Resolved({}, {}, head_names(model) if classifies and method.name == "prompt_tuning" else ())
    wanted = _shortest(body, head) if method.targets == "all-linear" else list(method.targets)
    modules = {name: _matching(name, (full for full, _ in model.named_modules())) for name in wanted}
    fused = [full for full, one in model.named_parameters() if one.ndim == 3]
    experts = {name: _matching(name, fused) for name in method.experts}
    save = {name: _matching(name, (full for full, _ in model.named_modules())) for name in method.save}
    kind = type(model).__name__
    tops = [name for name, _ in model.named_children()]
    problems = [
        _unmatched(name, kind, what, possible)
        for found, what, possible in (
            (modules, "linear modules", _shortest([*body, *head], [])),
            (experts, "fused expert weights", _shortest(fused, [])),
            (save, "modules", tops),
        )
        for name, full in found.items()
        if not full
    ]
    if problems:
        raise ConfigError("\n".join(problems))
    kept = tuple(dict.fromkeys([*method.save, *(head_names(model) if classifies else ())]))
    return Resolved(modules, experts, kept)


def adapter(recipe: TrainRecipe, model: nn.Module) -> tuple[Resolved, PeftConfig | None]:
    """What the recipe's method trains, and the peft config that does it; None for full and none.

    Raises:
        ConfigError: a target matches nothing, or the method cannot be had in this model.
    """
    method = recipe.method
    classifies = recipe.objective == "classification"
    resolved = resolve(model, method, classifies=classifies)
    task = _task(recipe, model)
    if method.name in ("full", "none"):
        return resolved, None
    if method.name == "prompt_tuning":
        if classifies and getattr(model.config, "is_encoder_decoder", False):
            raise ConfigError(f"method.name: {type(model).__name__} cannot be prompt-tuned; use lora")
        return resolved, PromptTuningConfig(task_type=task, num_virtual_tokens=method.virtual_tokens)
    names = list(resolved.modules)
    save = list(resolved.save) or None
    if method.name == "ia3":
        fed = [name for name in names if name in ROLES["out of the feed-forward"]]
        return resolved, IA3Config(
            task_type=task, target_modules=names, feedforward_modules=fed, modules_to_save=save
        )
    return resolved, LoraConfig(
        task_type=task,
        r=method.rank,
        lora_alpha=method.alpha,
        lora_dropout=method.dropout,
        target_modules=names,
        target_parameters=list(resolved.experts) or None,
        modules_to_save=save,
        use_rslora=method.name == "rslora",
        use_dora=method.name == "dora",
        init_lora_weights="pissa" if method.name == "pissa" else True,
    )


def head_names(model: nn.Module) -> tuple[str, ...]:
    """The top modules outside the body that have weights: ``classifier``, ``score``, ``head``."""
    body = getattr(model, "base_model_prefix", "")
    if not hasattr(model, body):
        return ()
    return tuple(
        name for name, one in model.named_children() if name != body and any(True for _ in one.parameters())
    )


def _linear(model: nn.Module) -> tuple[list[str], list[str]]:
    """The full names of all linear modules: those of the body, and those of the head."""
    outputs = getattr(model, "get_output_embeddings", lambda: None)()
    heads = tuple(f"{name}." for name in head_names(model))
    body: list[str] = []
    head: list[str] = []
    for name, module in model.named_modules():
        if isinstance(module, nn.Linear):
            in_head = module is outputs or f"{name}.".startswith(heads)
            (head if in_head else body).append(name)
    return body, head


def _matching(target: str, names: Iterable[str]) -> tuple[str, ...]:
    return tuple(name for name in names if name == target or name.endswith(f".{target}"))


def _shortest(names: Iterable[str], but: Iterable[str]) -> list[str]:
    """The shortest ends that match all of `names` and none of `but`: ``q_proj``, ``output.dense``."""
    without = list(but)
    found: dict[str, None] = {}
    for name in names:
        parts = name.split(".")
        ends = (".".join(parts[-length:]) for length in range(1, len(parts) + 1))
        found.setdefault(next((end for end in ends if not _matching(end, without)), name))
    return list(found)


def _unmatched(target: str, kind: str, what: str, possible: list[str]) -> str:
    last = target.rpartition(".")[2]
    alike = {other for names in ROLES.values() if target in names or last in names for other in names}
    same = [name for name in possible if name in alike]
    hint = f"; did you mean {', '.join(same)}?" if same else did_you_mean(target, possible) or "."
    there = f"Its {what} are {', '.join(possible)}" if possible else f"It has no {what}"
    return f"method: {target!r} matches nothing in {kind}{hint} {there}"


def _task(recipe: TrainRecipe, model: Any) -> TaskType | None:
    if recipe.objective == "infill":
        return None  # peft knows no task of filling masks, and needs none
    if recipe.objective == "classification":
        return TaskType.SEQ_CLS
    return TaskType.SEQ_2_SEQ_LM if model.config.is_encoder_decoder else TaskType.CAUSAL_LM


def trainable(model: nn.Module) -> tuple[int, int]:
    """How many parameters are trained, and how many there are."""
    each = [(one.numel(), one.requires_grad) for one in model.parameters()]
    return sum(n for n, trained in each if trained), sum(n for n, _ in each)


def steady(model: nn.Module) -> None:
    """Hold the norms and biases of a quantised model in float32, where small steps would be lost.

    Nothing else: peft's ``prepare_model_for_kbit_training`` does it to whatever is not quantised, and
    the experts of Mixtral-8x7B, which bitsandbytes leaves as they are, would take 168 GiB.
    """
    for parameter in model.parameters():
        if parameter.ndim == 1 and parameter.dtype in (torch.float16, torch.bfloat16):
            parameter.data = parameter.data.float()
