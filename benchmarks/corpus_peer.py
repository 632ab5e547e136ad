"""The peer of `unbarb clean`: a BERT-base classifier and a BART-base rewriter in transformers.

Both are built from their published configurations with random weights: no model hub is reached, and time
does not depend on what a weight is. Texts are cut into pieces by BERT's own vocabulary (30,522), for both
models. The classifier is transformers' own pipeline, in batches of 64 texts of like length. The rewriter
reads batches of 16 and decodes with four beams, as its published configuration says, as many tokens as it
read. Both run on all cores, in fp32, as published weights are loaded, and in bf16.
"""

from __future__ import annotations

import time
from collections.abc import Sequence

import torch
from transformers import (
    BartConfig,
    BartForConditionalGeneration,
    BertConfig,
    BertForSequenceClassification,
    PreTrainedTokenizerFast,
    pipeline,
)

from unbarb.detect.embedded import HOME

CLASSIFIED, REWRITTEN = 64, 16
"""Texts in a batch."""
BEAMS = 4
KINDS = {"fp32": torch.float32, "bf16": torch.bfloat16}


def tokenizer() -> PreTrainedTokenizerFast:
    return PreTrainedTokenizerFast(
        tokenizer_file=str(HOME / "tokenizer.json"), model_max_length=512, unk_token="[UNK]",
        pad_token="[PAD]", cls_token="[CLS]", sep_token="[SEP]",
    )  # fmt: skip


def classify(texts: Sequence[str], kind: torch.dtype) -> float:
    """Seconds a text to classify."""
    model = BertForSequenceClassification(BertConfig()).eval().to(kind)
    run = pipeline("text-classification", model=model, tokenizer=tokenizer(), device="cpu")
    ordered = sorted(texts, key=len)
    run(ordered[:CLASSIFIED], batch_size=CLASSIFIED, truncation=True)
    began = time.perf_counter()
    run(ordered, batch_size=CLASSIFIED, truncation=True)
    return (time.perf_counter() - began) / len(texts)


def rewrite(texts: Sequence[str], kind: torch.dtype) -> float:
    """Seconds a text to rewrite."""
    torch.manual_seed(1)
    config = BartConfig(
        d_model=768, encoder_layers=6, decoder_layers=6, encoder_attention_heads=12,
        decoder_attention_heads=12, encoder_ffn_dim=3072, decoder_ffn_dim=3072,
    )  # fmt: skip
    model = BartForConditionalGeneration(config).eval().to(kind)
    pieces = tokenizer()
    ordered = sorted(texts, key=len)
    batches = [ordered[at : at + REWRITTEN] for at in range(0, len(ordered), REWRITTEN)]

    def written(batch: Sequence[str]) -> None:
        read = pieces(list(batch), return_tensors="pt", padding=True, truncation=True)
        # The median of the batch's own lengths: a model with random weights does not know when to stop.
        length = int(read["attention_mask"].sum(1).median())
        model.generate(
            read["input_ids"], attention_mask=read["attention_mask"], num_beams=BEAMS, do_sample=False,
            min_new_tokens=length, max_new_tokens=length,
        )  # fmt: skip

    with torch.inference_mode():
        written(batches[0][:2])
        began = time.perf_counter()
        for batch in batches:
            written(batch)
    return (time.perf_counter() - began) / len(texts)


def seconds(sample: Sequence[str], flagged: Sequence[str], threads: int) -> dict[str, dict[str, float]]:
    """Seconds a text by task and precision, to classify one of `sample` and to rewrite one of `flagged`."""
    torch.set_num_threads(threads)
    return {
        "classify": {name: classify(sample, kind) for name, kind in KINDS.items()},
        "rewrite": {name: rewrite(flagged, kind) for name, kind in KINDS.items()},
    }
