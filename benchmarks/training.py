"""Throughput of a run against a bare loop of transformers or TRL, on the same model and rows.

``python benchmarks/training.py --out benchmarks/training.json`` writes the section of docs/benchmarks.md
too. Models have random weights, for time does not depend on what a weight is. Runs take turns, each is
timed from its sixth step to its last, ours with the figures, the checkpoints and the run folder it always
has; the ratio is the median of the rounds'.
Without a GPU it is the processor's time that is counted: what else the machine does changes nothing.
"""

from __future__ import annotations

import argparse
import json
import platform
import random
import statistics
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch
import training_page
import transformers
from datasets import Dataset
from tokenizers import Tokenizer, models, pre_tokenizers, processors
from transformers import (
    DataCollatorForSeq2Seq,
    LlamaConfig,
    LlamaForCausalLM,
    PreTrainedTokenizerFast,
    PrinterCallback,
    Seq2SeqTrainer,
    Seq2SeqTrainingArguments,
    T5Config,
    T5ForConditionalGeneration,
    Trainer,
    TrainerCallback,
    TrainingArguments,
)
from trl.trainer.sft_config import SFTConfig
from trl.trainer.sft_trainer import SFTTrainer

from unbarb.data.prepared import Prepared, write_prepared
from unbarb.train import causal, seq2seq
from unbarb.train.callback import carry_out
from unbarb.train.models import load, tokenizer_for
from unbarb.train.rewriters import encoded_splits
from unbarb.train.run import Run
from unbarb.train.schema import TrainRecipe
from unbarb.train.supervised import Encoder

LEAST = 0.95
SKIPPED = 5
"""Steps before the clock starts: threads, caches and the allocator settle."""

BATCH, WORDS = 16, 2000
SIZES = {"small": (256, 4, 1024), "t5-small": (512, 6, 2048)}
"""Width, layers and feed-forward width."""


class Clock(TrainerCallback):  # type: ignore[misc]
    """Seconds between the step `SKIPPED` and the last: on the wall with a GPU, else of the processor."""

    def __init__(self) -> None:
        self.began = self.seconds = 0.0

    def on_step_end(self, args: Any, state: Any, control: Any, **_: Any) -> None:
        if torch.cuda.is_available():
            torch.cuda.synchronize()
        now = time.perf_counter() if torch.cuda.is_available() else time.process_time()
        if state.global_step == SKIPPED:
            self.began = now
        elif state.global_step == state.max_steps:
            self.seconds = now - self.began


def tokenizer() -> PreTrainedTokenizerFast:
    words = ["<pad>", "</s>", "<unk>", *(f"w{at}" for at in range(WORDS)), "detoxify", ":"]
    made = Tokenizer(models.WordLevel({word: at for at, word in enumerate(words)}, unk_token="<unk>"))
    made.pre_tokenizer = pre_tokenizers.Whitespace()
    made.post_processor = processors.TemplateProcessing(single="$A </s>", special_tokens=[("</s>", 1)])
    return PreTrainedTokenizerFast(
        tokenizer_object=made, pad_token="<pad>", eos_token="</s>", unk_token="<unk>", model_max_length=512
    )


def rows(steps: int) -> list[dict[str, str]]:
    """Pairs of 10 to 30 words, as long as those people write."""
    drawn = random.Random(13)

    def text() -> str:
        return " ".join(f"w{drawn.randrange(WORDS)}" for _ in range(drawn.randrange(10, 31)))

    return [
        {"id": str(at), "source": text(), "target": text(), "corpus": "drawn"}
        for at in range(steps * BATCH)
    ]


def base(kind: str, size: str, folder: Path) -> Path:
    torch.manual_seed(13)
    width, layers, wide = SIZES[size]
    ids = {"vocab_size": WORDS + 8, "pad_token_id": 0, "eos_token_id": 1}
    if kind == "seq2seq":
        config = T5Config(
            **ids, d_model=width, d_kv=64, d_ff=wide, num_layers=layers, num_heads=width // 64,
            decoder_start_token_id=0,
        )  # fmt: skip
        T5ForConditionalGeneration(config).save_pretrained(folder)
    else:
        config = LlamaConfig(
            **ids, bos_token_id=None, hidden_size=width, intermediate_size=wide, num_hidden_layers=layers,
            num_attention_heads=width // 64,
        )  # fmt: skip
        LlamaForCausalLM(config).save_pretrained(folder)
    tokenizer().save_pretrained(folder)
    return folder


def recipe(kind: str, folder: Path, steps: int, dtype: str) -> TrainRecipe:
    return TrainRecipe.model_validate(
        {
            "schema": 1,
            "name": f"bench-{kind}",
            "objective": kind,
            "model": {"name": str(folder), "dtype": dtype},
            "template": {"name": "t5-prefix" if kind == "seq2seq" else "plain"},
            "method": {"name": "full"},
            "data": {"max_source_tokens": 64, "max_target_tokens": 64},
            "training": {"max_steps": steps, "batch_size": BATCH, "save_every": 10_000},
        }
    )


def ours(wanted: TrainRecipe, data: Prepared, place: Path) -> float:
    """Seconds of a run as `unbarb train` makes it."""
    kind: Any = wanted.objective
    words = tokenizer_for(wanted, kind)
    encoder = Encoder(words, wanted.build_template(), seq2seq=kind == "seq2seq")
    learnt, dev = encoded_splits(wanted, data, encoder)
    with Run.begin(place, recipe=wanted.to_dict(), digests={"data": data.digest}, quiet=True) as run:
        loaded = load(wanted, kind, words, run)
        module = seq2seq if kind == "seq2seq" else causal
        trainer = module.trainer_for(wanted, loaded, learnt, dev, run)
        clock = Clock()
        trainer.add_callback(clock)
        carry_out(trainer, run, wanted.training, learnt.mean_tokens)
    return clock.seconds


def arguments(kind: Any, wanted: TrainRecipe, place: Path, **more: Any) -> Any:
    """What somebody writes who only trains: the same numbers, nothing logged and nothing saved."""
    part = wanted.training
    return kind(
        output_dir=str(place), max_steps=part.max_steps, per_device_train_batch_size=part.batch_size,
        learning_rate=part.learning_rate, bf16=wanted.base.dtype == "bf16", seed=part.seed,
        save_strategy="no", report_to="none", disable_tqdm=True, use_cpu=not torch.cuda.is_available(),
        warmup_steps=part.warmup, **more,
    )  # fmt: skip


def bare_transformers(wanted: TrainRecipe, data: Prepared, place: Path) -> float:
    """Seconds of transformers' trainer with its own collator on the same ids."""
    kind: Any = wanted.objective
    words = tokenizer_for(wanted, kind)
    encoder = Encoder(words, wanted.build_template(), seq2seq=kind == "seq2seq")
    learnt, _ = encoded_splits(wanted, data, encoder)
    given = [{"input_ids": row.input_ids, "labels": row.labels} for row in learnt.encoded]
    if kind == "seq2seq":
        model = T5ForConditionalGeneration.from_pretrained(wanted.base.name, dtype=torch.float32)
        make, settings = Seq2SeqTrainer, Seq2SeqTrainingArguments
    else:
        model = LlamaForCausalLM.from_pretrained(wanted.base.name, dtype=torch.float32)
        make, settings = Trainer, TrainingArguments
    collator = DataCollatorForSeq2Seq(words, pad_to_multiple_of=8 if torch.cuda.is_available() else None)
    plain = arguments(settings, wanted, place)
    return clocked(make(model=model, args=plain, data_collator=collator, train_dataset=given))


def bare_trl(wanted: TrainRecipe, data: Prepared, place: Path) -> float:
    """Seconds of TRL's supervised trainer, with the loss on the completion alone."""
    model = LlamaForCausalLM.from_pretrained(wanted.base.name, dtype=torch.float32)
    given = Dataset.from_list(
        [{"prompt": row["source"] + " ", "completion": row["target"]} for row in data.split("train")]
    )
    settings = arguments(SFTConfig, wanted, place, completion_only_loss=True, max_length=128,
                         activation_checkpointing=False)  # fmt: skip
    words = tokenizer_for(wanted, "causal")
    return clocked(SFTTrainer(model=model, args=settings, train_dataset=given, processing_class=words))


def clocked(trainer: Trainer) -> float:
    trainer.remove_callback(PrinterCallback)
    clock = Clock()
    trainer.add_callback(clock)
    trainer.train()
    return clock.seconds


def compare(
    kind: str, peer: Callable[[TrainRecipe, Prepared, Path], float], options: argparse.Namespace
) -> dict[str, Any]:
    with tempfile.TemporaryDirectory() as name:
        place = Path(name)
        data = write_prepared(place / "set", "pairs", {"train": rows(options.steps)})
        wanted = recipe(kind, base(kind, options.size, place / "base"), options.steps, options.dtype)
        times: dict[str, list[float]] = {"ours": [], "peer": []}
        for at in range(options.rounds):
            # Whoever goes first in a round has the colder machine: they take turns.
            turns = [("ours", ours), ("peer", peer)]
            for who, run in turns if at % 2 == 0 else reversed(turns):
                times[who].append(run(wanted, data, place / f"{who}-{at}"))
        tokens = sum(
            len(row["source"].split()) + len(row["target"].split()) + 2 for row in data.split("train")
        )
    counted = tokens * (options.steps - SKIPPED) / options.steps
    speed = {who: round(counted / statistics.median(seconds)) for who, seconds in times.items()}
    ratios = [peer / ours for ours, peer in zip(times["ours"], times["peer"], strict=True)]
    return {
        "objective": kind, "peer": peer.__name__, "tokens_per_second": speed,
        "ratio": round(statistics.median(ratios), 3), "ratios": [round(one, 3) for one in ratios],
        "least": LEAST,
    }  # fmt: skip


PEERS = (("seq2seq", bare_transformers), ("causal", bare_transformers), ("causal", bare_trl))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--out", type=Path)
    parser.add_argument("--size", choices=SIZES, default="small")
    parser.add_argument("--steps", type=int, default=60)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--dtype", choices=["fp32", "bf16"], default="fp32")
    options = parser.parse_args()
    transformers.utils.logging.disable_progress_bar()
    found = [compare(kind, peer, options) for kind, peer in PEERS]
    device = torch.cuda.get_device_name() if torch.cuda.is_available() else platform.processor() or "CPU"
    content = {
        "size": options.size, "dtype": options.dtype, "batch": BATCH, "steps": options.steps,
        "rounds": options.rounds, "device": device, "threads": torch.get_num_threads(),
        "torch": torch.__version__, "transformers": transformers.__version__, "runs": found,
    }  # fmt: skip
    text = json.dumps(content, indent=2) + "\n"
    if options.out:
        options.out.write_text(text, encoding="utf-8")
        if options.out == training_page.FIGURES:
            training_page.main()
    print(text, end="")


if __name__ == "__main__":
    main()
