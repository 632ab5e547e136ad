"""Searches a model of transformers, one prompt at a time: no text's result depends on another's."""

from __future__ import annotations

from hashlib import sha256
from threading import Lock
from typing import Any

import torch
from transformers import AutoModelForCausalLM, AutoModelForSeq2SeqLM, GenerationConfig

from unbarb.detect.folder import UNBOUNDED, ModelFolder
from unbarb.detect.pretrained import load
from unbarb.prompt import Template
from unbarb.rewrite.search import Generated, Search


class TorchGenerator:
    """A seq2seq or causal model in torch."""

    def __init__(self, folder: ModelFolder, *, seq2seq: bool, dtype: str, device: str) -> None:
        kind = AutoModelForSeq2SeqLM if seq2seq else AutoModelForCausalLM
        self._loaded = load(kind, folder, dtype=dtype, device=device)
        self._seq2seq = seq2seq
        self._limit = _limit(self._loaded.model.config, self._loaded.tokenizer)
        self._drawing = Lock()  # torch has one generator of chance for all threads

    def generate(self, template: Template, text: str, search: Search) -> list[Generated]:
        """Finished answers to `text`, by the plain searches of transformers and nothing else."""
        tokenizer, model = self._loaded.tokenizer, self._loaded.model
        ids = torch.tensor([template.ids(text, tokenizer, seq2seq=self._seq2seq)])
        longest = search.longest(len(tokenizer(text, add_special_tokens=False).input_ids))
        if ids.shape[1] + (0 if self._seq2seq else longest) > self._limit:
            return []
        ids = ids.to(self._loaded.device)
        settings = _settings(model.generation_config, tokenizer, search, longest)
        given = {"input_ids": ids, "attention_mask": torch.ones_like(ids), "generation_config": settings}
        with torch.inference_mode():
            if not search.sample:
                return self._read(model.generate(**given), ids.shape[1])
            with self._drawing, torch.random.fork_rng(_devices(ids.device)):
                torch.manual_seed(int.from_bytes(sha256(text.encode()).digest()[:4]))
                return self._read(model.generate(**given), ids.shape[1])

    def _read(self, output: Any, prompted: int) -> list[Generated]:
        start = 1 if self._seq2seq else prompted
        ends = set(_ends(self._loaded.model.generation_config, self._loaded.tokenizer))
        scores = getattr(output, "sequences_scores", None)
        steps: Any = None
        if scores is None:
            steps = self._loaded.model.compute_transition_scores(
                output.sequences, output.scores, normalize_logits=True
            )
        found = []
        for row, ids in enumerate(output.sequences[:, start:].tolist()):
            length = next((at + 1 for at, one in enumerate(ids) if one in ends), 0)
            if not length:
                continue  # cut off: no whole sentence
            score = scores[row] if scores is not None else steps[row, :length].mean()
            text = self._loaded.tokenizer.decode(ids[:length], skip_special_tokens=True)
            found.append(Generated(text, float(score)))
        return found


def _settings(own: GenerationConfig, tokenizer: Any, search: Search, longest: int) -> GenerationConfig:
    """The model's own settings where they say what it must not do, and our search."""
    # Group beams, constrained beams and contrastive search need code from the hub; none is used.
    return GenerationConfig(
        bos_token_id=own.bos_token_id,
        decoder_start_token_id=own.decoder_start_token_id,
        forced_bos_token_id=own.forced_bos_token_id,
        eos_token_id=_ends(own, tokenizer),
        pad_token_id=next(
            one
            for one in (own.pad_token_id, tokenizer.pad_token_id, *_ends(own, tokenizer))
            if one is not None
        ),
        no_repeat_ngram_size=(own.no_repeat_ngram_size or 0)
        if search.no_repeat_ngram is None
        else search.no_repeat_ngram,
        repetition_penalty=search.repetition_penalty,
        suppress_tokens=own.suppress_tokens,
        num_beams=search.width,
        num_return_sequences=search.candidates,
        do_sample=search.sample,
        **({"temperature": search.temperature, "top_p": search.top_p, "top_k": 0} if search.sample else {}),
        max_new_tokens=longest,
        max_time=search.timeout,
        return_dict_in_generate=True,
        output_scores=True,
    )


def _ends(own: GenerationConfig, tokenizer: Any) -> list[int]:
    told = own.eos_token_id if own.eos_token_id is not None else tokenizer.eos_token_id
    return list(told) if isinstance(told, list) else [told]


def _limit(config: Any, tokenizer: Any) -> int:
    """The longest prompt, in tokens, that the model has places for."""
    places = [
        getattr(config, name, None)
        for name in ("max_position_embeddings", "n_positions", "max_sequence_length")
    ]
    known = [place for place in (*places, tokenizer.model_max_length) if place and place < UNBOUNDED]
    return min(known, default=UNBOUNDED)


def _devices(device: torch.device) -> list[int]:
    return [device.index or 0] if device.type == "cuda" else []
