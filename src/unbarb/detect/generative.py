"""Scores by a causal model that was asked for labels: the probabilities of the tokens for yes and no.

Nothing is generated and nothing is read from an answer, so that no refusal and no odd wording loses a
text. Every text is asked alone: its scores do not depend on what else was in the batch.
"""

from __future__ import annotations

from collections.abc import Sequence
from math import exp
from typing import Any

import torch
from transformers import AutoModelForCausalLM

from unbarb.detect.folder import UNBOUNDED, ModelFolder
from unbarb.detect.pretrained import load
from unbarb.detect.scorer import scored
from unbarb.errors import ConfigError, DetectionError, ModelError
from unbarb.prompt import CHOICES, FILE, Template, built_in
from unbarb.segment import sentences
from unbarb.text import Analysis

DIGITS = 6


class Generative:
    """A causal model as a detector, trained to answer a line a label, or as it is.

    A label's score is P(yes) / (P(yes) + P(no)) after the lines of the labels before it, each with its
    likelier answer. A text that is too long is read by sentences, as many at once as fit, and a label's
    score is the highest.

    Args:
        model: folder of a model or an adapter, or a name on the hub.
        base: the model under an adapter, where it is not the one that the adapter names.
        revision: of a name on the hub.
        labels: what to ask a model that was not trained with a template; the six when left out.
        dtype: auto (as stored), fp32, bf16 or fp16.
        device: auto, cpu, cuda or cuda:N.
        alias: what findings and verdicts call it, where a guard has several.

    Raises:
        ConfigError: the model's template is not one of labels, or says other labels.
        ModelError: no such model, it does not load, or its tokens cannot tell yes from no.
    """

    def __init__(
        self,
        model: str,
        *,
        base: str | None = None,
        revision: str | None = None,
        labels: Sequence[str] | None = None,
        dtype: str = "auto",
        device: str = "auto",
        alias: str | None = None,
    ) -> None:
        folder = ModelFolder.find(model, base, revision)
        self._template = _template(folder, labels)
        self._loaded = load(AutoModelForCausalLM, folder, dtype=dtype, device=device)
        self._limit = _limit(self._loaded.model.config, self._loaded.tokenizer)
        self.name = alias or "generative"
        self.labels = frozenset(self._template.labels)
        self.digest = folder.digest()
        self._choice("")  # fails now, and not at the first text

    def detect(
        self, texts: Sequence[str], *, context: Sequence[str | None] | None = None
    ) -> list[Analysis]:
        """Score every text, all of it; `context` is not read."""
        return scored(self, texts)

    def score(self, text: str) -> dict[str, float]:
        """The score of each label."""
        scores = [self._asked(part) for part in self._parts(text)]
        return {label: max((one[label] for one in scores), default=0.0) for label in self._template.labels}

    def _parts(self, text: str) -> list[str]:
        """The text, or runs of its sentences, each short enough for the model; none of a blank text."""
        if not text.strip():
            return []
        if self._fits(text):
            return [text]
        parts = [""]
        for span in sentences(text):
            sentence = span.of(text)
            if parts[-1] and not self._fits(parts[-1] + sentence):
                parts.append("")
            parts[-1] += sentence
        long = next((part for part in parts if not self._fits(part)), None)
        if long is not None:
            raise DetectionError(
                f"a sentence of {len(long)} characters does not fit the model's {self._limit} tokens"
            )
        return [part for part in parts if part.strip()]

    def _fits(self, text: str) -> bool:
        asked = self._template.ids(text, self._loaded.tokenizer, seq2seq=False)
        lines = "\n".join(f"{self._template.question(label)} 1" for label in self._template.labels)
        return len(asked) + len(self._tokens(lines)) <= self._limit

    @torch.inference_mode()
    def _asked(self, text: str) -> dict[str, float]:
        prompt = self._template.ids(text, self._loaded.tokenizer, seq2seq=False)
        said, cache = "", None
        read: list[int] = []
        scores: dict[str, float] = {}
        for label in self._template.labels:
            said += self._template.question(label)
            shared, no, yes = self._choice(said)
            wanted = prompt + shared
            if wanted[: len(read)] != read or len(wanted) == len(read):  # a token that spans two lines
                read, cache = [], None
            ids = torch.tensor([wanted[len(read) :]], device=self._loaded.device)
            output = self._loaded.model(input_ids=ids, past_key_values=cache, use_cache=True)
            read, cache = wanted, output.past_key_values
            logits = output.logits[0, -1].double()
            score = 1 / (1 + exp(min(700.0, float(logits[no] - logits[yes]))))
            scores[label] = round(score, DIGITS)
            said += f" {CHOICES[score >= 0.5]}\n"
        return scores

    def _choice(self, said: str) -> tuple[list[int], int, int]:
        """The ids of an answer up to a choice, and the tokens of no and yes that may follow them."""
        no, yes = (self._tokens(f"{said or 'Toxic:'} {choice}") for choice in CHOICES)
        if no[:-1] != yes[:-1] or no[-1] == yes[-1]:
            raise ModelError(
                f"{self.name}: the model's tokens do not tell {CHOICES[0]!r} from {CHOICES[1]!r} by one"
                " token; use another base model"
            )
        return no[:-1], no[-1], yes[-1]

    def _tokens(self, text: str) -> list[int]:
        return list(self._loaded.tokenizer(text, add_special_tokens=False)["input_ids"])


def _template(folder: ModelFolder, labels: Sequence[str] | None) -> Template:
    if not (folder.path / FILE).is_file():
        return built_in("labels", labels=labels)
    saved = Template.load(folder.path)
    if not saved.labels:
        raise ConfigError(
            f"{folder.path} was trained with the template {saved.name!r}, which has no labels"
        )
    if labels is not None and tuple(labels) != saved.labels:
        raise ConfigError(
            f"labels: {folder.path} was trained for {', '.join(saved.labels)}; leave them out"
        )
    return saved


def _limit(config: Any, tokenizer: Any) -> int:
    known = [getattr(config, "max_position_embeddings", None), tokenizer.model_max_length]
    return min((one for one in known if one and one < UNBOUNDED), default=UNBOUNDED)
