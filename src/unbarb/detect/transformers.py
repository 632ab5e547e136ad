"""Scores by any sequence classifier of transformers, alone or with an adapter.

Every text is read alone, so that its scores do not depend on what else was in the batch: not by a digit.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import torch
from transformers import AutoModelForSequenceClassification

from unbarb.detect.folder import ModelFolder, read_json
from unbarb.detect.outputs import Outputs
from unbarb.detect.pretrained import load
from unbarb.errors import ConfigError
from unbarb.segment import language
from unbarb.text import Analysis

_UNBOUNDED = 1_000_000
DIGITS = 6


class TransformersDetector:
    """A classifier as a detector.

    Args:
        model: folder of a classifier or of an adapter, or a name on the hub.
        base: the model under an adapter, where it is not the one that the adapter names.
        revision: of a name on the hub.
        labels: the model's label → ours, or null for one that says nothing of toxicity; left out, names
            that are known are taken, and one that is not known is an error.
        activation: sigmoid (any number of labels at once) or softmax (one of all); left out, what the model
            says, as the pipelines of transformers take it.
        window: tokens read at once; left out, what it was trained on, or what the model has places for, at
            most 512. Longer texts are read in windows that overlap by a quarter; the highest score counts.
        dtype: auto (as stored), fp32, bf16 or fp16.
        device: auto, cpu, cuda or cuda:N.
        alias: what findings and policies' verdicts call it, where a guard has several.

    Raises:
        ConfigError: labels that are not the model's, or are not told; another option that is not valid.
        ModelError: no such model, or it does not load.
    """

    def __init__(
        self,
        model: str,
        *,
        base: str | None = None,
        revision: str | None = None,
        labels: Mapping[str, str | None] | None = None,
        activation: str | None = None,
        window: int | None = None,
        dtype: str = "auto",
        device: str = "auto",
        alias: str | None = None,
    ) -> None:
        folder = ModelFolder.find(model, base, revision)
        self._loaded = load(AutoModelForSequenceClassification, folder, dtype=dtype, device=device)
        self._outputs = Outputs.of(self._loaded.model.config, labels, activation)
        trained = folder.path / "classifier.json"  # with the window a run trained it on
        window = window or (read_json(trained).get("max_tokens") if trained.is_file() else None)
        self._window = _window(self._loaded.model.config, self._loaded.tokenizer, window)
        self.name = alias or "transformers"
        self.labels = frozenset(self._outputs.labels)
        self.digest = folder.digest()

    def detect(
        self, texts: Sequence[str], *, context: Sequence[str | None] | None = None
    ) -> list[Analysis]:
        """Score every text, all of it, as a whole: there are no findings; `context` is not read."""
        return [
            Analysis(text, self.score(text), language=language(text), models={self.name: self.digest})
            for text in texts
        ]

    @torch.inference_mode()
    def score(self, text: str) -> dict[str, float]:
        """The score of each label: the highest of its windows, 0 for a text without a letter to read."""
        windows = self._windows(text) if text.strip() else []
        if not windows:
            return dict.fromkeys(self._outputs.labels, 0.0)
        logits = [self._loaded.model(**window).logits[0].double().cpu() for window in windows]
        scores = [self._outputs.scores(one.tolist()) for one in logits]
        return {label: round(max(one[label] for one in scores), DIGITS) for label in self._outputs.labels}

    def _windows(self, text: str) -> list[dict[str, Any]]:
        encoded = self._loaded.tokenizer(
            text,
            truncation=True,
            max_length=self._window,
            stride=(self._window - self._loaded.tokenizer.num_special_tokens_to_add()) // 4,
            return_overflowing_tokens=True,
        )
        rows = [torch.tensor([ids], device=self._loaded.device) for ids in encoded["input_ids"] if ids]
        return [{"input_ids": row, "attention_mask": torch.ones_like(row)} for row in rows]


def _window(config: Any, tokenizer: Any, asked: int | None) -> int:
    places = getattr(config, "max_position_embeddings", None)
    if places and config.model_type in ("roberta", "xlm-roberta", "camembert"):
        places -= 2  # their places begin behind the pad's
    known = [one for one in (places, tokenizer.model_max_length) if one and one < _UNBOUNDED]
    most = min(known, default=_UNBOUNDED)
    if asked is not None and not 8 <= asked <= most:
        raise ConfigError(f"window: {asked} is not from 8 to {most}, the model's places")
    return asked or min(most, 512)
