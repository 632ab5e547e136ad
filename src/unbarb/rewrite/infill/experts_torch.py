"""Loads base and adapters in torch: one base in memory, its two experts as adapters on it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from threading import Lock
from typing import Any

import numpy as np
import torch
from torch import Tensor
from transformers import AutoConfig, AutoModelForMaskedLM, AutoModelForSeq2SeqLM
from transformers.utils import logging

from unbarb.detect.folder import ModelFolder, digest_of, read_json
from unbarb.detect.packaged import located
from unbarb.detect.pretrained import adapted, load
from unbarb.errors import ModelError
from unbarb.rewrite.infill.experts import Floats, Gap, Ids, Views
from unbarb.rewrite.infill.pieces import around
from unbarb.rewrite.infill.settings import ANTI, BASE, EXPERT, FILE, Gate
from unbarb.rewrite.infill.sparse import only_at

FIRST = "default"
"""What peft calls the adapter that a model was wrapped with: the expert."""


class TorchExperts:
    """A masked or encoder-decoder base with two adapters: :class:`~unbarb.rewrite.infill.experts.Experts`.

    `digest` is of all files that decide.
    """

    def __init__(
        self, model: Any, tokenizer: Any, *, trait: str, gate: Gate, digest: str, device: torch.device
    ) -> None:
        self.tokenizer = tokenizer
        self.mask: int = tokenizer.mask_token_id
        self.trait, self.gate, self.digest = trait, gate, digest
        self.model = model
        self.device = device
        self._seq2seq = self.one_mask = bool(model.config.is_encoder_decoder)
        self._around = around(tokenizer)
        self._turn = Lock()  # which adapter is on is a state of the model, and threads share it

    def views(self, gaps: Sequence[Gap]) -> Views:
        """See `Views`; the gaps are read together."""
        given, places = self._sequences(gaps) if self._seq2seq else self._sentences(gaps)
        found = []
        with self._turn, torch.inference_mode():
            for name in (BASE, EXPERT, ANTI):
                with self._as(name), only_at(self.model, places):
                    logits = self.model(**given).logits
                if logits.dim() > 2:
                    logits = logits[places]
                found.append(self._log_softmax(logits))
        return Views(*found)

    def visible(self, ids: Ids) -> Floats:
        """What a masked base says at every piece of a text that it sees whole: (pieces, vocabulary)."""
        before, after = self._around
        row, seen = self._padded([[*before, *ids, *after]])
        with self._turn, torch.inference_mode(), self._as(BASE):
            logits = self.model(input_ids=row, attention_mask=seen).logits[0]
        return self._log_softmax(logits[len(before) : len(before) + len(ids)])

    @staticmethod
    def _log_softmax(logits: Tensor) -> Floats:
        return np.asarray(torch.log_softmax(logits.double(), dim=-1).cpu().numpy(), np.float64)

    @contextmanager
    def _as(self, name: str) -> Iterator[None]:
        if name == BASE:
            with self.model.disable_adapter():
                yield
        else:
            self.model.set_adapter(FIRST if name == EXPERT else ANTI)
            yield

    def _sentences(self, gaps: Sequence[Gap]) -> tuple[dict[str, Tensor], Tensor]:
        """A masked model reads the whole sentence, and is asked at the gap's first mask."""
        before, after = self._around
        rows = [[*before, *gap.left, *[self.mask] * gap.size, *gap.right, *after] for gap in gaps]
        ids, seen = self._padded(rows)
        return {"input_ids": ids, "attention_mask": seen}, self._at(
            [len(before) + len(gap.left) for gap in gaps], ids
        )

    def _sequences(self, gaps: Sequence[Gap]) -> tuple[dict[str, Tensor], Tensor]:
        """An encoder-decoder reads the sentence with one mask, and is asked what follows what was said."""
        before, after = self._around
        start = self.model.config.decoder_start_token_id
        read, seen = self._padded([[*before, *gap.left, self.mask, *gap.right, *after] for gap in gaps])
        said, _ = self._padded([[start, *before, *gap.left] for gap in gaps])
        given = {"input_ids": read, "attention_mask": seen, "decoder_input_ids": said}
        return given, self._at([len(before) + len(gap.left) for gap in gaps], said)

    def _padded(self, rows: Sequence[Sequence[int]]) -> tuple[Tensor, Tensor]:
        ids = torch.full((len(rows), max(map(len, rows))), self.tokenizer.pad_token_id)
        seen = torch.zeros_like(ids)
        for at, row in enumerate(rows):
            ids[at, : len(row)] = torch.tensor(row)
            seen[at, : len(row)] = 1
        return ids.to(self.device), seen.to(self.device)

    @staticmethod
    def _at(places: Sequence[int], ids: Tensor) -> Tensor:
        found = torch.zeros(ids.shape, dtype=torch.bool, device=ids.device)
        found[torch.arange(len(places)), torch.tensor(places)] = True
        return found


def load_experts(
    folder: Path | str, *, base: str | None = None, dtype: str = "auto", device: str = "auto"
) -> TorchExperts:
    """The experts of a folder that training wrote; `base` is where a base lies that is not in it.

    Raises:
        ModelError: files are missing or damaged, or an adapter does not fit the base.
        ConfigError: `dtype` or `device` is unknown or not here.
    """
    folder = Path(folder)
    if not (folder / FILE).is_file():
        raise ModelError(f"{folder}: no {FILE}; give the folder model/ of a run of objective infill")
    about = read_json(folder / FILE)
    try:
        trait, gate, named = str(about["trait"]), Gate.of(about.get("gate", {})), about["base"]
    except (KeyError, TypeError, ValueError) as error:
        raise ModelError(f"{folder / FILE} does not load: {type(error).__name__}: {error}") from error
    under = _base(folder, base, named)
    logging.disable_progress_bar()
    kind = AutoConfig.from_pretrained(under)
    auto = AutoModelForSeq2SeqLM if kind.is_encoder_decoder else AutoModelForMaskedLM
    loaded = load(auto, ModelFolder(under), dtype=dtype, device=device)
    model = adapted(loaded.model, ModelFolder(folder / EXPERT, under))
    try:
        told = model.load_adapter(folder / ANTI, ANTI)
    except (OSError, ValueError, KeyError, RuntimeError) as error:
        raise ModelError(f"{folder / ANTI} does not load: {type(error).__name__}: {error}") from error
    if told.unexpected_keys:
        raise ModelError(f"the adapter {folder / ANTI} does not fit {under}: {told.unexpected_keys[0]}")
    digest = digest_of((folder, under, folder / EXPERT, folder / ANTI))
    return TorchExperts(
        model.eval(), loaded.tokenizer, trait=trait, gate=gate, digest=digest, device=loaded.device
    )


def _base(folder: Path, given: str | None, named: dict[str, Any] | None) -> Path:
    """The folder of the base: the one given, the one that was trained along, or the one that is named."""
    if given is not None:
        return ModelFolder.find(given).path
    if named is None:
        return folder / BASE
    name, revision = located(named["name"], named.get("revision"))
    return ModelFolder.find(name, None, revision).path
