"""Asks a model the same before and after, and fails on drift: logits, and the text it writes.

A merge that goes wrong is seen by nobody: the model still talks. So it is asked a few prompts before
and after. The first answer, word for word what it wrote, is laid before both, and the logits at every
token of it are compared: for each prompt the root mean square of the differences, as a share of how far
the logits themselves spread (their standard deviation). Rounding to bf16 is some hundredths of it, a
corrupted weight about the whole. A text that differs though every token's choice stays the same means
that settings were lost on the way.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import isnan
from typing import Any

import torch
from torch import Tensor

from unbarb.errors import ModelError
from unbarb.export.trained import Kind
from unbarb.prompt import Template, built_in

NEW_TOKENS = 32
TOLERANCES = {"fp32": 1e-3, "bf16": 0.15, "fp16": 2e-2}
"""How large a drift may be that comes of rounding alone, by the numbers a model is held in; that of bf16 is
for the worst, a model hardly trained."""


@dataclass(frozen=True, slots=True)
class Observed:
    """What a model answered: for each prompt its logits (positions, outputs) in float32, and its text.

    `forced` is the answer laid before it, in token ids; empty for a classifier.
    """

    logits: tuple[Tensor, ...]
    texts: tuple[str, ...]
    forced: tuple[tuple[int, ...], ...]


@dataclass(frozen=True, slots=True)
class Drift:
    """How far two observations of `prompts` are apart, in shares of the logits' own spread.

    `largest` is that of the worst prompt.
    `rounded` texts differ where two tokens were nearly as likely, `changed` ones for no such reason.
    """

    prompts: int
    largest: float
    mean: float
    rounded: int
    changed: int

    def check(self, tolerance: float, what: str) -> None:
        """Fail where the models differ by more than rounding.

        Raises:
            ModelError: with the figures.
        """
        if self.changed or not self.largest <= tolerance:  # NaN is no agreement
            raise ModelError(
                f"{what} drifted: logits by {self.largest:.2%} of their spread (mean {self.mean:.2%},"
                f" allowed {tolerance:.2%}), {self.changed + self.rounded} of {self.prompts} texts differ,"
                f" {self.changed} of them by more than rounding. Nothing was kept; merge into a base in"
                " fp32 or bf16, the one that it was trained on"
            )

    def __str__(self) -> str:
        return (
            f"{self.prompts} prompts: logits within {self.largest:.3%} (mean {self.mean:.3%}),"
            f" {self.prompts - self.rounded - self.changed} texts the same"
        )


@torch.inference_mode()
def observe(
    model: Any,
    tokenizer: Any,
    texts: Sequence[str],
    kind: Kind,
    template: Template | None = None,
    before: Observed | None = None,
) -> Observed:
    """Ask `model` all `texts`, one at a time; `before` gives the answers that are laid before it."""
    logits: list[Tensor] = []
    said: list[str] = []
    forced: list[tuple[int, ...]] = []
    for at, text in enumerate(texts):
        if kind == "classification":
            ids = tokenizer(text, truncation=True, return_tensors="pt").input_ids.to(model.device)
            found = model(input_ids=ids, attention_mask=torch.ones_like(ids)).logits
            logits.append(found.float().cpu())
            said.append(str(_choices(found[0], model.config)))
            forced.append(())
            continue
        prompt = (template or built_in("plain")).ids(text, tokenizer, seq2seq=kind == "seq2seq")
        ids = torch.tensor([prompt], device=model.device)
        answer = _answer(model, tokenizer, ids, kind)
        said.append(tokenizer.decode(answer, skip_special_tokens=True))
        forced.append(before.forced[at] if before else tuple(answer))
        logits.append(_along(model, ids, forced[-1], kind))
    return Observed(tuple(logits), tuple(said), tuple(forced))


def _spread(logits: Tensor) -> Tensor:
    """How far logits lie apart; one alone, that of a single label, by how far it is from even odds."""
    return logits.std().clamp(min=1e-9) if logits.numel() > 1 else logits.abs().max().clamp(min=1.0)


def drift(before: Observed, after: Observed) -> Drift:
    """Compare what two models said to the same prompts."""
    shares: list[float] = []
    rounded = changed = 0
    for one, other, text, said in zip(before.logits, after.logits, before.texts, after.texts, strict=True):
        shares.append(float((one - other).square().mean().sqrt() / _spread(one)))
        if text != said:
            flipped = bool((one.argmax(-1) != other.argmax(-1)).any())
            rounded, changed = rounded + flipped, changed + (not flipped)
    worst = max(shares, key=lambda share: (isnan(share), share))
    return Drift(len(shares), worst, sum(shares) / len(shares), rounded, changed)


def _choices(logits: Tensor, config: Any) -> list[int]:
    """The labels a classifier gives: those over one half, or the likeliest."""
    if config.problem_type == "multi_label_classification" or logits.numel() == 1:
        return [at for at, one in enumerate(logits.tolist()) if one > 0]
    return [int(logits.argmax())]


def _answer(model: Any, tokenizer: Any, ids: Tensor, kind: Kind) -> list[int]:
    """What it writes by itself, with the settings it was saved with."""
    output = model.generate(
        input_ids=ids,
        attention_mask=torch.ones_like(ids),
        max_new_tokens=NEW_TOKENS,
        do_sample=False,
        num_beams=1,
        pad_token_id=tokenizer.pad_token_id,
    )
    return list(map(int, output[0, 1 if kind == "seq2seq" else ids.shape[1] :]))


def _along(model: Any, ids: Tensor, answer: Sequence[int], kind: Kind) -> Tensor:
    """The logits from which each token of `answer` is chosen, shape (tokens, vocabulary)."""
    said = torch.tensor([list(answer)], device=ids.device, dtype=torch.long)
    if kind == "seq2seq":
        start = torch.full((1, 1), model.generation_config.decoder_start_token_id, device=ids.device)
        read = torch.cat([start, said[:, :-1]], dim=1)
        return _cpu(
            model(input_ids=ids, attention_mask=torch.ones_like(ids), decoder_input_ids=read).logits
        )
    whole = torch.cat([ids, said], dim=1)
    found = model(input_ids=whole, attention_mask=torch.ones_like(whole)).logits
    return _cpu(found[:, ids.shape[1] - 1 : -1])


def _cpu(logits: Tensor) -> Tensor:
    return logits[0].float().cpu()
