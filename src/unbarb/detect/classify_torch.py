"""Runs a classifier in torch, one window of a text at a time."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from tokenizers import Tokenizer
from transformers import AutoModelForSequenceClassification

from unbarb.detect.folder import UNBOUNDED, ModelFolder
from unbarb.detect.pretrained import load
from unbarb.errors import ModelError


class TorchClassifier:
    """A sequence classifier of transformers, with its adapter if it has one."""

    def __init__(self, folder: ModelFolder, dtype: str, device: str) -> None:
        self._loaded = load(AutoModelForSequenceClassification, folder, dtype=dtype, device=device)
        self.config = self._loaded.model.config.to_dict()
        limit = self._loaded.tokenizer.model_max_length
        self.places = limit if limit < UNBOUNDED else None
        if not self._loaded.tokenizer.is_fast:
            raise ModelError(f"{folder.path}: its tokenizer has no tokenizer.json; save it as a fast one")

    @property
    def tokenizer(self) -> Tokenizer:
        return Tokenizer.from_str(self._loaded.tokenizer.backend_tokenizer.to_str())

    @torch.inference_mode()
    def logits(self, ids: Sequence[int]) -> list[float]:
        """The outputs for one window of token ids."""
        row = torch.tensor([list(ids)], device=self._loaded.device)
        found = self._loaded.model(input_ids=row, attention_mask=torch.ones_like(row)).logits[0]
        return [float(one) for one in found.double()]
