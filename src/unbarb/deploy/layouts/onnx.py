"""A classifier as an ONNX graph, with labels and tokenizer beside it, as `unbarb` itself serves it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import onnxruntime

from unbarb.deploy.layouts.huggingface import settings_problems
from unbarb.deploy.layouts.weights import pickles
from unbarb.detect.folder import read_json
from unbarb.errors import ModelError

INPUTS = {"input_ids", "attention_mask"}


def refuse(facts: Mapping[str, Any]) -> None:
    """Refuse nothing: the export knows what it can write."""


def arrange(folder: Path, facts: Mapping[str, Any]) -> None:
    """Nothing to add: it is what an export writes."""


def problems(folder: Path, base: Path | None = None) -> Iterator[str]:
    """What is wrong with it, one line each."""
    yield from pickles(folder)
    yield from settings_problems(folder)
    try:
        graph = onnxruntime.InferenceSession(str(folder / "model.onnx"), providers=["CPUExecutionProvider"])
    except (
        Exception
    ) as error:  # onnxruntime has a class of its own for each, all of them RuntimeErrors or not
        yield f"model.onnx does not load: {error}"
        return
    inputs = {one.name for one in graph.get_inputs()}
    if inputs != INPUTS:
        yield f"model.onnx takes {sorted(inputs)}, not {sorted(INPUTS)}"
    try:
        labels = len(read_json(folder / "config.json").get("id2label") or {})
    except ModelError:
        return  # told already
    wide = graph.get_outputs()[0].shape[-1]
    if isinstance(wide, int) and wide != labels:
        yield f"model.onnx gives {wide} scores and config.json names {labels} labels"


def serve(folder: Path, facts: Mapping[str, Any]) -> list[str]:
    """How it is served."""
    detector = f"{{name: transformers, model: {folder}}}"
    return [f"in a policy: detectors: [{detector}], then `unbarb serve --policy FILE`"]
