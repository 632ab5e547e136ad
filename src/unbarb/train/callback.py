"""Feeds the run folder from transformers' trainers, and fills their arguments from a recipe."""

from __future__ import annotations

import json
import math
import shutil
from collections.abc import Mapping
from pathlib import Path
from time import monotonic
from typing import Any

import torch
from transformers import (
    EarlyStoppingCallback,
    PrinterCallback,
    Trainer,
    TrainerCallback,
    TrainerControl,
    TrainerState,
    TrainingArguments,
)
from transformers.trainer_utils import PREFIX_CHECKPOINT_DIR

from unbarb.errors import ConfigError, MissingExtra
from unbarb.train.run import Run, is_main

LOGGED_EVERY = 10
KEPT = 2
"""Checkpoints that stay: the best and the last."""

REPORTERS = {"tensorboard": "tensorboard", "mlflow": "mlflow", "wandb": "wandb"}
NOT_FIGURES = frozenset({"epoch", "total_flos", "train_loss"})
OPTIMIZERS = {
    "adamw": "adamw_torch_fused",
    "adafactor": "adafactor",
    "paged_adamw": "paged_adamw_32bit",
    "paged_adamw_8bit": "paged_adamw_8bit",
}
COUNTER = "early_stopping_patience_counter"
COMPLETE = ("trainer_state.json", "optimizer.pt", "scheduler.pt")


class RunCallback(TrainerCallback):  # type: ignore[misc]
    """Turns a trainer's events into lines of ``metrics.jsonl``, the display and ``loss.png``.

    `tokens_per_row` is the mean number of tokens the model reads and writes for a training row, padding not
    counted; tokens per second are the rows of the steps since the last log times that.
    """

    def __init__(self, run: Run, tokens_per_row: float) -> None:
        self.run = run
        self.tokens_per_row = tokens_per_row
        self._mark = (0, 0.0)

    def on_train_begin(
        self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **_: Any
    ) -> None:
        self.run.rewind(state.global_step)
        self.run.live.begin(state.global_step, state.max_steps)
        self._mark = (state.global_step, monotonic())

    def on_step_end(
        self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **_: Any
    ) -> None:
        self.run.live.moved(state.global_step)
        # The last steps' loss is logged too, however few they are.
        control.should_log |= state.global_step == state.max_steps

    def on_log(
        self,
        args: TrainingArguments,
        state: TrainerState,
        control: TrainerControl,
        logs: Mapping[str, float] | None = None,
        **_: Any,
    ) -> None:
        figures = figures_of(logs or {})
        if not figures:
            return
        if "loss" in figures:
            figures["tokens_per_second"] = self._speed(args, state.global_step)
        self.run.log(state.global_step, epoch=round(state.epoch or 0.0, 4), **figures)

    def on_evaluate(
        self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **_: Any
    ) -> None:
        self.run.draw()
        # An evaluation is no training: its seconds must not make the next steps look slow.
        self._mark = (state.global_step, monotonic())

    def _speed(self, args: TrainingArguments, step: int) -> float:
        before, then = self._mark
        self._mark = (step, monotonic())
        rows = (step - before) * args.train_batch_size * args.gradient_accumulation_steps * args.world_size
        return round(float(rows) * self.tokens_per_row / max(self._mark[1] - then, 1e-9), 1)


class Patience(EarlyStoppingCallback):  # type: ignore[misc]
    """Stops after so many looks without a better dev loss; a run that goes on counts on."""

    def __init__(self, looks: int, checkpoint: str | None) -> None:
        super().__init__(early_stopping_patience=looks)
        if checkpoint is not None:
            state = json.loads((Path(checkpoint) / "trainer_state.json").read_text("utf-8"))
            kept = (state.get("stateful_callbacks") or {}).get(type(self).__name__, {})
            self.early_stopping_patience_counter = kept.get("attributes", {}).get(COUNTER, 0)

    def on_step_begin(
        self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **_: Any
    ) -> None:
        # Stopped for good, but killed before its end: a step more, and the best checkpoint is loaded.
        control.should_training_stop |= self.early_stopping_patience_counter >= self.early_stopping_patience


def figures_of(logs: Mapping[str, float]) -> dict[str, float]:
    """What of a trainer's log goes into the run folder: numbers, without its own clocks."""
    clocks = ("_runtime", "_per_second")
    return {
        name: value
        for name, value in logs.items()
        if name not in NOT_FIGURES and not name.endswith(clocks) and isinstance(value, int | float)
    }


def training_arguments(
    training: Any,
    run: Run,
    *,
    bf16: bool,
    fp16: bool = False,
    evaluated: bool,
    kind: type[TrainingArguments] = TrainingArguments,
    best: str = "eval_loss",
    greater_is_better: bool = False,
    **more: Any,
) -> TrainingArguments:
    """The arguments of a trainer for a recipe's ``training``; `more` are those of its own `kind`.

    The best checkpoint by `best` on the dev rows is the one that is kept and loaded at the end.

    Raises:
        ConfigError: ``save_every`` is no multiple of ``evaluate_every``, or patience looks at nothing.
        MissingExtra: ``report_to`` names a package that is not installed.
    """
    check_intervals(training, evaluated=evaluated)
    check_reporters(training.report_to)
    gpu = torch.cuda.is_available()
    # Said either way, for trl's arguments have it on.
    checkpointing: dict[str, Any] = {"activation_checkpointing": training.gradient_checkpointing}
    if training.gradient_checkpointing:
        checkpointing["activation_checkpointing_kwargs"] = {"use_reentrant": False}
    return kind(
        output_dir=str(run.checkpoints),
        run_name=str(run.facts.get("name")),
        num_train_epochs=training.epochs,
        max_steps=training.max_steps or -1,
        per_device_train_batch_size=training.batch_size,
        per_device_eval_batch_size=training.batch_size,
        gradient_accumulation_steps=training.gradient_accumulation,
        learning_rate=training.learning_rate,
        lr_scheduler_type=training.scheduler,
        warmup_steps=training.warmup,
        weight_decay=training.weight_decay,
        max_grad_norm=training.max_grad_norm,
        **checkpointing,
        bf16=bf16,
        fp16=fp16,
        optim=OPTIMIZERS[training.optimizer],
        label_smoothing_factor=training.label_smoothing,
        seed=training.seed,
        data_seed=training.seed,
        # The loss of a log is the mean since the log before: a checkpoint between two would lose its part.
        logging_steps=math.gcd(LOGGED_EVERY, training.save_every),
        logging_first_step=True,
        logging_nan_inf_filter=False,
        eval_strategy="steps" if evaluated else "no",
        eval_steps=training.evaluate_every if evaluated else None,
        save_strategy="steps",
        save_steps=training.save_every,
        save_total_limit=KEPT,
        load_best_model_at_end=evaluated,
        metric_for_best_model=best if evaluated else None,
        greater_is_better=greater_is_better if evaluated else None,
        report_to=list(training.report_to) or "none",
        disable_tqdm=True,
        use_cpu=not gpu,
        dataloader_pin_memory=gpu,
        remove_unused_columns=False,
        label_names=["labels"],
        **more,
    )


def carry_out(trainer: Trainer, run: Run, training: Any, tokens_per_row: float) -> dict[str, Any]:
    """Train, from the last whole checkpoint where there is one, and give what ``run.json`` says of it."""
    trainer.remove_callback(PrinterCallback)
    trainer.add_callback(RunCallback(run, tokens_per_row))
    checkpoint = last_checkpoint(run.checkpoints)
    if training.patience:
        trainer.add_callback(Patience(training.patience, checkpoint))
    trainer.train(resume_from_checkpoint=checkpoint)
    state = trainer.state
    return {
        "steps": state.global_step,
        "best_step": state.best_global_step or state.global_step,
        "best_metric": state.best_metric,
        "final": last_figures(run.metrics()),
        "tokens_per_row": round(tokens_per_row, 2),
    }


def last_checkpoint(folder: Path) -> str | None:
    """The newest checkpoint that is whole; those that a killed process left half written are deleted."""
    found = sorted(
        (path for path in folder.glob(f"{PREFIX_CHECKPOINT_DIR}-*") if path.name.split("-")[-1].isdigit()),
        key=lambda path: int(path.name.split("-")[-1]),
        reverse=True,
    )
    for path in found:
        if whole(path):
            return str(path)
        if is_main():
            shutil.rmtree(path, ignore_errors=True)
    return None


def whole(checkpoint: Path) -> bool:
    """Whether a checkpoint was written to its end: the trainer writes its state last."""
    if not all((checkpoint / name).is_file() for name in COMPLETE):
        return False
    try:
        json.loads((checkpoint / "trainer_state.json").read_text("utf-8"))
    except ValueError:
        return False
    return True


def last_figures(metrics: list[dict[str, Any]]) -> dict[str, float]:
    """The last value of every figure that was logged."""
    found: dict[str, float] = {}
    for line in metrics:
        found.update(line)
    return {name: value for name, value in found.items() if name not in ("step", "seconds")}


def check_intervals(training: Any, *, evaluated: bool) -> None:
    """Refuse intervals that the trainer would only stumble over after the model is loaded.

    Raises:
        ConfigError: see `training_arguments`.
    """
    problems = []
    if evaluated and training.save_every % training.evaluate_every:
        problems.append(
            f"training.save_every {training.save_every} must be a multiple of training.evaluate_every"
            f" {training.evaluate_every}: the checkpoint that is kept is the best of those evaluated"
        )
    if training.patience and not evaluated:
        problems.append(
            "training.patience needs dev rows to look at, and the prepared set has none; set it to null"
        )
    if problems:
        raise ConfigError("\n".join(problems))


def check_reporters(names: list[str]) -> None:
    """Say now that a package for ``report_to`` is missing, not after an hour.

    Raises:
        ConfigError: a name is unknown.
        MissingExtra: its package is not installed.
    """
    from importlib.util import find_spec

    unknown = [name for name in names if name not in REPORTERS]
    if unknown:
        raise ConfigError(f"training.report_to {', '.join(unknown)}: known are {', '.join(REPORTERS)}")
    for name in names:
        if find_spec(REPORTERS[name]) is None:
            package = REPORTERS[name]
            raise MissingExtra(
                f"training.report_to {name} needs the package {package!r}: pip install {package}"
            )
