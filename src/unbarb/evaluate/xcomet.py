"""XCOMET-lite: how well a text renders its source and reference, 0…1, from the published weights.

Larionov et al. 2024 (xCOMET-lite) in the manner of Guerreiro et al. 2024 (xCOMET), as `unbabel-comet`
2.2 predicts; that package is pinned to transformers 4, so the network is built here, by the names that the
checkpoint uses. The output is read three times, beside the source, the reference and both. Each reading
gives a score, taken from the first token of a mix of all layers, and a tag for every token of the output
(fine, minor, major or critical error); the spans of the tags give an MQM score.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import torch
from safetensors.torch import load_file
from torch import Tensor, nn
from transformers import AutoConfig, AutoModel, AutoTokenizer

from unbarb.errors import ModelError
from unbarb.evaluate.hub_scores import loaded
from unbarb.metrics.scored import Floats

BATCH = 16
READINGS = ((1,), (2,), (1, 2))
"""What stands beside the output in each reading, by its place in (output, source, reference)."""
SCORE_WEIGHTS = (0.12, 0.33, 0.33)
MQM_WEIGHT = 0.22
TAG_WEIGHTS = (0.1667, 0.3333, 0.5)
PENALTIES = (0, 1, 5, 10)
"""MQM points by tag: fine, minor, major, critical; a span has the tag of its first token."""
WORST = 25
PUBLISHED = {"word_layer": 8, "hidden_sizes": (3072, 1024), "layer_transformation": "softmax"}


class Quality:
    """The network and its tokenizer. `backbone` holds the encoder's configuration and tokenizer."""

    def __init__(self, folder: Path, backbone: Path) -> None:
        self._tokenizer = loaded(AutoTokenizer, backbone)
        encoder = loaded(AutoConfig, backbone)
        shape = PUBLISHED | json.loads((folder / "config.json").read_text(encoding="utf-8"))
        if shape["layer_transformation"] != "softmax":
            raise ModelError(
                f"{folder} mixes its layers by {shape['layer_transformation']!r}; only softmax is read here"
            )
        self._limit = int(encoder.max_position_embeddings)
        self._network = _Network(encoder, int(shape["word_layer"]), [int(n) for n in shape["hidden_sizes"]])
        gone = self._network.load_state_dict(_weights(folder), strict=False).missing_keys
        if gone:
            raise ModelError(f"{folder} lacks {len(gone)} weights of XCOMET-lite, {gone[0]} first")
        self._network.eval()

    def score(self, sources: Sequence[str], outputs: Sequence[str], references: Sequence[str]) -> Floats:
        """Quality of every output, shape (n,)."""
        rows = list(zip(outputs, sources, references, strict=True))
        scores = [self._batch(rows[at : at + BATCH]) for at in range(0, len(rows), BATCH)]
        return np.concatenate(scores) if scores else np.empty(0)

    @torch.inference_mode()
    def _batch(self, rows: Sequence[tuple[str, str, str]]) -> Floats:
        texts = [[self._pieces(text) for text in row] for row in rows]
        lengths = [len(row[0]) + 2 for row in texts]
        score = torch.zeros(len(rows))
        tags = torch.zeros(len(rows), max(lengths), len(PENALTIES))
        for beside, weight, share in zip(READINGS, SCORE_WEIGHTS, TAG_WEIGHTS, strict=True):
            said, logits = self._network(*self._joined(texts, beside))
            score += weight * said.clamp(max=1.0)
            shown = logits[:, : tags.shape[1]].softmax(2)
            tags[:, : shown.shape[1]] += share * shown
        points = [
            _points(row[:length]) for row, length in zip(tags.argmax(2).tolist(), lengths, strict=True)
        ]
        mqm = torch.tensor([(WORST - min(found, WORST)) / WORST for found in points])
        joined: Floats = (score + MQM_WEIGHT * mqm).double().numpy()
        return joined

    def _pieces(self, text: str) -> list[int]:
        ids = self._tokenizer(text, truncation=True, max_length=self._limit - 2)["input_ids"]
        inner: list[int] = ids[1:-1]
        return inner

    def _joined(
        self, texts: Sequence[Sequence[list[int]]], beside: tuple[int, ...]
    ) -> tuple[Tensor, Tensor]:
        """Ids and attention mask of ``[CLS] output [SEP] beside [SEP] …``, both (rows, longest)."""
        first, end = self._tokenizer.cls_token_id, self._tokenizer.sep_token_id
        sequences = []
        for row in texts:
            ids = [first]
            for at in (0, *beside):
                ids += [*row[at], end]
            sequences.append(torch.tensor(ids[: self._limit]))
        padding = self._tokenizer.pad_token_id
        ids_of = nn.utils.rnn.pad_sequence(sequences, batch_first=True, padding_value=padding)
        lengths = torch.tensor([len(sequence) for sequence in sequences])
        return ids_of, (torch.arange(ids_of.shape[1])[None] < lengths[:, None]).long()


class _Network(nn.Module):
    """The modules under the checkpoint's own names."""

    def __init__(self, encoder: Any, word_layer: int, hidden: Sequence[int]) -> None:
        super().__init__()
        width = int(encoder.hidden_size)
        self.encoder = nn.ModuleDict({"model": AutoModel.from_config(encoder)})
        self.layerwise_attention = _Mix(int(encoder.num_hidden_layers) + 1)
        self.estimator = nn.ModuleDict({"ff": _regressor([width, *hidden])})
        self.hidden2tag = nn.Linear(width, len(PENALTIES))
        self._word_layer = word_layer

    def forward(self, ids: Tensor, mask: Tensor) -> tuple[Tensor, Tensor]:
        """Scores (rows,) and the logits of every token's tag (rows, tokens, 4)."""
        given = self.encoder["model"](input_ids=ids, attention_mask=mask, output_hidden_states=True)
        mixed = self.layerwise_attention([layer[:, 0] for layer in given.hidden_states])
        score: Tensor = self.estimator["ff"](mixed)[:, 0]
        return score, self.hidden2tag(given.hidden_states[self._word_layer])


class _Mix(nn.Module):
    def __init__(self, layers: int) -> None:
        super().__init__()
        self.scalar_parameters = nn.ParameterList([nn.Parameter(torch.zeros(1)) for _ in range(layers)])
        self.gamma = nn.Parameter(torch.ones(1))

    def forward(self, layers: Sequence[Tensor]) -> Tensor:
        weights = torch.cat(list(self.scalar_parameters)).softmax(0)
        mixed: Tensor = self.gamma * sum(w * layer for w, layer in zip(weights, layers, strict=True))
        return mixed


def _regressor(widths: Sequence[int]) -> nn.Sequential:
    steps: list[nn.Module] = []
    for given, made in pairwise(widths):
        steps += [nn.Linear(given, made), nn.Tanh(), nn.Dropout(0.1)]
    return nn.Sequential(*steps, nn.Linear(widths[-1], 1))


def _points(tags: Sequence[int]) -> int:
    """MQM points of one output's tags. A span that no fine token closes does not count, as published."""
    points = opened = 0
    for tag in tags:
        if tag and not opened:
            opened = PENALTIES[tag]
        elif not tag:
            points, opened = points + opened, 0
    return points


def _weights(folder: Path) -> dict[str, Tensor]:
    safe, pickled = folder / "model.safetensors", folder / "pytorch_model.bin"
    if safe.is_file():
        loaded: dict[str, Tensor] = load_file(safe)
        return loaded
    if not pickled.is_file():
        raise ModelError(f"{folder} holds no model.safetensors and no pytorch_model.bin")
    read: dict[str, Tensor] = torch.load(pickled, map_location="cpu", weights_only=True)
    return read
