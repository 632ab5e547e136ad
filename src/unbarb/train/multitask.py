"""The trainable encoder: a frozen MiniLM, LoRA on every linear layer, and heads as plain matrices.

Notation used for tensor shapes: b: batch, t: pieces in the longest text, d: width (384).
"""

from __future__ import annotations

from pathlib import Path

import torch
from peft import LoraConfig, get_peft_model
from torch import Tensor, nn
from transformers import BertModel

from unbarb.errors import ConfigError

WIDTH = 384
TARGETS = ("query", "key", "value", "dense")


class Encoder(nn.Module):
    """Base encoder, or its first `layers`, with LoRA; embeddings stay as they are, for trunks to share."""

    def __init__(self, base: Path, rank: int, dropout: float = 0.0, layers: int | None = None) -> None:
        super().__init__()
        # Plain attention: on processors, learning takes half the time that the fused kernel's does.
        trunk = BertModel.from_pretrained(base, add_pooling_layer=False, attn_implementation="eager")
        trunk.encoder.layer = trunk.encoder.layer[:layers]
        for name, module in list(trunk.named_modules()):
            if isinstance(module, nn.Dropout) and name.endswith("attention.self.dropout"):
                module.p = 0.0
            elif isinstance(module, nn.Dropout):
                trunk.set_submodule(name, Dropout(dropout))
        config = LoraConfig(r=rank, lora_alpha=2 * rank, lora_dropout=0.0, target_modules=list(TARGETS))
        self.trunk = get_peft_model(trunk, config)
        for name, module in self.trunk.named_modules():
            if isinstance(module, nn.Linear) and "lora" not in name:
                module.to(torch.bfloat16)

    def forward(self, ids: Tensor, mask: Tensor) -> Tensor:
        """Hidden states, shape (b, t, d), float32."""
        hidden: Tensor = self.trunk(input_ids=ids, attention_mask=mask).last_hidden_state
        return hidden.float()

    def merged(self) -> dict[str, Tensor]:
        """State of the base model with the adapters merged in float32."""
        self.trunk.float()
        model = self.trunk.merge_and_unload()
        return {name: tensor.detach().float() for name, tensor in model.state_dict().items()}


class Dropout(nn.Module):
    """Dropout whose noise is random bytes, for torch's own is slow on processors.

    `share` of the values are 0, to the nearest 1/256.

    Raises:
        ConfigError: `share` would leave nothing, or is negative.
    """

    def __init__(self, share: float) -> None:
        super().__init__()
        self.zeros = round(share * 256)
        if not 0 <= self.zeros < 256:
            raise ConfigError(f"dropout is {share}, but must be a share from 0 to 0.99; 0.1 is usual")

    def forward(self, hidden: Tensor) -> Tensor:
        """The same shape; the rest of the values grow, so that their mean stays."""
        if not self.training or not self.zeros:
            return hidden
        words = torch.empty(-(-hidden.numel() // 8), dtype=torch.int64).random_(-(2**63), None)
        noise = words.view(torch.uint8)[: hidden.numel()].view(hidden.shape)
        return hidden * ((noise >= self.zeros) * (256 / (256 - self.zeros))).to(hidden.dtype)


def pool(hidden: Tensor, mask: Tensor) -> Tensor:
    """[CLS], mean and maximum over the pieces, side by side: shape (b, 3 d)."""
    cover = mask.unsqueeze(-1).float()
    mean = (hidden * cover).sum(1) / cover.sum(1)
    top = hidden.masked_fill(cover == 0, -1e4).amax(1)
    return torch.cat([hidden[:, 0], mean, top], dim=-1)


class SentenceHead(nn.Module):
    """Logits of a whole text from its pooled states: (b, 3 d) → (b, outputs)."""

    def __init__(self, outputs: int) -> None:
        super().__init__()
        self.linear = nn.Linear(3 * WIDTH, outputs)

    def forward(self, hidden: Tensor, mask: Tensor) -> Tensor:
        logits: Tensor = self.linear(pool(hidden, mask))
        return logits


class WordHead(nn.Module):
    """Logits of each piece: (b, t, d) → (b, t, outputs); read at a word's first piece."""

    def __init__(self, outputs: int) -> None:
        super().__init__()
        self.linear = nn.Linear(WIDTH, outputs)

    def forward(self, hidden: Tensor) -> Tensor:
        logits: Tensor = self.linear(hidden)
        return logits
