"""Base models: loaded from the hub or a folder in the numbers a recipe asks for, with the method attached.

What is trained is held in float32 and computed in the recipe's dtype (autocast): adapters always, and all
weights with ``method: full``, for bfloat16 has too few digits to add small steps to large weights. Frozen
weights are held in the dtype itself, or in 8 or 4 bits.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import torch
from huggingface_hub import try_to_load_from_cache
from peft import PeftConfig, PeftModel, get_peft_model
from torch import nn
from transformers import (
    AutoConfig,
    AutoModelForCausalLM,
    AutoModelForSeq2SeqLM,
    AutoTokenizer,
    BitsAndBytesConfig,
    PreTrainedModel,
    set_seed,
)
from transformers.utils import logging

from unbarb.errors import ConfigError
from unbarb.train.fetching import fetched
from unbarb.train.run import Run, file_digests, space_needed
from unbarb.train.schema import ModelPart, TrainRecipe
from unbarb.train.targets import adapter, steady

Kind = Literal["seq2seq", "causal"]

DTYPES = {"fp32": torch.float32, "bf16": torch.bfloat16, "fp16": torch.float16}
WEIGHTS = (".safetensors", ".bin")
HEADS = ("classifier", "classification_head", "score", "head", "pre_classifier")
"""What a classifier's head is called; quantised it could not learn."""


@dataclass(frozen=True, slots=True)
class Loaded:
    """A model ready to train, its tokenizer, and what ``run.json`` says of both."""

    model: Any
    tokenizer: Any
    facts: dict[str, Any]


def tokenizer_for(recipe: TrainRecipe, kind: Kind) -> Any:
    """The tokenizer of the recipe's base, once it is known to be of `kind`: no weights are read for it.

    Raises:
        ConfigError: there is no such model, or it is of another kind.
        InputError: the hub cannot be reached.
    """
    # Our own display would be torn by their bars, and a tied weight that is not stored is no news.
    logging.disable_progress_bar()
    logging.set_verbosity_error()
    part = recipe.base
    check_kind(load_config(part), kind, part.name, recipe.objective)
    return load_tokenizer(part)


def load(recipe: TrainRecipe, kind: Kind, tokenizer: Any, run: Run, *, start: str | None = None) -> Loaded:
    """The recipe's base with its method attached, seeded, and pinned to the run.

    `start` is a folder to go on from: an adapter of this base, or a model in its place.

    Raises:
        ConfigError: there is no such model, it is of another kind, or the method does not fit it.
        InputError: the hub cannot be reached, or the disk is too small.
    """
    part = recipe.base
    set_seed(recipe.training.seed)
    auto = AutoModelForSeq2SeqLM if kind == "seq2seq" else AutoModelForCausalLM
    adapter_folder = started_from(start)
    if start is not None and adapter_folder is None:
        part = part.model_copy(update={"name": start, "revision": None})
    model = load_model(part, auto, full=recipe.method.name == "full")
    if model.config.pad_token_id is None:
        model.config.pad_token_id = tokenizer.pad_token_id
    digest, commit = base_digest(part, model.config)
    run.pin("base", digest)
    architecture = type(model).__name__
    model, attached = attach(model, recipe, adapter_folder)
    for line in told(attached):
        run.live.tell(line)
    facts = {
        "base": {"name": part.name, "revision": commit or part.revision, "class": architecture},
        **attached,
    }
    run.note(**facts)
    run.need_space(space_needed(attached["parameters"]["trainable"]))
    return Loaded(model, tokenizer, facts)


def load_config(part: ModelPart) -> Any:
    """The architecture's description, the cheapest thing that tells whether there is such a model.

    Raises:
        ConfigError: there is none.
        InputError: the hub cannot be reached.
    """
    return fetched(part, lambda: AutoConfig.from_pretrained(part.name, revision=part.revision))


def load_tokenizer(part: ModelPart) -> Any:
    """The model's tokenizer, padding on the right; where it has no pad, its end of sequence is one.

    Raises:
        ConfigError: the model has none.
        InputError: the hub cannot be reached.
    """
    tokenizer = fetched(part, lambda: AutoTokenizer.from_pretrained(part.name, revision=part.revision))
    if tokenizer.pad_token_id is None:
        # Pads are masked and their labels are −100, so that no end is unlearnt by it.
        tokenizer.pad_token = tokenizer.eos_token
    tokenizer.padding_side = "right"
    return tokenizer


def load_model(part: ModelPart, auto: Any, *, full: bool, **more: Any) -> PreTrainedModel:
    """The weights, in the numbers that `part` and the method ask for; `more` goes to ``from_pretrained``.

    Raises:
        ConfigError: the weights are missing or quantisation cannot be had.
        InputError: the hub cannot be reached, or the disk is too small.
    """
    options: dict[str, Any] = {"dtype": torch.float32 if full else DTYPES[part.dtype], **more}
    if part.quantization != "none":
        # Without it accelerate may spread a quantised model over all devices, and each process has one.
        options["device_map"] = {"": torch.cuda.current_device() if torch.cuda.is_available() else "cpu"}
        options["quantization_config"] = quantisation(part, heads="num_labels" in more)
    loaded = fetched(part, lambda: auto.from_pretrained(part.name, revision=part.revision, **options))
    keep_layout(loaded[0] if isinstance(loaded, tuple) else loaded)
    return loaded


def keep_layout(model: nn.Module) -> None:
    """Leave 4-bit weights as they are laid out for training, in evaluations too.

    On a processor with AVX512-BF16 bitsandbytes lays them out anew at the first look in evaluation mode,
    and from then on no gradient passes through them, in training mode neither.
    """
    module: Any
    for module in model.modules():
        if hasattr(module, "support_avx512bf16_for_cpu"):
            module.support_avx512bf16_for_cpu = False


def quantisation(part: ModelPart, *, heads: bool) -> BitsAndBytesConfig:
    """What bitsandbytes is told; with `heads` the new head of a classifier is left as it is."""
    skipped = {"llm_int8_skip_modules": list(HEADS)} if heads else {}
    if part.quantization == "int8":
        return BitsAndBytesConfig(load_in_8bit=True, **skipped)
    return BitsAndBytesConfig(
        load_in_4bit=True,
        bnb_4bit_quant_type="nf4",
        bnb_4bit_use_double_quant=part.double_quantization,
        bnb_4bit_compute_dtype=DTYPES[part.dtype],
        **skipped,
    )


def check_kind(config: Any, kind: Kind, name: str, objective: str) -> None:
    """Refuse a decoder where an encoder-decoder is needed, and the other way round.

    Raises:
        ConfigError: it is of the other kind.
    """
    if bool(config.is_encoder_decoder) == (kind == "seq2seq"):
        return
    what, other = (
        ("an encoder-decoder", "seq2seq") if config.is_encoder_decoder else ("no encoder-decoder", "causal")
    )
    raise ConfigError(
        f"model.name {name}: {config.model_type} is {what}, which objective {objective} cannot train;"
        f" use objective {other}, or another model"
    )


def attach(
    model: PreTrainedModel, recipe: TrainRecipe, start: Path | None = None
) -> tuple[Any, dict[str, Any]]:
    """The model with its method, ready to train, and what ``run.json`` says of it.

    That is ``modules``, each requested name with the full names it matched, and ``parameters``. `start` is
    the folder of an adapter to go on with.

    Raises:
        ConfigError: a target matches nothing, or the method cannot be had on this model.
    """
    resolved, configuration = adapter(recipe, model)
    if recipe.base.quantization != "none":
        steady(model)
    if configuration is not None:
        if start is not None:
            check_same(configuration, PeftConfig.from_pretrained(start), start)
            model = PeftModel.from_pretrained(model, start, is_trainable=True)
        else:
            model = get_peft_model(model, configuration)
    trainable, total = parameters(model)
    matched = {**resolved.modules, **resolved.experts}
    return model, {
        "modules": {name: list(full) for name, full in matched.items()},
        "saved_whole": list(resolved.save),
        "parameters": {"trainable": trainable, "total": total, "share": trainable / total},
    }


def told(attached: dict[str, Any]) -> Iterator[str]:
    """What a person should see before it starts: what each target matches, and how much is trained."""
    for name, full in attached["modules"].items():
        yield f"{name}: {len(full)} matched ({full[0]}{', …' if len(full) > 1 else ''})"
    for name in attached["saved_whole"]:
        yield f"{name}: trained whole"
    found = attached["parameters"]
    yield f"trainable: {found['trainable']:,} of {found['total']:,} parameters ({found['share']:.3%})"


def started_from(start: str | None) -> Path | None:
    """The folder of the adapter to go on with; None where `start` is none, or a whole model.

    Raises:
        ConfigError: there is no such folder, or nothing in it.
    """
    if start is None:
        return None
    folder = Path(start)
    if (folder / "adapter_config.json").is_file():
        return folder
    if (folder / "config.json").is_file():
        return None
    raise ConfigError(f"preference.start {start}: no adapter and no model there; name the model/ of a run")


def check_same(wanted: PeftConfig, found: PeftConfig, start: Path) -> None:
    """Refuse an adapter that is not what the recipe's method says, for the recipe would lie.

    Raises:
        ConfigError: its kind, rank or targets are others.
    """
    other = [
        f"{name} is {getattr(found, name)} there and {getattr(wanted, name)} in the recipe"
        for name in ("peft_type", "r", "lora_alpha", "target_modules", "use_dora", "use_rslora")
        if getattr(found, name, None) != getattr(wanted, name, None)
    ]
    if other:
        raise ConfigError(f"preference.start {start}: {'; '.join(other)}; write the same method")


def is_encoder_decoder(part: ModelPart) -> bool:
    """Whether a base reads with an encoder; see `load_config` for what may go wrong."""
    return bool(load_config(part).is_encoder_decoder)


def parameters(model: nn.Module) -> tuple[int, int]:
    """Trainable and total parameters; a 4-bit weight counts what it stands for, not its bytes."""
    trainable = total = 0
    for parameter in model.parameters():
        count = parameter.numel()
        if type(parameter).__name__ == "Params4bit":
            count *= 2 * parameter.element_size()
        total += count
        trainable += count if parameter.requires_grad else 0
    return trainable, total


def base_digest(part: ModelPart, config: Any) -> tuple[str, str | None]:
    """SHA-256 over the weight files of the base, and its commit when it came from the hub."""
    commit = getattr(config, "_commit_hash", None)
    folder = Path(part.name)
    if not folder.is_dir():
        cached = try_to_load_from_cache(part.name, "config.json", revision=commit or part.revision)
        folder = Path(cached).parent if isinstance(cached, str) else Path()
    digests = file_digests(folder, WEIGHTS)
    text = "".join(f"{name} {digest}\n" for name, digest in digests.items())
    return hashlib.sha256(text.encode()).hexdigest(), commit
