"""Exports a classifier to ONNX in int8, and checks it against torch on the same texts.

The weights of its matrices become int8, activations are quantised by the range of each run; a text is
run alone, so its scores depend on nothing else. `detect/transformers` reads the folder, without torch.
"""

from __future__ import annotations

import io
import logging
import shutil
import warnings
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, redirect_stdout
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import onnxruntime
import torch
from onnxruntime.quantization import QuantType, quantize_dynamic
from torch import nn

from unbarb.detect.outputs import Outputs
from unbarb.detect.pretrained import Pretrained, load
from unbarb.errors import ConfigError, ModelError
from unbarb.export.merge import AUTO, check, merged_and_checked, written
from unbarb.export.trained import Trained
from unbarb.plugins import missing_extra

OPSET = 20
TOLERANCES = {"int8": 0.1, "fp32": 1e-4}
"""The largest difference of a probability from torch that is let pass."""


class _Logits(nn.Module):
    """The model with the two inputs that serving gives and the one output that it reads."""

    def __init__(self, model: Any) -> None:
        super().__init__()
        self.model = model

    def forward(self, input_ids: torch.Tensor, attention_mask: torch.Tensor) -> Any:
        return self.model(input_ids=input_ids, attention_mask=attention_mask).logits


def export_classifier(
    trained: Trained,
    out: Path,
    *,
    precision: str = "int8",
    texts: Sequence[str] | None = None,
    tolerance: float | None = None,
) -> dict[str, Any]:
    """Write ``model.onnx``, ``config.json``, ``tokenizer.json`` and labels to `out`.

    Returns:
        What a card says of it: the largest difference of a probability from torch, sizes in bytes.

    Raises:
        ConfigError: it is no classifier, or `precision` is neither int8 nor fp32.
        ModelError: it cannot be exported, or the probabilities drifted.
        InputError: `out` is there already, or cannot be written.
    """
    if trained.kind != "classification":
        raise ConfigError(
            f"{trained.folder.path} is a {trained.kind} model; --to onnx is for classifiers, ctranslate2"
            " for models that write"
        )
    if precision not in TOLERANCES:
        raise ConfigError(f"--precision {precision!r} is none of {', '.join(TOLERANCES)}")
    check(trained, "fp32")
    allowed = TOLERANCES[precision] if tolerance is None else tolerance
    loaded = load(AUTO["classification"], trained.folder, dtype="fp32", device="cpu")
    said = list(texts or trained.texts())
    model, _, _ = merged_and_checked(loaded, trained, said)
    outputs = Outputs.of(model.model.config.to_dict(), _as_they_are(model.model.config), None)
    asked = [_ids(model.tokenizer, text) for text in said]
    with written(out) as partial:
        whole = partial / "whole.onnx"
        _trace(model, asked[0], whole)
        sizes = {"fp32": whole.stat().st_size}
        if precision == "int8":
            quantize_dynamic(whole, partial / "model.onnx", weight_type=QuantType.QInt8, per_channel=True)
        else:
            shutil.copyfile(whole, partial / "model.onnx")
        whole.unlink()
        sizes[precision] = (partial / "model.onnx").stat().st_size
        apart = _apart(model, partial / "model.onnx", asked, outputs)
        if not apart <= allowed:
            raise ModelError(
                f"the {precision} graph drifted: a probability differs from torch by {apart:.4f} on one"
                f" of {len(asked)} texts (allowed {allowed:g}); export --precision fp32, or allow"
                " --tolerance"
            )
        model.model.config.save_pretrained(partial)
        model.tokenizer.save_pretrained(partial)
        trained.copy_beside(partial)
    told = {"precision": precision, "texts": len(asked), "largest": apart}
    return {**told, "tolerance": allowed, "bytes": sizes}


def _trace(model: Pretrained, ids: list[int], path: Path) -> None:
    """Lay the graph with free batch and length, without the shapes that quantising trips over."""
    # Two rows of two lengths: a graph traced on one row takes one row for all there is.
    row = torch.tensor([ids, ids])
    batch, length = torch.export.Dim("batch"), torch.export.Dim("length")
    shapes = {name: {0: batch, 1: length} for name in ("input_ids", "attention_mask")}
    try:
        with _quiet():
            program = torch.onnx.export(
                _Logits(model.model).eval(),
                (row, torch.ones_like(row)),
                dynamo=True,
                dynamic_shapes=shapes,
                input_names=["input_ids", "attention_mask"],
                output_names=["logits"],
                opset_version=OPSET,
                external_data=False,
                verbose=False,
            )
        graph = program.model_proto  # type: ignore[union-attr]  # dynamo=True gives a program
    except ModuleNotFoundError as error:
        raise missing_extra("--to onnx", error) from error
    except Exception as error:  # the exporter wraps what it cannot lay in classes of its own
        raise ModelError(
            f"this architecture cannot be laid as a graph: {type(error).__name__}: {error}"[:300]
        ) from error
    # quantize_dynamic infers shapes anew and dies where the exporter's own stand beside them.
    del graph.graph.value_info[:]
    onnx.save(graph, str(path))


def _apart(model: Pretrained, path: Path, asked: Sequence[list[int]], outputs: Outputs) -> float:
    """The largest difference of a probability between torch and the graph, each text alone."""
    session = onnxruntime.InferenceSession(str(path), providers=["CPUExecutionProvider"])
    largest = 0.0
    for ids in asked:
        row = np.array([ids], np.int64)
        (found,) = session.run(None, {"input_ids": row, "attention_mask": np.ones_like(row)})
        with torch.inference_mode():
            whole = model.model(input_ids=torch.tensor(row), attention_mask=torch.ones(row.shape)).logits
        one, other = outputs.scores(found[0].tolist()), outputs.scores(whole[0].tolist())
        largest = max(largest, *(abs(one[name] - other[name]) for name in other))
        if any(score != score for score in one.values()):
            return float("nan")
    return largest


def _as_they_are(config: Any) -> dict[str, str | None]:
    """Every label under its own name: here it matters that they stay, not what they mean."""
    return {str(name): str(name) for name in config.id2label.values()}


def _ids(tokenizer: Any, text: str) -> list[int]:
    return list(tokenizer(text, truncation=True)["input_ids"])


@contextmanager
def _quiet() -> Iterator[None]:
    """Keep the exporter's progress and its warnings about itself off the terminal."""
    said = logging.getLogger("torch.onnx")
    level = said.level
    said.setLevel(logging.ERROR)
    try:
        with warnings.catch_warnings(), redirect_stdout(io.StringIO()):
            warnings.simplefilter("ignore")
            yield
    finally:
        said.setLevel(level)
