"""Classification by a causal model that answers a line a label; the loss is on the answer alone.

It is scored by the probabilities of its tokens for yes and no, so that nothing is parsed and no row is
dropped. Untrained (``method: none``) it is also let speak, as people use a chat model: there an answer
that cannot be read, a refusal above all, is an error in every label and is counted.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import torch

from unbarb.data.prepared import Prepared
from unbarb.errors import ConfigError, InputError
from unbarb.metrics.f1 import counts as f1_counts
from unbarb.prompt import CHOICES, Template
from unbarb.train.causal import fit
from unbarb.train.models import load, tokenizer_for
from unbarb.train.rewriters import (
    PREDICTED,
    SHARDED,
    autocast,
    counts,
    encoded_splits,
    generation,
    prompts,
    save,
    taken,
)
from unbarb.train.run import Run, is_main
from unbarb.train.schema import TrainRecipe
from unbarb.train.supervised import Encoder, padded

DIGITS = 6


def train(recipe: TrainRecipe, prepared: Prepared, run: Run) -> dict[str, Any]:
    """Train on labelled rows into the run's folder and give the last facts of ``run.json``.

    Raises:
        ConfigError: the model or the method cannot be had, or its tokens do not tell yes from no.
        InputError: rows cannot be learnt from, the hub cannot be reached, or the disk is too small.
    """
    tokenizer = tokenizer_for(recipe, "causal")
    template = recipe.build_template()
    encoder = Encoder(tokenizer, template, seq2seq=False)
    choice(tokenizer, template.question(template.labels[0]))
    check_labels(taken(recipe, prepared), template, "train.jsonl")
    dev_rows = prepared.split("dev")
    check_labels(dev_rows, template, "dev.jsonl")
    rows, dev = encoded_splits(recipe, prepared, encoder, target="labels")
    loaded = load(recipe, "causal", tokenizer, run)
    if recipe.method.name == "none":
        return {
            **counts(rows, dev),
            **concluded(loaded.model, encoder, dev_rows, recipe, run, let_speak=True),
        }
    trainer, facts = fit(recipe, loaded, rows, dev, run)
    save(trainer, loaded, encoder, run, recipe)
    facts |= counts(rows, dev)
    if trainer.accelerator.distributed_type in SHARDED or not is_main():
        return facts
    model = trainer.accelerator.unwrap_model(trainer.model)
    return {**facts, **concluded(model, encoder, dev_rows, recipe, run, let_speak=False)}


def check_labels(rows: Sequence[Mapping[str, Any]], template: Template, where: str) -> None:
    """Refuse rows that say nothing of a label the model must answer for.

    Raises:
        InputError: such rows; the first of them and their number, for each label.
    """
    problems = []
    for label in template.labels:
        without = [row["id"] for row in rows if label not in row.get("labels", {})]
        if without:
            problems.append(
                f"{where}: {len(without):,} rows, as {without[0]!r}, have no label {label!r};"
                " leave it out of data.labels, or prepare a corpus that knows it"
            )
    if problems:
        raise InputError("\n".join(problems))


def concluded(
    model: Any,
    encoder: Encoder,
    rows: Sequence[Mapping[str, Any]],
    recipe: TrainRecipe,
    run: Run,
    *,
    let_speak: bool,
) -> dict[str, Any]:
    """Score the first dev rows, write them down, and give F1 by label and the refusals there were."""
    rows = rows[:PREDICTED]
    if not rows:
        return {}
    texts = [row["text"] for row in rows]
    model.eval()
    model.config.use_cache = True
    with torch.inference_mode(), autocast(recipe, model):
        scores = list(scored(model, encoder, texts, recipe.training.batch_size))
        answers = list(spoken(model, encoder, texts, recipe)) if let_speak else []
    predictions: list[dict[str, Any]] = [
        {"id": row["id"], "text": row["text"], "labels": row["labels"], "scores": one}
        for row, one in zip(rows, scores, strict=True)
    ]
    found: dict[str, Any] = {"dev": {"n": len(rows), "f1": f1s(scores, rows, encoder.template)}}
    if let_speak:
        read = [encoder.template.values(answer) for answer in answers]
        for row, answer, values in zip(predictions, answers, read, strict=True):
            row |= {"answer": answer, "read": values, "refused": values is None}
        held = [one or wrong(row["labels"], encoder.template) for one, row in zip(read, rows, strict=True)]
        found["spoken"] = {
            "n": len(rows),
            "refused": sum(one is None for one in read),
            "f1": f1s(held, rows, encoder.template),
        }
    run.predicted(predictions)
    return found


def scored(model: Any, encoder: Encoder, texts: Sequence[str], batch: int) -> Iterator[dict[str, float]]:
    """Label → P(yes) / (P(yes) + P(no)) for each text, after the lines before it, each as is likelier."""
    for start in range(0, len(texts), batch):
        asked = [encoder.prompt(text) for text in texts[start : start + batch]]
        said = [""] * len(asked)
        scores: list[dict[str, float]] = [{} for _ in asked]
        for label in encoder.template.labels:
            said = [before + encoder.template.question(label) for before in said]
            choices = [choice(encoder.tokenizer, one) for one in said]
            ids = [[*prompt, *shared] for prompt, (shared, _, _) in zip(asked, choices, strict=True)]
            last = last_logits(model, ids, encoder.tokenizer.pad_token_id)
            for at, (_, no, yes) in enumerate(choices):
                score = float(torch.sigmoid(last[at, yes] - last[at, no]))
                scores[at][label] = round(score, DIGITS)
                said[at] += f" {CHOICES[score >= 0.5]}\n"
        yield from scores


def last_logits(model: Any, rows: Sequence[Sequence[int]], pad_id: int) -> torch.Tensor:
    """The logits after each row's last token, float64, (rows, vocabulary)."""
    ids = padded(rows, pad_id, left=True).to(model.device)
    mask = padded([[1] * len(row) for row in rows], 0, left=True).to(model.device)
    given: dict[str, Any] = {"input_ids": ids, "attention_mask": mask}
    if model.config.model_type != "bloom":  # its positions come from the mask alone
        given["position_ids"] = (mask.cumsum(-1) - 1).clamp(min=0)
    return model(**given).logits[:, -1].double()  # type: ignore[no-any-return]


def choice(tokenizer: Any, said: str) -> tuple[list[int], int, int]:
    """The ids of an answer up to a choice, and the tokens of no and yes that may follow.

    Raises:
        ConfigError: they are not one token each.
    """
    no, yes = (list(tokenizer(f"{said} {one}", add_special_tokens=False)["input_ids"]) for one in CHOICES)
    if no[:-1] != yes[:-1] or no[-1] == yes[-1]:
        raise ConfigError(
            f"the tokenizer does not tell {CHOICES[0]!r} from {CHOICES[1]!r} by one token after {said!r};"
            " use another base model"
        )
    return no[:-1], no[-1], yes[-1]


def spoken(model: Any, encoder: Encoder, texts: Sequence[str], recipe: TrainRecipe) -> Iterator[str]:
    """What the model answers of its own accord."""
    size = recipe.training.batch_size
    options = generation(recipe)
    for start in range(0, len(texts), size):
        inputs = prompts(encoder, texts[start : start + size], model.device)
        made = model.generate(**inputs, **options, pad_token_id=encoder.tokenizer.pad_token_id)
        answers = made[:, inputs["input_ids"].shape[1] :]
        yield from encoder.tokenizer.batch_decode(answers, skip_special_tokens=True)


def wrong(labels: Mapping[str, float], template: Template) -> dict[str, float]:
    """The opposite of the truth: what a refusal counts as."""
    return {label: float(labels[label] < 0.5) for label in template.labels}


def f1s(
    scores: Sequence[Mapping[str, float]], rows: Sequence[Mapping[str, Any]], template: Template
) -> dict[str, float | None]:
    """F1 at .5 by label."""
    return {
        label: f1_counts([one[label] for one in scores], [row["labels"][label] >= 0.5 for row in rows]).f1
        for label in template.labels
    }
