"""What a trained trunk hands to the export: merged weights and head matrices as numpy arrays."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from torch import Tensor, nn

from unbarb.train.detector import Detector
from unbarb.train.editor import Editor
from unbarb.train.multitask import Encoder
from unbarb.train.proofreader import Proofreader

FloatArray = NDArray[np.float32]


def merged_state(encoder: Encoder) -> dict[str, FloatArray]:
    """Merged base weights by their names in transformers' BertModel; ends the encoder's training."""
    return {name: tensor.cpu().numpy() for name, tensor in encoder.merged().items()}


def detector_heads(model: Detector) -> dict[str, FloatArray]:
    """Matrices (in, out) and biases of the label and span heads."""
    return {
        "labels": _matrix(model.labels.linear),
        "labels_bias": _vector(model.labels.linear),
        "spans": _matrix(model.spans.linear),
        "spans_bias": _vector(model.spans.linear),
    }


def editor_heads(model: Editor) -> dict[str, FloatArray]:
    """Matrices (in, out) and biases of the tag and sentence heads; meaning has no bias."""
    return {
        "tags": _matrix(model.tags.linear),
        "tags_bias": _vector(model.tags.linear),
        "sentence": _matrix(model.sentence.linear),
        "sentence_bias": _vector(model.sentence.linear),
        "meaning": _matrix(model.meaning),
    }


def proofreader_heads(model: Proofreader) -> dict[str, FloatArray]:
    """Matrix (in, 1) and bias of the head for intact sentences."""
    return {"intact": _matrix(model.intact.linear), "intact_bias": _vector(model.intact.linear)}


def _matrix(linear: nn.Linear) -> FloatArray:
    return np.asarray(linear.weight.detach().float().numpy().T, np.float32)


def _vector(linear: nn.Linear) -> FloatArray:
    bias: Tensor = linear.bias
    return np.asarray(bias.detach().float().numpy(), np.float32)
