"""A small language model from nothing: a tokenizer learnt from texts, and untrained weights.

It is for trying what needs no large model on a machine without a hub. A byte-level BPE (Sennrich et al.
2016, https://aclanthology.org/P16-1162/) writes any text; the decoder is LLaMA's, with tied embeddings.
"""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from tokenizers import Tokenizer, decoders, models, pre_tokenizers, processors, trainers
from transformers import LlamaConfig, LlamaForCausalLM, PreTrainedTokenizerFast, set_seed

from unbarb.errors import ConfigError
from unbarb.train.experiment import ScratchPart

PAD, BEGIN, END = "<pad>", "<s>", "</s>"
CONTEXT = 512
"""Positions, prompt and continuation together."""
INNER = 8 / 3
"""Width of the feed-forward part, as LLaMA has it with its third matrix."""


def write_scratch(folder: Path, part: ScratchPart, texts: Iterable[str]) -> None:
    """Write an untrained model and its tokenizer into `folder`, the same bytes for the same texts.

    Raises:
        ConfigError: the heads do not divide the width.
    """
    if part.width % part.heads or (part.width // part.heads) % 2:
        raise ConfigError(
            f"scratch: width {part.width} over {part.heads} heads is no even whole number; change one"
        )
    tokenizer = _tokenizer(part.vocabulary, texts)
    ids = {name: tokenizer.convert_tokens_to_ids(token) for name, token in _named().items()}
    set_seed(part.training.seed)
    model = LlamaForCausalLM(
        LlamaConfig(
            vocab_size=len(tokenizer),
            hidden_size=part.width,
            intermediate_size=round(INNER * part.width / 8) * 8,
            num_hidden_layers=part.layers,
            num_attention_heads=part.heads,
            max_position_embeddings=CONTEXT,
            tie_word_embeddings=True,
            **ids,
        )
    )
    model.save_pretrained(folder)
    tokenizer.save_pretrained(folder)


def _tokenizer(size: int, texts: Iterable[str]) -> PreTrainedTokenizerFast:
    """A byte-level BPE that begins a text and leaves its end to the model."""
    made = Tokenizer(models.BPE())
    made.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    made.decoder = decoders.ByteLevel()
    specials = [PAD, BEGIN, END]
    made.train_from_iterator(
        texts,
        trainers.BpeTrainer(
            vocab_size=size,
            special_tokens=specials,
            show_progress=False,
            initial_alphabet=sorted(pre_tokenizers.ByteLevel.alphabet()),
        ),
    )
    made.post_processor = processors.TemplateProcessing(
        single=f"{BEGIN} $A", special_tokens=[(BEGIN, specials.index(BEGIN))]
    )
    return PreTrainedTokenizerFast(
        tokenizer_object=made, pad_token=PAD, bos_token=BEGIN, eos_token=END, model_max_length=CONTEXT
    )


def _named() -> dict[str, str]:
    return {"pad_token_id": PAD, "bos_token_id": BEGIN, "eos_token_id": END}
