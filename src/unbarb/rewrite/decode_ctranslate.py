"""Searches a CTranslate2 model, one prompt at a time; several times faster than torch on a processor."""

from __future__ import annotations

import ctranslate2
from transformers import AutoTokenizer

from unbarb.detect.folder import UNBOUNDED, ModelFolder
from unbarb.errors import ModelError
from unbarb.prompt import Template
from unbarb.rewrite.search import Generated, Search

PATIENCE = 3.0
"""So many times the beams' number of sequences are finished before a search ends: with 1, four short poor
ones can end it a token before the best."""


class CTranslateGenerator:
    """A seq2seq or causal model in CTranslate2's format, with the tokenizer of transformers beside it."""

    def __init__(self, folder: ModelFolder, *, seq2seq: bool, device: str, threads: int) -> None:
        maker = ctranslate2.Translator if seq2seq else ctranslate2.Generator
        try:
            self._model = maker(str(folder.path), device=device, inter_threads=1, intra_threads=threads)
            self._tokenizer = AutoTokenizer.from_pretrained(folder.path)
        except (OSError, ValueError, RuntimeError) as error:
            raise ModelError(f"{folder.path} does not load: {type(error).__name__}: {error}") from error
        self._seq2seq = seq2seq
        places = (folder.config().get("unbarb") or {}).get("places")
        known = [one for one in (places, self._tokenizer.model_max_length) if one and one < UNBOUNDED]
        self._limit = min(known, default=UNBOUNDED)

    def generate(self, template: Template, text: str, search: Search) -> list[Generated]:
        """Finished answers to `text`, by beams."""
        tokenizer = self._tokenizer
        ids = template.ids(text, tokenizer, seq2seq=self._seq2seq)
        longest = search.longest(len(tokenizer(text, add_special_tokens=False).input_ids))
        if len(ids) + (0 if self._seq2seq else longest) > self._limit:
            return []
        tokens = [tokenizer.convert_ids_to_tokens(ids)]
        options = {
            "beam_size": search.width,
            "num_hypotheses": search.candidates,
            "patience": PATIENCE,
            "no_repeat_ngram_size": search.no_repeat_ngram or 0,
            "repetition_penalty": search.repetition_penalty,
            "return_scores": True,
            "return_end_token": True,
        }
        if self._seq2seq:
            (found,) = self._model.translate_batch(tokens, max_decoding_length=longest, **options)
            sequences = found.hypotheses
        else:
            (found,) = self._model.generate_batch(
                tokens, max_length=longest, include_prompt_in_result=False, **options
            )
            sequences = found.sequences
        return [
            Generated(self._text(sequence), float(score))
            for sequence, score in zip(sequences, found.scores, strict=True)
            if sequence and sequence[-1] == tokenizer.eos_token  # else it was cut off
        ]

    def _text(self, tokens: list[str]) -> str:
        ids = self._tokenizer.convert_tokens_to_ids(tokens)
        return str(self._tokenizer.decode(ids, skip_special_tokens=True))
