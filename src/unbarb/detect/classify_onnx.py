"""Runs a classifier that was exported to ONNX, one window of a text at a time; needs no torch."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import onnxruntime
from tokenizers import Tokenizer

from unbarb.detect.folder import UNBOUNDED, ModelFolder, read_json
from unbarb.errors import ModelError


class OnnxClassifier:
    """``model.onnx`` beside ``config.json`` and ``tokenizer.json``, from ``unbarb export --to onnx``."""

    def __init__(self, folder: ModelFolder, threads: int) -> None:
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = threads
        self.config = folder.config()
        told = read_json(folder.path / "tokenizer_config.json").get("model_max_length")
        self.places: int | None = int(told) if told and told < UNBOUNDED else None
        try:
            self.tokenizer = Tokenizer.from_file(str(folder.path / "tokenizer.json"))
            self._session = onnxruntime.InferenceSession(
                str(folder.path / "model.onnx"), options, providers=["CPUExecutionProvider"]
            )
        except Exception as error:  # both libraries raise plain exceptions of their own
            raise ModelError(f"{folder.path} does not load: {type(error).__name__}: {error}") from error

    def logits(self, ids: Sequence[int]) -> list[float]:
        """The outputs for one window of token ids."""
        row = np.array([list(ids)], np.int64)
        (found,) = self._session.run(None, {"input_ids": row, "attention_mask": np.ones_like(row)})
        return [float(one) for one in found[0]]
