"""Base models as recipes name them: real architectures, tiny, with a tokenizer made for the rows."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from functools import cache
from pathlib import Path
from typing import Any

import torch
from tokenizers import Tokenizer, decoders, models, pre_tokenizers, processors, trainers
from transformers import (
    BartConfig,
    BartForConditionalGeneration,
    BloomConfig,
    BloomForCausalLM,
    LlamaConfig,
    LlamaForCausalLM,
    MixtralConfig,
    MixtralForCausalLM,
    MT5Config,
    MT5ForConditionalGeneration,
    OPTConfig,
    OPTForCausalLM,
    PhiConfig,
    PhiForCausalLM,
    PreTrainedTokenizerFast,
    T5Config,
    T5ForConditionalGeneration,
)

from unbarb.data.prepared import Prepared, write_prepared
from unbarb.prompt import built_in

PAIRS = Path(__file__).parent / "fixtures" / "pairs.jsonl"
"""Pairs written for these tests (CC0)."""

LEARNT = 32
WIDTH, LAYERS, HEADS = 64, 2, 4
SPECIALS = ["<pad>", "</s>", "<unk>", "<s>"]
IDS = {"pad_token_id": 0, "eos_token_id": 1, "bos_token_id": 3}


@cache
def pairs() -> tuple[dict[str, str], ...]:
    return tuple(json.loads(line) for line in PAIRS.read_text("utf-8").splitlines())


def prepared(folder: Path, *, dev: bool = True) -> Prepared:
    """The pairs as a prepared set: 32 to learn, and the last four as dev rows or none."""
    rows = [dict(row) for row in pairs()]
    return write_prepared(folder, "pairs", {"train": rows[:LEARNT], "dev": rows[LEARNT:] if dev else []})


def tokenizer(seq2seq: bool) -> PreTrainedTokenizerFast:
    """A byte-level BPE of the pairs' words; it ends a text for an encoder, and begins one for a decoder."""
    made = Tokenizer(models.BPE(unk_token="<unk>"))
    made.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    made.decoder = decoders.ByteLevel()
    texts = [text for row in pairs() for text in (row["source"], row["target"])]
    words = [built_in(name).prompt("") for name in ("alpaca", "detoxify", "labels", "t5-prefix")]
    lines = [f"{label}: {value}" for label in ("Toxic", "Insult", "Threat") for value in "01"]
    trainer = trainers.BpeTrainer(
        vocab_size=800, special_tokens=SPECIALS, show_progress=False,
        initial_alphabet=sorted(pre_tokenizers.ByteLevel.alphabet()),
    )  # fmt: skip
    made.train_from_iterator([*texts * 3, *words, *lines], trainer)
    ids = [(name, SPECIALS.index(name)) for name in ("</s>", "<s>")]
    single = "$A </s>" if seq2seq else "<s> $A"
    made.post_processor = processors.TemplateProcessing(single=single, special_tokens=ids)
    return PreTrainedTokenizerFast(
        tokenizer_object=made, pad_token="<pad>", eos_token="</s>", unk_token="<unk>", bos_token="<s>",
        model_max_length=256,
    )  # fmt: skip


def t5(size: int, **more: Any) -> Any:
    return T5ForConditionalGeneration(T5Config(**{**_t5(size), **more}))


def mt5(size: int, **more: Any) -> Any:
    return MT5ForConditionalGeneration(MT5Config(**{**_t5(size), **more}))


def bart(size: int, **more: Any) -> Any:
    config = BartConfig(
        vocab_size=size, **IDS, d_model=WIDTH, encoder_layers=LAYERS, decoder_layers=LAYERS,
        encoder_attention_heads=HEADS, decoder_attention_heads=HEADS, encoder_ffn_dim=2 * WIDTH,
        decoder_ffn_dim=2 * WIDTH, dropout=0.0, decoder_start_token_id=1, forced_eos_token_id=None,
        max_position_embeddings=256, **more,
    )  # fmt: skip
    return BartForConditionalGeneration(config)


def bloom(size: int, **more: Any) -> Any:
    config = BloomConfig(vocab_size=size, **IDS, hidden_size=WIDTH, n_layer=LAYERS, n_head=HEADS, **more)
    return BloomForCausalLM(config)


def phi(size: int, **more: Any) -> Any:
    return PhiForCausalLM(PhiConfig(**_decoder(size), tie_word_embeddings=False, **more))


def opt(size: int, **more: Any) -> Any:
    config = OPTConfig(
        vocab_size=size, **IDS, hidden_size=WIDTH, word_embed_proj_dim=WIDTH, num_hidden_layers=LAYERS,
        num_attention_heads=HEADS, ffn_dim=2 * WIDTH, max_position_embeddings=256, dropout=0.0,
        **more,
    )  # fmt: skip
    return OPTForCausalLM(config)


def llama(size: int, **more: Any) -> Any:
    return LlamaForCausalLM(LlamaConfig(**_decoder(size), tie_word_embeddings=False, **more))


def mixtral(size: int, **more: Any) -> Any:
    config = MixtralConfig(
        **_decoder(size), num_key_value_heads=2, num_local_experts=2, num_experts_per_tok=1,
        sliding_window=None, **more,
    )  # fmt: skip
    return MixtralForCausalLM(config)


SEQ2SEQ: dict[str, Callable[..., Any]] = {"t5": t5, "mt5": mt5, "bart": bart}
CAUSAL: dict[str, Callable[..., Any]] = {
    "bloom": bloom, "phi": phi, "opt": opt, "llama": llama, "mixtral": mixtral,
}  # fmt: skip
ALL = {**SEQ2SEQ, **CAUSAL}


def wide(name: str) -> dict[str, Any]:
    """Options for random weights as wide as trained ones, so that a frozen head can say anything at all."""
    special: dict[str, dict[str, Any]] = {
        "t5": {},
        "mt5": {},
        "bart": {"init_std": 0.2},
        "opt": {"init_std": 0.2},
    }
    return special.get(name, {"initializer_range": 0.2})


def write(name: str, folder: Path, **more: Any) -> Path:
    """A base with seeded random weights and its tokenizer, in `folder`; `more` goes to its config."""
    torch.manual_seed(7)
    words = tokenizer(name in SEQ2SEQ)
    ALL[name](-(-len(words) // 64) * 64, **more).save_pretrained(folder)
    words.save_pretrained(folder)
    return folder


def recipe_of(name: str, base: Path, **changed: Any) -> dict[str, Any]:
    """A recipe for the base in `folder`; ``part__key=value`` for other values."""
    seq2seq = name in SEQ2SEQ
    content: dict[str, Any] = {
        "schema": 1,
        "name": f"tiny-{name}",
        "objective": "seq2seq" if seq2seq else "causal",
        "model": {"name": str(base), "dtype": "fp32"},
        "template": {"name": "t5-prefix" if seq2seq else "detoxify"},
        "method": {"name": "full"},
        "training": {
            "epochs": 1.0, "batch_size": 8, "learning_rate": 2e-3, "evaluate_every": 10, "save_every": 10,
            "scheduler": "constant", "warmup": 0.0,
        },
        "decoding": {"max_new_tokens": 40},
    }  # fmt: skip
    for key, value in changed.items():
        part, _, inner = key.partition("__")
        if inner:
            content.setdefault(part, {})[inner] = value
        else:
            content[part] = value
    return content


def _t5(size: int) -> dict[str, Any]:
    return {
        "vocab_size": size, **IDS, "d_model": WIDTH, "d_kv": WIDTH // HEADS, "d_ff": 2 * WIDTH,
        "num_layers": LAYERS, "num_heads": HEADS, "dropout_rate": 0.0, "decoder_start_token_id": 0,
    }  # fmt: skip


def _decoder(size: int) -> dict[str, Any]:
    return {
        "vocab_size": size, **IDS, "hidden_size": WIDTH, "intermediate_size": 2 * WIDTH,
        "num_hidden_layers": LAYERS, "num_attention_heads": HEADS, "max_position_embeddings": 256,
    }  # fmt: skip


def lines(path: Path) -> Sequence[dict[str, Any]]:
    return [json.loads(line) for line in path.read_text("utf-8").splitlines()]
