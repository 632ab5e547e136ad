"""A base model as the trainers load it: two layers of BertModel with seeded weights, and a tokenizer."""

from __future__ import annotations

from pathlib import Path

import torch
from transformers import BertConfig, BertModel

import toy_model


def bert(width: int, heads: int, layers: int = 2) -> BertModel:
    """A small BertModel whose states spread enough for int8 to be put to the test."""
    torch.manual_seed(3)
    config = BertConfig(
        vocab_size=max(toy_model.vocabulary().values()) + 1,
        hidden_size=width,
        num_hidden_layers=layers,
        num_attention_heads=heads,
        intermediate_size=2 * width,
        max_position_embeddings=160,
        initializer_range=0.08,
    )
    return BertModel(config, add_pooling_layer=False).eval()


def write(folder: Path) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    bert(384, 12).save_pretrained(folder)
    (folder / "tokenizer.json").write_text(toy_model.tokenizer_json(), "utf-8")
    return folder
