"""Writes a merged MiniLM as an int8 ONNX graph: summed embeddings in, hidden states out.

The graph is laid by hand, node by node: one matrix product for query, key and value, attention as
one node, residual and norm kept apart (together they are slower on short windows). Weights are
int8 with a scale per output column; activations are quantised at run time by the range of the
run, which is why every window is run alone (see detect/trunk.py).
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import numpy as np
import onnx
from numpy.typing import NDArray
from onnx import TensorProto, helper, numpy_helper

FloatArray = NDArray[np.float32]
State = Mapping[str, FloatArray]
CONTRIB = "com.microsoft"
EPSILON = 1e-12


class _Graph:
    """Nodes and weights as they are added."""

    def __init__(self) -> None:
        self.nodes: list[onnx.NodeProto] = []
        self.weights: list[onnx.TensorProto] = []

    def weight(self, name: str, values: NDArray[np.generic]) -> str:
        self.weights.append(numpy_helper.from_array(np.ascontiguousarray(values), name))
        return name

    def node(self, kind: str, inputs: list[str], outputs: list[str], **attributes: object) -> str:
        self.nodes.append(helper.make_node(kind, inputs, outputs, **attributes))
        return outputs[0]

    def linear(self, x: str, name: str, matrix: FloatArray, bias: FloatArray | None) -> str:
        """``x @ matrix + bias`` with `matrix` (in, out) in int8."""
        values, scales = quantise(matrix)
        inputs = [x, self.weight(f"{name}.int8", values), self.weight(f"{name}.scale", scales), ""]
        if bias is not None:
            inputs.append(self.weight(f"{name}.bias", bias))
        return self.node("DynamicQuantizeMatMul", inputs, [name], domain=CONTRIB)

    def norm(self, x: str, name: str, scale: FloatArray, shift: FloatArray) -> str:
        inputs = [x, self.weight(f"{name}.scale", scale), self.weight(f"{name}.shift", shift)]
        return self.node("LayerNormalization", inputs, [name], axis=-1, epsilon=EPSILON)


def quantise(matrix: FloatArray) -> tuple[NDArray[np.int8], FloatArray]:
    """Symmetric int8 by column: values (in, out) and scales (out,)."""
    scales = np.maximum(np.abs(matrix).max(0), 1e-9) / 127
    return np.clip(np.round(matrix / scales), -127, 127).astype(np.int8), scales.astype(np.float32)


def write_graph(state: State, heads: int, path: Path) -> None:
    """Write the encoder whose merged weights are `state` (names of transformers' BertModel)."""
    graph = _Graph()
    x = graph.norm(
        "embedded", "start", state["embeddings.LayerNorm.weight"], state["embeddings.LayerNorm.bias"]
    )
    layers = sum(name.endswith("intermediate.dense.weight") for name in state)
    width = len(state["embeddings.LayerNorm.weight"])
    for index in range(layers):
        x = _layer(graph, x, state, index, heads, width)
    graph.node("Identity", [x], ["hidden"])
    shape = ["batch", "pieces", width]
    made = helper.make_graph(
        graph.nodes,
        "encoder",
        [helper.make_tensor_value_info("embedded", TensorProto.FLOAT, shape)],
        [helper.make_tensor_value_info("hidden", TensorProto.FLOAT, shape)],
        graph.weights,
    )
    opsets = [helper.make_opsetid("", 17), helper.make_opsetid(CONTRIB, 1)]
    onnx.save(helper.make_model(made, opset_imports=opsets, ir_version=9), str(path))


def _layer(graph: _Graph, x: str, state: State, index: int, heads: int, width: int) -> str:
    prefix, at = f"encoder.layer.{index}.", f"layer{index}"

    def matrix(name: str) -> FloatArray:
        return np.asarray(state[f"{prefix}{name}.weight"].T, np.float32)

    def vector(name: str) -> FloatArray:
        return state[f"{prefix}{name}"]

    three = [f"attention.self.{name}" for name in ("query", "key", "value")]
    joined = graph.linear(
        x,
        f"{at}.qkv",
        np.concatenate([matrix(name) for name in three], axis=1),
        np.concatenate([vector(f"{name}.bias") for name in three]),
    )
    sizes = graph.weight(f"{at}.sizes", np.full(3, width, np.int64))
    parts = [f"{at}.q", f"{at}.k", f"{at}.v"]
    graph.node("Split", [joined, sizes], parts, axis=-1)
    attended = graph.node("MultiHeadAttention", parts, [f"{at}.attended"], domain=CONTRIB, num_heads=heads)
    out = graph.linear(
        attended, f"{at}.out", matrix("attention.output.dense"), vector("attention.output.dense.bias")
    )
    middle = graph.norm(
        graph.node("Add", [out, x], [f"{at}.sum1"]),
        f"{at}.norm1",
        vector("attention.output.LayerNorm.weight"),
        vector("attention.output.LayerNorm.bias"),
    )
    wide = graph.linear(middle, f"{at}.wide", matrix("intermediate.dense"), None)
    bias = graph.weight(f"{at}.wide.bias", vector("intermediate.dense.bias"))
    curved = graph.node("BiasGelu", [wide, bias], [f"{at}.gelu"], domain=CONTRIB)
    narrow = graph.linear(curved, f"{at}.narrow", matrix("output.dense"), vector("output.dense.bias"))
    return graph.norm(
        graph.node("Add", [narrow, middle], [f"{at}.sum2"]),
        f"{at}.norm2",
        vector("output.LayerNorm.weight"),
        vector("output.LayerNorm.bias"),
    )


def write_embeddings(state: State, places: int, folder: Path) -> None:
    """Word embeddings as int8 rows with a scale each, and place plus type embeddings in float32."""
    words = state["embeddings.word_embeddings.weight"]
    scales = np.maximum(np.abs(words).max(1), 1e-9) / 127
    np.save(folder / "words.npy", np.clip(np.round(words / scales[:, None]), -127, 127).astype(np.int8))
    np.save(folder / "word-scales.npy", scales.astype(np.float32))
    together = (
        state["embeddings.position_embeddings.weight"][:places]
        + state["embeddings.token_type_embeddings.weight"][0]
    )
    np.save(folder / "places.npy", together.astype(np.float32))
