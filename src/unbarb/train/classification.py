"""Classification: a model of transformers with an output a label, tuned whole or by adapters.

Every label is a question of its own (sigmoid, not softmax). A label that a row does not know is NaN and
takes no part in the loss; shares of votes are learnt as shares. Positive rows of a rare label weigh more by
``training.class_weight``. Batches hold texts of like length, so that little of them is padding.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext
from functools import partial
from pathlib import Path
from typing import Any, Self

import numpy as np
import torch
from peft import PeftModel
from torch import Tensor, nn
from transformers import AutoModelForSequenceClassification, AutoTokenizer, Trainer, set_seed

from unbarb.data.prepared import Prepared
from unbarb.detect.folder import read_json
from unbarb.errors import InputError, ModelError
from unbarb.train.callback import carry_out, training_arguments
from unbarb.train.classifier import conclude, read_about, write_about
from unbarb.train.labels import Floats, label_matrix, learnable, positive_weights
from unbarb.train.masked_loss import masked_loss
from unbarb.train.models import (
    DTYPES,
    attach,
    base_digest,
    load_config,
    load_model,
    load_tokenizer,
    told,
)
from unbarb.train.packaged import packaged
from unbarb.train.run import Run, space_needed
from unbarb.train.schema import ModelPart, TrainRecipe
from unbarb.train.targets import steady

SCORED_AT_ONCE = 64
HEADS = ("classifier", "score", "pre_classifier", "classification_head")
"""What transformers calls the layers that are new in a classifier."""


def train(recipe: TrainRecipe, prepared: Prepared, run: Run) -> Mapping[str, Any]:
    """Tune on the train rows, watch the dev rows, save, and score the dev rows with what was saved."""
    rows, dev = prepared.split("train")[: recipe.data.rows], prepared.split("dev")
    labels = recipe.data.labels
    truth = learnable(rows, labels)
    set_seed(recipe.training.seed)
    model, tokenizer, facts = prepare_model(recipe, run)
    run.need_space(space_needed(facts["parameters"]["trainable"]))
    examples, cut = encode(rows, truth, tokenizer, recipe)
    watched, _ = encode(dev, label_matrix(dev, labels), tokenizer, recipe)
    tokens = sum(len(example["input_ids"]) for example in examples) / len(examples)
    arguments = training_arguments(
        recipe.training, run, bf16=recipe.base.dtype == "bf16", fp16=recipe.base.dtype == "fp16",
        evaluated=bool(watched), train_sampling_strategy="group_by_length",
    )  # fmt: skip
    trainer = LabelTrainer(
        model=model,
        args=arguments,
        train_dataset=examples,
        eval_dataset=watched or None,
        data_collator=Collator(tokenizer.pad_token_id or 0),
        optimizers=(optimizer(model, recipe, arguments), None),
    )
    trainer.around = partial(
        write_around, tokenizer=tokenizer, labels=labels, max_tokens=recipe.data.max_source_tokens,
        base=recipe.base,
    )  # fmt: skip
    weight = positive_weights(truth, recipe.training.class_weight)
    trainer.positive_weight = torch.tensor(weight, dtype=torch.float32)
    done = carry_out(trainer, run, recipe.training, tokens)
    classifier = TransformerClassifier(
        labels, trainer.model, tokenizer, recipe.data.max_source_tokens, recipe.base
    )
    long = {"rows": cut, "what": recipe.data.too_long}
    return {**facts, **done, "long_texts": long, **conclude(run, classifier, dev)}


def prepare_model(recipe: TrainRecipe, run: Run) -> tuple[Any, Any, dict[str, Any]]:
    """The base with a new head and the method on it; its tokenizer; what ``run.json`` says of them.

    Raises:
        ConfigError: there is no such model, or a target of the method matches nothing.
        InputError: the hub cannot be reached.
    """
    part, labels = packaged(recipe.base), recipe.data.labels
    digest, commit = base_digest(part, load_config(part))
    run.pin("base", digest)
    tokenizer = load_tokenizer(part)
    model = with_head(part, labels, tokenizer.pad_token_id, full=recipe.method.name == "full")
    model, attached = attach(model, recipe)
    for parameter in model.parameters():
        if parameter.requires_grad:
            parameter.data = parameter.data.float()
    for line in told(attached):
        run.live.tell(line)
    facts = {"base": {"name": recipe.base.name, "revision": commit or recipe.base.revision}, **attached}
    run.note(**facts)
    return model, tokenizer, facts


def with_head(part: ModelPart, labels: Sequence[str], pad: int, *, full: bool) -> Any:
    """The base of `part` with a new head of an output a label."""
    model: Any = load_model(
        part,
        AutoModelForSequenceClassification,
        full=full,
        num_labels=len(labels),
        id2label=dict(enumerate(labels)),
        label2id={label: at for at, label in enumerate(labels)},
        problem_type="multi_label_classification",
        ignore_mismatched_sizes=True,  # a base tuned for other labels gets a new head
        # On a CPU, short texts go faster without the fused attention.
        attn_implementation=None if torch.cuda.is_available() else "eager",
    )
    if model.config.pad_token_id is None:
        model.config.pad_token_id = pad
    return model


def encode(
    rows: Sequence[Mapping[str, Any]], truth: Floats, tokenizer: Any, recipe: TrainRecipe
) -> tuple[list[dict[str, Any]], int]:
    """Token ids and labels of `rows`, and how many texts ``data.too_long`` cut or left out.

    Raises:
        InputError: ``data.too_long`` is ``error`` and texts are longer than ``data.max_source_tokens``.
    """
    if not rows:
        return [], 0
    limit, how = recipe.data.max_source_tokens, recipe.data.too_long
    ids = tokenizer([row["text"] for row in rows])["input_ids"]
    long = [at for at, one in enumerate(ids) if len(one) > limit]
    if long and how == "error":
        raise InputError(
            f"{len(long):,} of {len(rows):,} texts are longer than data.max_source_tokens {limit}, the"
            f" longest {max(map(len, ids)):,} (row {rows[long[0]]['id']!r} is one); raise it, or set"
            " data.too_long to cut or drop"
        )
    if long and how == "cut":
        ids = tokenizer([row["text"] for row in rows], truncation=True, max_length=limit)["input_ids"]
    left_out = set(long) if how == "drop" else set()
    examples = [
        {"input_ids": one, "labels": truth[at].astype(np.float32)}
        for at, one in enumerate(ids)
        if at not in left_out
    ]
    return examples, len(long)


def optimizer(model: nn.Module, recipe: TrainRecipe, arguments: Any) -> torch.optim.Optimizer:
    """What ``training.optimizer`` says; a new head may learn at a rate of its own."""
    training = recipe.training
    head: list[nn.Parameter] = []
    rest: list[nn.Parameter] = []
    for name, parameter in model.named_parameters():
        if parameter.requires_grad:
            (head if any(part in HEADS for part in name.split(".")) else rest).append(parameter)
    rate = training.head_learning_rate or training.learning_rate
    groups = [{"params": rest, "lr": training.learning_rate}, {"params": head, "lr": rate}]
    kind, options = Trainer.get_optimizer_cls_and_kwargs(arguments, model)
    made: torch.optim.Optimizer = kind(
        [group for group in groups if group["params"]],
        **{**options, "weight_decay": training.weight_decay},
    )
    return made


class Collator:
    """Pads a batch on the right to its longest text; targets are (texts, labels), NaN where unknown."""

    def __init__(self, pad: int) -> None:
        self.pad = pad

    def __call__(self, examples: Sequence[Mapping[str, Any]]) -> dict[str, Tensor]:
        longest = max(len(example["input_ids"]) for example in examples)
        ids = torch.full((len(examples), longest), self.pad)
        mask = torch.zeros_like(ids)
        for at, example in enumerate(examples):
            ids[at, : len(example["input_ids"])] = torch.tensor(example["input_ids"])
            mask[at, : len(example["input_ids"])] = 1
        batch = {"input_ids": ids, "attention_mask": mask}
        if "labels" in examples[0]:
            batch["labels"] = torch.from_numpy(np.stack([example["labels"] for example in examples]))
        return batch


class LabelTrainer(Trainer):  # type: ignore[misc]
    """A trainer whose loss leaves out what nobody said; its checkpoints are whole classifiers."""

    positive_weight: Tensor
    around: Callable[[Path, Any], None]
    loss_is_scaled_for_ga = False
    """The loss is a batch's mean, so that of accumulated batches is still to be divided by their number."""

    def compute_loss(self, model: nn.Module, inputs: dict[str, Tensor], return_outputs: bool = False,
                     **_: Any) -> Any:  # fmt: skip
        truth = inputs["labels"]
        outputs = model(input_ids=inputs["input_ids"], attention_mask=inputs["attention_mask"])
        loss = masked_loss(outputs.logits.float(), truth, self.positive_weight)
        return (loss, {"logits": outputs.logits}) if return_outputs else loss

    def _save(self, output_dir: str | None = None, state_dict: Any = None) -> None:
        super()._save(output_dir, state_dict)
        self.around(Path(output_dir or self.args.output_dir), self.accelerator.unwrap_model(self.model))


def write_around(
    folder: Path, model: Any, *, tokenizer: Any, labels: Sequence[str], max_tokens: int, base: ModelPart
) -> None:
    """Write what a classifier is besides its weights: config, tokenizer, labels, and an adapter's base."""
    adapter = folder / "adapter_config.json"
    if adapter.is_file():  # peft writes where the base happens to lie here
        named = {**read_json(adapter), "base_model_name_or_path": base.name}
        adapter.write_text(json.dumps(named, indent=2) + "\n", encoding="utf-8")
    config = model.config.to_dict()
    config.pop("quantization_config", None)  # an adapter's folder holds no quantised weights
    type(model.config).from_dict(config).save_pretrained(folder)
    tokenizer.save_pretrained(folder)
    held = base.model_dump(exclude={"config"}, exclude_defaults=True)
    write_about(
        folder, "transformer", labels, max_tokens=max_tokens,
        base={"name": base.name, "revision": base.revision, **held},
    )  # fmt: skip


class TransformerClassifier:
    """A tuned model; a text beyond `max_tokens` is scored in windows, the highest counts."""

    def __init__(
        self, labels: Sequence[str], model: Any, tokenizer: Any, max_tokens: int, base: ModelPart
    ) -> None:
        self.labels = tuple(labels)
        # Quantised weights have no float32 to go to: they are scored with as they were learnt with.
        self.model = model.eval() if base.quantization != "none" else model.eval().float()
        self.tokenizer = tokenizer
        self.max_tokens = max_tokens
        self.base = base

    def predict_proba(self, texts: Sequence[str]) -> Floats:
        """Probabilities, shape (texts, labels)."""
        found = np.zeros((len(texts), len(self.labels)))
        if not texts:
            return found
        encoded = self.tokenizer(
            list(texts), truncation=True, max_length=self.max_tokens, return_overflowing_tokens=True
        )
        windows, of = encoded["input_ids"], encoded["overflow_to_sample_mapping"]
        collate = Collator(self.tokenizer.pad_token_id or 0)
        order = sorted(range(len(windows)), key=lambda at: len(windows[at]))
        device = next(self.model.parameters()).device
        for start in range(0, len(order), SCORED_AT_ONCE):
            chosen = order[start : start + SCORED_AT_ONCE]
            batch = collate([{"input_ids": windows[at]} for at in chosen])
            with torch.inference_mode(), self._numbers(device.type):
                logits = self.model(**{name: one.to(device) for name, one in batch.items()}).logits
            for at, scores in zip(chosen, torch.sigmoid(logits.float()).cpu().numpy(), strict=True):
                found[of[at]] = np.maximum(found[of[at]], scores)
        return found

    def _numbers(self, device: str) -> AbstractContextManager[Any]:
        """What it computes in: float32, or, on quantised weights, the numbers of training."""
        if self.base.quantization == "none":
            return nullcontext()
        return torch.autocast(device, DTYPES[self.base.dtype], enabled=self.base.dtype != "fp32")

    def save(self, folder: Path) -> None:
        """Write adapter or model, config and tokenizer in the hub's format."""
        self.model.save_pretrained(folder)
        write_around(
            folder, self.model, tokenizer=self.tokenizer, labels=self.labels, max_tokens=self.max_tokens,
            base=self.base,
        )  # fmt: skip

    @classmethod
    def load(cls, folder: Path) -> Self:
        """Read what `save` wrote; of an adapter also its base.

        Raises:
            ModelError: files are missing or damaged.
        """
        about = read_about(folder)
        try:
            base, labels = ModelPart(**about["base"]), about["labels"]
            tokenizer = AutoTokenizer.from_pretrained(folder)
            if (folder / "adapter_config.json").is_file():
                whole = base.quantization == "none"
                # Without quantisation scores are computed in float32, which is what "full" means here.
                model = with_head(packaged(base), labels, tokenizer.pad_token_id, full=whole)
                if not whole:
                    steady(model)
                model = PeftModel.from_pretrained(model, folder)
            else:
                model = AutoModelForSequenceClassification.from_pretrained(folder, dtype=torch.float32)
        except (OSError, ValueError, KeyError, RuntimeError) as error:
            raise ModelError(f"{folder} does not load: {type(error).__name__}: {error}") from error
        return cls(labels, model, tokenizer, about["max_tokens"], base)
