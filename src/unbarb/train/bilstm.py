"""A bidirectional LSTM that reads a text word after word, and the maximum over its words.

Embeddings are learnt from the training rows; sequences are packed, so that padding is never read. A label
that a row does not know takes no part in the loss.
"""

from __future__ import annotations

import json
import math
import re
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, Self

import numpy as np
import torch
from safetensors.torch import load_file, save_file
from torch import Tensor, nn
from torch.nn.utils.rnn import pack_padded_sequence, pad_packed_sequence

from unbarb.data.prepared import Prepared
from unbarb.errors import ModelError
from unbarb.train.classifier import conclude, read_about, write_about
from unbarb.train.labels import Floats, label_matrix, learnable, positive_weights
from unbarb.train.masked_loss import masked_loss
from unbarb.train.run import Run, space_needed
from unbarb.train.schema import TrainingPart, TrainRecipe, WordsPart

TOKEN = re.compile(r"\w+|[^\w\s]")
PAD, UNKNOWN = 0, 1
WEIGHTS, WORDS = "model.safetensors", "words.json"
SCORED_AT_ONCE = 128
MEGABATCH = 20
"""Batches that are sorted by length together: like lengths, in an order that still is random."""


def train(recipe: TrainRecipe, prepared: Prepared, run: Run) -> Mapping[str, Any]:
    """Learn from the train rows, watch the dev rows, save, and score the dev rows with what was saved."""
    rows, dev = prepared.split("train")[: recipe.data.rows], prepared.split("dev")
    truth = learnable(rows, recipe.data.labels)
    torch.manual_seed(recipe.training.seed)
    words = vocabulary([row["text"] for row in rows], recipe.words)
    classifier = BiLSTM(recipe.data.labels, words, recipe.words)
    total = sum(one.numel() for one in classifier.net.parameters())
    run.need_space(space_needed(total))
    weight = torch.tensor(positive_weights(truth, recipe.training.class_weight), dtype=torch.float32)
    done = learn(
        classifier, _rows(classifier, rows, truth), _rows(classifier, dev, None), recipe, weight, run
    )
    facts = {"words": len(words), "parameters": {"trainable": total, "total": total, "share": 1.0}}
    return {**facts, **done, **conclude(run, classifier, dev)}


def vocabulary(texts: Sequence[str], words: WordsPart) -> tuple[str, ...]:
    """Words of at least ``min_count`` texts, the most frequent first."""
    found = Counter(word for text in texts for word in dict.fromkeys(split_words(text)))
    kept = [word for word, count in found.most_common(words.max_features) if count >= words.min_count]
    return tuple(kept)


def split_words(text: str) -> list[str]:
    """Words in small letters, and signs."""
    return TOKEN.findall(text.casefold())


Row = tuple[list[int], Tensor]
"""Word numbers, and labels (labels,), NaN where unknown."""


def _rows(classifier: BiLSTM, rows: Sequence[Mapping[str, Any]], truth: Floats | None) -> list[Row]:
    known = label_matrix(rows, classifier.labels) if truth is None else truth
    numbers = (classifier.numbers(row["text"]) for row in rows)
    return list(zip(numbers, torch.tensor(known, dtype=torch.float32), strict=True))


def learn(
    classifier: BiLSTM,
    rows: Sequence[Row],
    dev: Sequence[Row],
    recipe: TrainRecipe,
    weight: Tensor,
    run: Run,
) -> dict[str, Any]:
    """Train; the weights with the lowest dev loss at the end of an epoch are kept.

    What an epoch does depends on the seed and its number alone, so that a run which went on from the
    checkpoint of the epoch before ends as an unbroken one.
    """
    training, net = recipe.training, classifier.net
    steps_each = math.ceil(len(rows) / training.batch_size)
    steps = training.max_steps or max(1, math.ceil(training.epochs * steps_each))
    optimiser = torch.optim.AdamW(
        net.parameters(), lr=training.learning_rate, weight_decay=training.weight_decay
    )
    schedule = torch.optim.lr_scheduler.LambdaLR(optimiser, lambda step: rate(step, steps, training))
    step, epoch, best = _resume(run, net, optimiser, schedule)
    run.live.begin(step, steps)
    while step < steps and not _patience_over(best, epoch, training):
        torch.manual_seed(training.seed * 1000 + epoch)
        net.train()
        losses = []
        for batch in batches(rows, training.batch_size, training.seed * 1000 + epoch):
            if step == steps:
                break
            loss = masked_loss(net(*inputs([rows[at][0] for at in batch])),
                               torch.stack([rows[at][1] for at in batch]), weight)  # fmt: skip
            loss.backward()  # type: ignore[no-untyped-call]
            nn.utils.clip_grad_norm_(net.parameters(), training.max_grad_norm)
            optimiser.step()
            schedule.step()
            optimiser.zero_grad()
            losses.append(loss.detach())
            step += 1
            run.live.moved(step)
        epoch += 1
        figures: dict[str, float] = {
            "loss": round(float(torch.stack(losses).mean()), 6),
            "learning_rate": float(schedule.get_last_lr()[0]),
        }
        if dev:
            figures["eval_loss"] = round(_dev_loss(net, dev, weight), 6)
        if not dev or figures["eval_loss"] < best["loss"]:
            best = {"loss": figures.get("eval_loss", 0.0), "epoch": epoch, "step": step}
            _save_state(run.checkpoints / "best.pt", {"net": net.state_dict()})
        run.log(step, epoch=epoch, **figures)
        _save_state(run.checkpoints / "last.pt", {
            "net": net.state_dict(), "optimiser": optimiser.state_dict(), "schedule": schedule.state_dict(),
            "step": step, "epoch": epoch, "best": best,
        })  # fmt: skip
    net.load_state_dict(torch.load(run.checkpoints / "best.pt", weights_only=True)["net"])
    net.eval()
    return {"steps": step, "best_step": best["step"], "best_metric": best["loss"]}


def rate(step: int, steps: int, training: TrainingPart) -> float:
    """The share of the highest learning rate at `step`: up in the warm-up, then by the scheduler."""
    warm = training.warmup if training.warmup >= 1 else training.warmup * steps
    if step < warm:
        return (step + 1) / (warm + 1)
    left = max(0.0, (steps - step) / max(1.0, steps - warm))
    if training.scheduler == "cosine":
        return 0.5 * (1 - math.cos(math.pi * left))
    return left if training.scheduler == "linear" else 1.0


def batches(rows: Sequence[Row], size: int, seed: int) -> Iterator[list[int]]:
    """Row numbers in batches of like length, shuffled by `seed`."""
    random = np.random.default_rng(seed)
    order = random.permutation(len(rows))
    found = []
    for start in range(0, len(order), size * MEGABATCH):
        block = sorted(order[start : start + size * MEGABATCH].tolist(), key=lambda at: len(rows[at][0]))
        found += [block[at : at + size] for at in range(0, len(block), size)]
    for at in random.permutation(len(found)):
        yield found[at]


def inputs(numbers: Sequence[Sequence[int]]) -> tuple[Tensor, Tensor]:
    """Padded word numbers (texts, words) and how many are real (texts,)."""
    lengths = torch.tensor([len(one) for one in numbers])
    ids = torch.full((len(numbers), int(lengths.max())), PAD)
    for at, one in enumerate(numbers):
        ids[at, : len(one)] = torch.tensor(one)
    return ids, lengths


def _dev_loss(net: Net, dev: Sequence[Row], weight: Tensor) -> float:
    net.eval()
    with torch.inference_mode():
        logits = [net(*inputs([numbers for numbers, _ in dev[at : at + SCORED_AT_ONCE]]))
                  for at in range(0, len(dev), SCORED_AT_ONCE)]  # fmt: skip
    return float(masked_loss(torch.cat(logits), torch.stack([truth for _, truth in dev]), weight))


def _patience_over(best: Mapping[str, Any], epoch: int, training: TrainingPart) -> bool:
    return training.patience is not None and epoch - best["epoch"] >= training.patience


def _resume(run: Run, net: nn.Module, optimiser: Any, schedule: Any) -> tuple[int, int, dict[str, Any]]:
    path = run.checkpoints / "last.pt"
    if not path.is_file():
        run.rewind(0)
        return 0, 0, {"loss": math.inf, "epoch": 0, "step": 0}
    state = torch.load(path, weights_only=True)
    net.load_state_dict(state["net"])
    optimiser.load_state_dict(state["optimiser"])
    schedule.load_state_dict(state["schedule"])
    run.rewind(state["step"])
    return state["step"], state["epoch"], state["best"]


def _save_state(path: Path, state: Mapping[str, Any]) -> None:
    part = path.with_suffix(".part")
    torch.save(dict(state), part)
    part.replace(path)


class Net(nn.Module):
    """Word vectors, an LSTM in each direction, the maximum over the words, one logit a label."""

    def __init__(self, words: int, labels: int, settings: WordsPart) -> None:
        super().__init__()
        self.embedding = nn.Embedding(words + 2, settings.embedding, padding_idx=PAD)
        self.lstm = nn.LSTM(settings.embedding, settings.hidden, batch_first=True, bidirectional=True)
        self.dropout = nn.Dropout(settings.dropout)
        self.output = nn.Linear(2 * settings.hidden, labels)

    def forward(self, ids: Tensor, lengths: Tensor) -> Tensor:
        """Logits (texts, labels) of word numbers (texts, words) of which `lengths` (texts,) are real."""
        packed = pack_padded_sequence(
            self.dropout(self.embedding(ids)), lengths, batch_first=True, enforce_sorted=False
        )
        states, _ = pad_packed_sequence(self.lstm(packed)[0], batch_first=True, padding_value=-math.inf)
        logits: Tensor = self.output(self.dropout(states.amax(dim=1)))
        return logits


class BiLSTM:
    """The network and its words; a text beyond ``max_words`` is scored in windows, the highest counts."""

    def __init__(self, labels: Sequence[str], words: Sequence[str], settings: WordsPart) -> None:
        self.labels = tuple(labels)
        self.words = tuple(words)
        self.settings = settings
        self.net = Net(len(self.words), len(self.labels), settings)
        self._number = {word: at for at, word in enumerate(self.words, 2)}

    def numbers(self, text: str) -> list[int]:
        """Word numbers of the beginning of `text`, at least one."""
        return self._windows(text)[0]

    def _windows(self, text: str) -> list[list[int]]:
        found = [self._number.get(word, UNKNOWN) for word in split_words(text)] or [UNKNOWN]
        size = self.settings.max_words
        return [found[at : at + size] for at in range(0, len(found), size)]

    def predict_proba(self, texts: Sequence[str]) -> Floats:
        """Probabilities, shape (texts, labels)."""
        scores = np.zeros((len(texts), len(self.labels)))
        windows = [(at, numbers) for at, text in enumerate(texts) for numbers in self._windows(text)]
        windows.sort(key=lambda one: len(one[1]))
        self.net.eval()
        for start in range(0, len(windows), SCORED_AT_ONCE):
            chosen = windows[start : start + SCORED_AT_ONCE]
            with torch.inference_mode():
                found = torch.sigmoid(self.net(*inputs([numbers for _, numbers in chosen]))).numpy()
            for (at, _), one in zip(chosen, found, strict=True):
                scores[at] = np.maximum(scores[at], one)
        return scores

    def save(self, folder: Path) -> None:
        """Write weights, words and settings; no pickle."""
        save_file({name: one.contiguous() for name, one in self.net.state_dict().items()}, folder / WEIGHTS)
        (folder / WORDS).write_text(json.dumps(self.words, ensure_ascii=False), encoding="utf-8")
        write_about(folder, "bilstm", self.labels, settings=self.settings.model_dump(mode="json"))

    @classmethod
    def load(cls, folder: Path) -> Self:
        """Read what `save` wrote.

        Raises:
            ModelError: files are missing, damaged, or do not fit together.
        """
        about = read_about(folder)
        try:
            words = json.loads((folder / WORDS).read_text("utf-8"))
            found = cls(about["labels"], words, WordsPart.model_validate(about["settings"]))
            found.net.load_state_dict(load_file(folder / WEIGHTS))
        except (OSError, ValueError, KeyError, RuntimeError) as error:
            raise ModelError(f"{folder} does not load: {type(error).__name__}: {error}") from error
        found.net.eval()
        return found
