"""Experts as training leaves them: a tiny base with random weights, two adapters, and a tokenizer."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import torch
from peft import LoraConfig, get_peft_model
from tokenizers import Tokenizer, models, normalizers, pre_tokenizers, processors
from transformers import (
    BartConfig,
    BartForConditionalGeneration,
    BertConfig,
    BertForMaskedLM,
    PreTrainedTokenizerFast,
)

SPECIALS = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"]
WORDS = (
    "you are an idiot a person the not bad good man he she is was what this that fool stupid kind and"
    " anna lives in paris call me at don t ' , . ! ? 5 12 never said so big dog ran home"
)
PIECES = [
    *SPECIALS,
    *WORDS.split(),
    *"abcdefghijklmnopqrstuvwxyz",
    *(f"##{one}" for one in "abcdefghijklmnopqrstuvwxyz"),
]


def tokenizer() -> PreTrainedTokenizerFast:
    """Word pieces as BERT cuts them, lower-cased: known words whole, others by letter."""
    vocabulary = {piece: at for at, piece in enumerate(dict.fromkeys(PIECES))}
    made = Tokenizer(models.WordPiece(vocabulary, unk_token="[UNK]"))
    made.normalizer = normalizers.BertNormalizer(lowercase=True)
    made.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    made.post_processor = processors.TemplateProcessing(
        single="[CLS] $A [SEP]", special_tokens=[("[CLS]", 2), ("[SEP]", 3)]
    )
    return PreTrainedTokenizerFast(
        tokenizer_object=made, pad_token="[PAD]", unk_token="[UNK]", cls_token="[CLS]", sep_token="[SEP]",
        mask_token="[MASK]", model_max_length=128,
    )  # fmt: skip


def base(*, seq2seq: bool = False) -> Any:
    """A BERT with an output layer, or a BART, in evaluation mode; the weights are seeded."""
    torch.manual_seed(5)
    size = len(tokenizer())
    if seq2seq:
        config = BartConfig(
            vocab_size=size, d_model=32, encoder_layers=1, decoder_layers=1, encoder_attention_heads=2,
            decoder_attention_heads=2, encoder_ffn_dim=64, decoder_ffn_dim=64, dropout=0.0, pad_token_id=0,
            bos_token_id=2, eos_token_id=3, decoder_start_token_id=3, forced_eos_token_id=None,
            max_position_embeddings=128,
        )  # fmt: skip
        return BartForConditionalGeneration(config).eval()
    config = BertConfig(
        vocab_size=size, hidden_size=32, num_hidden_layers=2, num_attention_heads=2, intermediate_size=64,
        max_position_embeddings=128, initializer_range=0.3,
    )  # fmt: skip
    return BertForMaskedLM(config).eval()


def write(
    folder: Path, *, seq2seq: bool = False, alike: bool = False, gate: dict[str, float] | None = None
) -> Path:
    """A folder of experts in `folder`; `alike` ones say what the base says, others each their own thing."""
    words = tokenizer()
    base(seq2seq=seq2seq).save_pretrained(folder / "base")
    words.save_pretrained(folder / "base")
    targets = ["q_proj", "v_proj"] if seq2seq else ["query", "value", "intermediate.dense"]
    for seed, name in enumerate(("expert", "anti")):
        how = LoraConfig(r=4, lora_alpha=32, target_modules=targets, init_lora_weights=alike)
        model = base(seq2seq=seq2seq)
        torch.manual_seed(seed)
        get_peft_model(model, how).save_pretrained(folder / name)
    about = {
        "schema": 1,
        "trait": "toxicity",
        "base": None,
        "gate": gate or {"signed": 0.0, "distance": 0.0},
    }
    (folder / "infill.json").write_text(json.dumps(about), "utf-8")
    return folder
