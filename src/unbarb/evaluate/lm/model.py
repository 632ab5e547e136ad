"""A causal language model as it is measured: what it goes on with, and how surprised it is by a text."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import Any

import torch
from transformers import AutoModelForCausalLM, GenerationConfig
from transformers.utils import logging

from unbarb.detect.folder import UNBOUNDED, ModelFolder
from unbarb.detect.pretrained import load
from unbarb.errors import ConfigError
from unbarb.evaluate.lm.prompts import Prompt

FACTS = "run.json"
BATCH = 16
"""Texts whose surprise is taken at once."""


@dataclass(frozen=True, slots=True)
class Drawing:
    """How continuations are drawn: `count` a prompt, at most `tokens` long, from the nucleus `top_p`."""

    count: int = 25
    tokens: int = 20
    top_p: float = 0.9
    temperature: float = 1.0
    seed: int = 13


@dataclass(frozen=True, slots=True)
class Surprise:
    """Of each text, the negative log-likelihood in nats and the number of tokens it is the sum over."""

    nats: tuple[float, ...]
    tokens: tuple[int, ...]


class LanguageModel:
    """The model of a folder: one of the hub's format, an adapter, or a run of `unbarb train`.

    Raises:
        ConfigError: it is no causal model.
        ModelError: there is none, or it does not load.
    """

    def __init__(self, where: Path | str, *, dtype: str = "auto", device: str = "auto") -> None:
        logging.disable_progress_bar()  # our own display would be torn by it
        run = Path(where) / "model"
        folder = ModelFolder.find(run if (Path(where) / FACTS).is_file() else where)
        if folder.config().get("is_encoder_decoder"):
            raise ConfigError(f"{where}: an encoder-decoder; a model that goes on with a text is needed")
        loaded = load(AutoModelForCausalLM, folder, dtype=dtype, device=device)
        self._model, self._tokenizer, self._device = loaded.model, loaded.tokenizer, loaded.device
        self._model.config.use_cache = True
        self.digest = folder.digest()
        self.limit = _limit(self._model.config, self._tokenizer)

    def continuations(self, prompts: Sequence[Prompt], how: Drawing) -> list[list[str]]:
        """What it goes on with after each prompt, without the prompt; a text may end at once and be empty.

        The prompts are read together and draw from one seed, which their ids decide: the same prompts in
        the same call give the same continuations.
        """
        ids = [self._prompted(prompt.text, how.tokens) for prompt in prompts]
        width = max(map(len, ids))
        given = {
            # On the left, so that every continuation begins in the same column.
            "input_ids": [[row[0]] * (width - len(row)) + row for row in ids],
            "attention_mask": [[0] * (width - len(row)) + [1] * len(row) for row in ids],
        }
        tensors = {name: torch.tensor(rows, device=self._device) for name, rows in given.items()}
        drawn_by = sha256("\n".join([str(how.seed), *(prompt.id for prompt in prompts)]).encode()).digest()
        devices = [self._device.index or 0] if self._device.type == "cuda" else []
        with torch.inference_mode(), torch.random.fork_rng(devices):
            torch.manual_seed(int.from_bytes(drawn_by[:4]))
            made = self._model.generate(**tensors, generation_config=self._drawn_as(how))
        texts: list[str] = self._tokenizer.batch_decode(made[:, width:], skip_special_tokens=True)
        return [texts[at : at + how.count] for at in range(0, len(texts), how.count)]

    def surprise(self, texts: Sequence[str]) -> Surprise:
        """Nats and tokens of every text, its end included; beyond the model's places nothing is read.

        The first token, which nothing precedes, does not count.
        """
        rows = [self._whole(text) for text in texts]
        nats, tokens = [0.0] * len(rows), [0] * len(rows)
        order = sorted(range(len(rows)), key=lambda at: len(rows[at]))
        for start in range(0, len(order), BATCH):
            chosen = order[start : start + BATCH]
            for at, (loss, count) in zip(chosen, self._losses([rows[at] for at in chosen]), strict=True):
                nats[at], tokens[at] = loss, count
        return Surprise(tuple(nats), tuple(tokens))

    def _losses(self, rows: Sequence[Sequence[int]]) -> list[tuple[float, int]]:
        width = max(map(len, rows))
        # Filled up on the right, where a causal model's earlier tokens do not see it.
        ids = torch.tensor([[*row, *([row[0]] * (width - len(row)))] for row in rows], device=self._device)
        mask = torch.tensor(
            [[1] * len(row) + [0] * (width - len(row)) for row in rows], device=self._device
        )
        with torch.inference_mode():
            logits = self._model(input_ids=ids, attention_mask=mask).logits[:, :-1].float()
        loss = torch.nn.functional.cross_entropy(logits.transpose(1, 2), ids[:, 1:], reduction="none")
        sums = (loss * mask[:, 1:]).double().sum(dim=1).tolist()
        return [(float(sum_), len(row) - 1) for sum_, row in zip(sums, rows, strict=True)]

    def _whole(self, text: str) -> list[int]:
        ids = list(self._tokenizer(text, verbose=False)["input_ids"])
        end = self._tokenizer.eos_token_id
        if end is not None and (not ids or ids[-1] != end):
            ids.append(end)
        return ids[: self.limit]

    def _prompted(self, text: str, room: int) -> list[int]:
        """The ids of a prompt, its end kept where the whole leaves no room for a continuation."""
        ids = list(self._tokenizer(text, verbose=False)["input_ids"])
        if len(ids) > 1 and ids[-1] == self._tokenizer.eos_token_id:
            ids.pop()  # some tokenizers end every text; a prompt has no end
        return ids[-(self.limit - room) :]

    def _drawn_as(self, how: Drawing) -> GenerationConfig:
        own: Any = self._model.generation_config
        end = own.eos_token_id if own.eos_token_id is not None else self._tokenizer.eos_token_id
        pads = (own.pad_token_id, self._tokenizer.pad_token_id, end if isinstance(end, int) else None, 0)
        return GenerationConfig(
            do_sample=True,
            num_return_sequences=how.count,
            max_new_tokens=how.tokens,
            top_p=how.top_p,
            top_k=0,
            temperature=how.temperature,
            eos_token_id=end,
            pad_token_id=next(one for one in pads if one is not None),
        )


def _limit(config: Any, tokenizer: Any) -> int:
    """The places a model has, prompt and continuation together."""
    names = ("max_position_embeddings", "n_positions", "max_sequence_length")
    places = [getattr(config, name, None) for name in names]
    known = [one for one in (*places, tokenizer.model_max_length) if one and one < UNBOUNDED]
    return min(known, default=2048)
