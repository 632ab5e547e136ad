"""Tiny models in the hub's format, built in code: real architectures, a second of training."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import torch
from peft import LoraConfig, get_peft_model
from tokenizers import Tokenizer, decoders, models, pre_tokenizers, processors, trainers
from transformers import (
    BartConfig,
    BartForConditionalGeneration,
    BertConfig,
    BertForSequenceClassification,
    LlamaConfig,
    LlamaForCausalLM,
    ModernBertConfig,
    ModernBertForSequenceClassification,
    MT5Config,
    MT5ForConditionalGeneration,
    PreTrainedTokenizerFast,
    T5Config,
    T5ForConditionalGeneration,
)

from unbarb.prompt import Template, built_in

Pairs = Sequence[tuple[str, str]]

PAIRS: Pairs = (
    ("you are an idiot", "you are a person"),
    ("he is a stupid man", "he is a man"),
    ("what a dumb idea", "what a bad idea"),
)
"""What a model of these tests is taught to say."""

SENTENCES = [
    *(text for pair in PAIRS for text in pair),
    "You are an idiot, and your friends are idiots too!",
    "Thank you, that was kind of you.",
    "this is a very good day for all of us and you know it",
    "the plan was to go there and see what they think of the work",
]
SPECIALS = ["<pad>", "</s>", "<unk>", "<s>"]


def tokenizer(folder: Path, specials: str = "$A </s>", limit: int = 128) -> PreTrainedTokenizerFast:
    """A byte-level BPE, trained on `SENTENCES` and the words of the templates, saved in `folder`."""
    made = Tokenizer(models.BPE(unk_token="<unk>"))
    made.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    made.decoder = decoders.ByteLevel()
    words = [built_in(name).prompt("") for name in ("detoxify", "labels", "t5-prefix")]
    lines = "\n".join(f"{label}: {value}" for label in ("Toxic", "Insult", "Threat") for value in "01")
    trainer = trainers.BpeTrainer(
        vocab_size=700,
        special_tokens=SPECIALS,
        initial_alphabet=sorted(pre_tokenizers.ByteLevel.alphabet()),
        show_progress=False,
    )
    made.train_from_iterator([*SENTENCES * 4, *words, lines], trainer)
    ids = [(name, SPECIALS.index(name)) for name in ("</s>", "<s>")]
    made.post_processor = processors.TemplateProcessing(single=specials, special_tokens=ids)
    wrapped = PreTrainedTokenizerFast(
        tokenizer_object=made, pad_token="<pad>", eos_token="</s>", unk_token="<unk>", bos_token="<s>",
        model_max_length=limit,
    )  # fmt: skip
    wrapped.save_pretrained(folder)
    return wrapped


SIZES = {"vocab_size": 704, "pad_token_id": 0, "eos_token_id": 1, "bos_token_id": 3}


def t5(**more: Any) -> T5ForConditionalGeneration:
    """T5 with a tied head, or by ``tied=False`` mT5 with one of its own."""
    torch.manual_seed(0)
    tied = more.pop("tied", True)
    kind = T5ForConditionalGeneration if tied else MT5ForConditionalGeneration
    config = T5Config if tied else MT5Config
    sizes = {
        "d_model": 48, "d_kv": 12, "d_ff": 96, "num_layers": 2, "num_heads": 4, "dropout_rate": 0.0,
        "decoder_start_token_id": 0,
    }  # fmt: skip
    return kind(config(**SIZES, **sizes, **more))


def bart(vocabulary: int) -> BartForConditionalGeneration:
    torch.manual_seed(0)
    config = BartConfig(
        **SIZES | {"vocab_size": vocabulary}, d_model=48, encoder_layers=2, decoder_layers=2,
        encoder_attention_heads=4, decoder_attention_heads=4, encoder_ffn_dim=96,
        decoder_ffn_dim=96, dropout=0.0,
        decoder_start_token_id=1, forced_eos_token_id=None, max_position_embeddings=128,
    )  # fmt: skip
    return BartForConditionalGeneration(config)


def llama(**more: Any) -> LlamaForCausalLM:
    torch.manual_seed(0)
    sizes = {
        "hidden_size": 64, "intermediate_size": 128, "num_hidden_layers": 2, "num_attention_heads": 4,
        "num_key_value_heads": 2, "max_position_embeddings": 256, "tie_word_embeddings": False,
    }  # fmt: skip
    return LlamaForCausalLM(LlamaConfig(**(SIZES | sizes | more)))


def bert(labels: Sequence[str], problem: str | None = "multi_label_classification") -> Any:
    """A classifier for `labels`."""
    torch.manual_seed(0)
    config = BertConfig(
        vocab_size=704, hidden_size=32, num_hidden_layers=1, num_attention_heads=2, intermediate_size=64,
        max_position_embeddings=64, pad_token_id=0, hidden_dropout_prob=0.0,
        attention_probs_dropout_prob=0.0, id2label=dict(enumerate(labels)),
        label2id={label: at for at, label in enumerate(labels)}, problem_type=problem,
    )  # fmt: skip
    return BertForSequenceClassification(config)


def modernbert(labels: Sequence[str]) -> Any:
    """The same for ModernBERT."""
    torch.manual_seed(0)
    config = ModernBertConfig(
        vocab_size=704, hidden_size=32, num_hidden_layers=2, num_attention_heads=2, intermediate_size=64,
        max_position_embeddings=64, pad_token_id=0, cls_token_id=3, sep_token_id=1, bos_token_id=3,
        eos_token_id=1, attn_implementation="eager", id2label=dict(enumerate(labels)),
        label2id={label: at for at, label in enumerate(labels)}, initializer_range=0.2,
    )  # fmt: skip
    return ModernBertForSequenceClassification(config)


def lora(model: Any, targets: Any, rank: int = 8, **more: Any) -> Any:
    return get_peft_model(model, LoraConfig(r=rank, lora_alpha=2 * rank, target_modules=targets, **more))


def teach(
    model: Any, words: PreTrainedTokenizerFast, template: Template, pairs: Pairs = PAIRS, steps: int = 150,
    rate: float = 5e-3,
) -> float:  # fmt: skip
    """Train until it says the second of each pair to the first; the last loss."""
    torch.manual_seed(0)
    batch = _batch(model, words, template, pairs)
    weights = [weight for weight in model.parameters() if weight.requires_grad]
    optimizer = torch.optim.Adam(weights, lr=rate)
    model.train()
    loss = torch.tensor(0.0)
    for _ in range(steps):
        optimizer.zero_grad()
        loss = model(**batch).loss
        loss.backward()
        optimizer.step()
        if loss < 1e-3:
            break
    model.eval()
    return loss.item()


def _batch(model: Any, words: Any, template: Template, pairs: Pairs) -> dict[str, torch.Tensor]:
    if model.config.is_encoder_decoder:
        prompts = [template.prompt(text, words) for text, _ in pairs]
        asked = words(prompts, padding=True, return_tensors="pt")
        said = words([template.answer(target) for _, target in pairs], padding=True).input_ids
        labels = torch.tensor([[one if one else -100 for one in row] for row in said])
        return {"input_ids": asked.input_ids, "attention_mask": asked.attention_mask, "labels": labels}
    rows, labels = [], []
    for text, target in pairs:
        asked = words(template.prompt(text, words), add_special_tokens=True).input_ids
        said = [*words(template.answer(target), add_special_tokens=False).input_ids, 1]
        rows.append(asked + said)
        labels.append([-100] * len(asked) + said)
    longest = max(map(len, rows))
    ids = torch.tensor([row + [0] * (longest - len(row)) for row in rows])
    wanted = torch.tensor([row + [-100] * (longest - len(row)) for row in labels])
    return {"input_ids": ids, "attention_mask": (ids != 0).long(), "labels": wanted}


def teach_classifier(model: Any, words: Any, texts: Sequence[str], targets: Any, steps: int = 60) -> None:
    """Train a classifier until it knows `texts`; `targets` as the model's loss takes them."""
    torch.manual_seed(0)
    batch = words(list(texts), padding=True, truncation=True, max_length=60, return_tensors="pt")
    batch.pop("token_type_ids", None)
    optimizer = torch.optim.Adam([one for one in model.parameters() if one.requires_grad], lr=5e-3)
    model.train()
    for _ in range(steps):
        optimizer.zero_grad()
        loss = model(**batch, labels=torch.as_tensor(targets)).loss
        loss.backward()
        optimizer.step()
    model.eval()


def save(model: Any, folder: Path, template: Template | None = None) -> Path:
    """Into `folder`, with the template that it was taught in."""
    model.save_pretrained(folder)
    if template is not None:
        template.save(folder)
    return folder
