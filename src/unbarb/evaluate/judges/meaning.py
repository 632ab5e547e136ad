"""The judge of meaning: cosine of the untouched base model's sentence embeddings (the field's SIM)."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch
from numpy.typing import NDArray

from unbarb.evaluate.judges.encoder import base_body, by_length, pad, token_ids

TOKENS = 128


class Meaning:
    """All six layers of all-MiniLM-L6-v2 as published, mean pooled."""

    def __init__(self) -> None:
        self._body = base_body(layers=6).eval()

    @torch.inference_mode()
    def embed(self, texts: Sequence[str]) -> NDArray[np.float64]:
        """Unit vectors, shape (n, 384)."""
        rows = token_ids(texts, TOKENS)
        result = np.empty((len(texts), int(self._body.config.hidden_size)))
        for batch in by_length(rows, 64):
            ids, mask = pad([rows[i] for i in batch])
            states = self._body(input_ids=ids, attention_mask=mask).last_hidden_state
            kept = mask[:, :, None]
            mean = (states * kept).sum(1) / kept.sum(1)
            result[batch] = torch.nn.functional.normalize(mean, dim=-1).double().numpy()
        return result

    def similarity(self, first: Sequence[str], second: Sequence[str]) -> NDArray[np.float64]:
        """Cosine of each pair, −1…1, higher is closer, shape (n,)."""
        cosine: NDArray[np.float64] = (self.embed(first) * self.embed(second)).sum(axis=1)
        return cosine
