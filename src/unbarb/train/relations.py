"""The relations between the keys of a recipe: what goes with which objective, method and model."""

from __future__ import annotations

from collections.abc import Iterator

from unbarb.policy.reading import did_you_mean
from unbarb.prompt import BUILT_IN
from unbarb.train.schema import ADAPTERS, MethodPart, Objective, TrainingPart, TrainRecipe

OF_WORDS = ("naive_bayes", "logistic", "bilstm")
"""Objectives that learn from words and need no base model."""

UNREAD = {
    "classification": ("label_smoothing",),
    "bilstm": (
        "optimizer", "gradient_accumulation", "head_learning_rate", "label_smoothing",
        "gradient_checkpointing", "evaluate_every", "save_every", "report_to",
    ),
}  # fmt: skip
"""Keys of ``training`` that an objective does nothing with."""

Broken = tuple[tuple[str, ...], str]
"""A key, and what is wrong with its value."""


def relations(recipe: TrainRecipe) -> Iterator[Broken]:
    """Each broken relation between keys: which key, and what is wrong."""
    yield from _model(recipe)
    yield from _template(recipe)
    yield from _method(recipe.method, recipe.objective)
    yield from _unread(recipe)
    if (recipe.objective == "preference") != (recipe.preference is not None):
        yield ("preference",), "goes with the objective preference, and only with it"
    if (recipe.objective == "infill") != (recipe.infill is not None):
        yield ("infill",), "goes with the objective infill, and only with it"
    if recipe.training.packing and recipe.objective not in ("causal", "language"):
        yield (
            ("training", "packing"),
            f"{recipe.objective} rows cannot be packed; only causal and language ones",
        )
    if len(set(recipe.data.labels)) < len(recipe.data.labels):
        yield ("data", "labels"), "a label stands there twice; once is enough"


def _unread(recipe: TrainRecipe) -> Iterator[Broken]:
    for key in UNREAD.get(recipe.objective, ()):
        if getattr(recipe.training, key) != TrainingPart.model_fields[key].default:
            yield ("training", key), f"{recipe.objective} does nothing with it; leave it out"


def _model(recipe: TrainRecipe) -> Iterator[Broken]:
    model, objective = recipe.model, recipe.objective
    if objective in OF_WORDS:
        if model is not None:
            yield ("model",), f"{objective} learns from words and has no base model; leave it out"
    elif model is None:
        yield ("objective",), f"{objective} needs a base model; add model: {{name: org/name}}"
    elif model.quantization != "none" and recipe.method.name == "full":
        yield ("model", "quantization"), "quantised weights cannot be trained in full; use none, or lora"
    elif model.quantization != "none" and recipe.method.name == "pissa":
        yield ("model", "quantization"), "PiSSA starts from unquantised weights; use none, or lora"
    if model is not None and model.double_quantization and model.quantization != "nf4":
        yield ("model", "double_quantization"), "goes with quantization: nf4"


def _template(recipe: TrainRecipe) -> Iterator[Broken]:
    template = recipe.template
    if template.name not in BUILT_IN:
        hint = did_you_mean(template.name, BUILT_IN) or ";"
        yield (
            ("template", "name"),
            f"{template.name!r} is no template{hint} there are {', '.join(BUILT_IN)}",
        )
        return
    if (recipe.objective == "generative") != (template.name == "labels"):
        yield (
            ("template", "name"),
            "the template labels goes with the objective generative, and only with it",
        )
    if template.prefix is not None and template.name != "t5-prefix":
        yield ("template", "prefix"), "only the template t5-prefix has a prefix"
    if template.instruction is not None and template.name not in ("alpaca", "chat"):
        yield ("template", "instruction"), "only the templates alpaca and chat have an instruction"


def _method(method: MethodPart, objective: Objective) -> Iterator[Broken]:
    if method.name == "none" and objective not in ("seq2seq", "causal", "generative"):
        yield ("method", "name"), f"{objective} has nothing to evaluate when nothing is trained (none)"
    if method.targets == [] and not method.experts and method.name in (*ADAPTERS, "ia3"):
        yield ("method", "targets"), f"{method.name} needs targets: name modules, or all-linear"
    if method.experts and method.name not in ("lora", "rslora"):  # as of peft 0.21
        yield ("method", "name"), f"{method.name} cannot reach fused experts; use lora or rslora"
    if method.experts and method.dropout:
        yield ("method", "dropout"), f"{method.dropout:g} is not possible with experts; set 0"
