"""Numbers from the field's models: plain loops over transformers, texts in, one number each out.

Every loader takes a folder in the hub's format. Texts are cut where the published code cuts them, which
is said in the argument `limit` (tokens).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from transformers import (
    AutoModel,
    AutoModelForCausalLM,
    AutoModelForSequenceClassification,
    AutoTokenizer,
)

from unbarb.errors import ModelError
from unbarb.metrics.scored import Floats

BATCH = 32


class Classifier:
    """A sequence classifier; `logits` are (n, labels)."""

    def __init__(self, folder: Path, tokenizer: Path | None = None, limit: int = 512) -> None:
        self._model = loaded(AutoModelForSequenceClassification, folder).eval()
        self._tokenizer = loaded(AutoTokenizer, tokenizer or folder)
        self._limit = limit

    @torch.inference_mode()
    def logits(self, texts: Sequence[str]) -> Floats:
        """As the model gives them, shape (n, labels)."""
        rows = [self._model(**inputs).logits for inputs in _batches(self._tokenizer, texts, self._limit)]
        return _joined(rows)

    def probability(self, texts: Sequence[str], label: int) -> Floats:
        """Softmax probability of class `label`, shape (n,)."""
        logits = self.logits(texts)
        grown = np.exp(logits - logits.max(axis=1, keepdims=True))
        chosen: Floats = grown[:, label] / grown.sum(axis=1)
        return chosen


class Embedder:
    """LaBSE and its like: the pooled first token, as TextDetox takes it."""

    def __init__(self, folder: Path, limit: int = 256) -> None:
        self._model = loaded(AutoModel, folder).eval()
        self._tokenizer = loaded(AutoTokenizer, folder)
        self._limit = limit

    @torch.inference_mode()
    def embed(self, texts: Sequence[str]) -> Floats:
        """Shape (n, width), not normalised."""
        rows = []
        for inputs in _batches(self._tokenizer, texts, self._limit):
            given = self._model(**inputs)
            pooled = getattr(given, "pooler_output", None)
            rows.append(given.last_hidden_state[:, 0] if pooled is None else pooled)
        return _joined(rows)


class Surprise:
    """A causal language model: what it thinks of a text's tokens."""

    def __init__(self, folder: Path, limit: int = 512) -> None:
        self._model = loaded(AutoModelForCausalLM, folder).eval()
        self._tokenizer = loaded(AutoTokenizer, folder)
        self._limit = limit

    @torch.inference_mode()
    def nats(self, texts: Sequence[str]) -> tuple[Floats, Floats]:
        """Each text's summed negative log-likelihood and its number of scored tokens, both (n,).

        The first token has nothing before it and is not scored: a text of one token has 0 of 0.
        """
        loss, count = np.zeros(len(texts)), np.zeros(len(texts))
        for at, text in enumerate(texts):
            ids = self._tokenizer(text, return_tensors="pt", truncation=True, max_length=self._limit)
            tokens: Tensor = ids["input_ids"]
            if tokens.shape[1] < 2:
                continue
            logits = self._model(input_ids=tokens).logits[0, :-1].float()
            loss[at] = float(torch.nn.functional.cross_entropy(logits, tokens[0, 1:], reduction="sum"))
            count[at] = tokens.shape[1] - 1
        return loss, count


def on_those_there(
    score: Callable[[Sequence[str]], NDArray[np.float64]], texts: Sequence[str | None]
) -> Floats:
    """`score` of the texts that there are, NaN for `None`, shape (n,)."""
    found = np.full(len(texts), np.nan)
    there = [at for at, text in enumerate(texts) if text is not None]
    if there:
        found[there] = score([text for text in texts if text is not None])
    return found


def loaded(kind: Any, folder: Path) -> Any:
    """A model, configuration or tokenizer of one of transformers' classes, from a folder alone.

    Raises:
        ModelError: there is none of the kind.
    """
    try:
        return kind.from_pretrained(folder, local_files_only=True)
    except (OSError, ValueError, ImportError) as error:
        raise ModelError(f"{folder} cannot be loaded as {kind.__name__}: {error}") from error


def _batches(tokenizer: Any, texts: Sequence[str], limit: int) -> Iterator[Any]:
    for start in range(0, len(texts), BATCH):
        yield tokenizer(
            list(texts[start : start + BATCH]),
            return_tensors="pt",
            padding=True,
            truncation=True,
            max_length=limit,
        )


def _joined(rows: Sequence[Tensor]) -> Floats:
    if not rows:
        return np.empty((0, 1))
    joined: Floats = torch.cat([row.float() for row in rows]).double().numpy()
    return joined
