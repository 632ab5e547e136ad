"""The Open Inference Protocol over REST, which is KServe's v2: infer, and generate for text.

Source: https://github.com/kserve/open-inference-protocol, ``open_inference_rest.yaml`` and
``generate_rest.yaml``. Triton, MLServer, OpenVINO's server, KServe's own and ours speak infer.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar
from urllib.parse import quote

from unbarb.deploy.request.answer import Answer, Piece
from unbarb.errors import ConfigError
from unbarb.wire.bodies import Json

TEXTS = ("text_output", "text", "output-0", "output0")
"""Outputs that hold what a model wrote, where no name is given; a lone BYTES output does as well."""
INPUT = "input-0"
"""The name of the input in KServe's own examples, for a server that does not say what its models take."""


@dataclass(frozen=True)
class _KServe:
    """What both tasks share."""

    model: str
    parameters: Mapping[str, Any]
    max_tokens: int
    stop: tuple[str, ...]

    example: ClassVar[str] = "http://localhost:8080"
    models_path: ClassVar[str | None] = "/v2/models"

    @property
    def model_path(self) -> str:
        return f"/v2/models/{quote(self.model, safe='')}"

    def fault(self, event: Json) -> tuple[str, int | None] | None:
        error = event.get("error")
        return (str(error), None) if error else None

    def models(self, reply: Json) -> list[str]:
        return [str(one["name"] if isinstance(one, dict) else one) for one in reply["models"]]


@dataclass(frozen=True)
class Infer(_KServe):
    """``POST {url}/v2/models/{model}/infer``: a BYTES tensor of one text in, tensors out.

    The protocol has no stream; MLServer's ``…/infer_stream`` answers with an event of tensors for each part
    (https://mlserver.readthedocs.io/en/latest/user-guide/streaming.html).

    Args:
        input: the name of the tensor that takes the text.
        output: the name of the one that holds what the model wrote; default as `TEXTS` says.
    """

    input: str = INPUT
    output: str | None = None

    def path(self, *, stream: bool) -> str:
        return f"{self.model_path}/infer{'_stream' if stream else ''}"

    def body(self, prompt: str, *, stream: bool) -> Json:
        tensor = {"name": self.input, "shape": [1], "datatype": "BYTES", "data": [prompt]}
        return {"inputs": [tensor]} | ({"parameters": dict(self.parameters)} if self.parameters else {})

    def answer(self, reply: Json) -> Answer:
        values = _values(reply)
        strings = {name: value for name, value in values.items() if isinstance(value, str)}
        scores = {name: value for name, value in values.items() if not isinstance(value, str)}
        if self.output is not None and self.output not in strings:
            raise ValueError(f"no BYTES output {self.output!r}; there are {', '.join(strings) or 'none'}")
        named = self.output or next((name for name in TEXTS if name in strings), None)
        if named is None and len(strings) == 1:
            [named] = strings
        text = None if named is None else strings.pop(named)
        return Answer(text, scores=scores, strings=strings)

    def piece(self, event: Json) -> Piece:
        text = self.answer(event).text
        if text is None:
            raise ValueError("no BYTES output that holds what the model writes")
        return Piece(text, may_end=True)


class Generate(_KServe):
    """``POST {url}/v2/models/{model}/generate`` and ``…/generate_stream``."""

    def path(self, *, stream: bool) -> str:
        return f"{self.model_path}/generate{'_stream' if stream else ''}"

    def body(self, prompt: str, *, stream: bool) -> Json:
        asked: Json = {"max_tokens": self.max_tokens} if self.max_tokens else {}
        if self.stop:
            asked["stop"] = list(self.stop)
        asked |= dict(self.parameters)
        return {"text_input": prompt} | ({"parameters": asked} if asked else {})

    def answer(self, reply: Json) -> Answer:
        return Answer(_written(reply))

    def piece(self, event: Json) -> Piece:
        # `done` is in the specification; Triton's stream has none and just ends.
        return Piece(_written(event), may_end=bool(event.get("done", True)))


def inputs(metadata: Json) -> str:
    """The name of the input that takes text, as a model's metadata has it.

    Raises:
        ConfigError: there are several, or none that takes text.
    """
    told = metadata.get("inputs") or []
    if not told:
        return INPUT
    takes = [str(one["name"]) for one in told if one.get("datatype") == "BYTES"]
    if len(told) == len(takes) == 1:
        return takes[0]
    shown = ", ".join(f"{one.get('name')} ({one.get('datatype')})" for one in told)
    raise ConfigError(f"the model takes {shown}; one tensor of text (BYTES) is what can be asked with")


def _written(body: Json) -> str:
    text = body.get("text_output")
    if not isinstance(text, str):
        raise ValueError("no text_output")
    return text


def _values(reply: Json) -> dict[str, str | float]:
    """Tensor → its one value; of a tensor with several numbers, each under ``name[i]``."""
    outputs = reply.get("outputs")
    if not isinstance(outputs, list) or not outputs:
        raise ValueError("no outputs")
    found: dict[str, str | float] = {}
    for one in outputs:
        name, data = (one.get("name"), one.get("data")) if isinstance(one, dict) else (None, None)
        if not isinstance(name, str) or not isinstance(data, list):
            raise ValueError("an output without name and data")
        flat = _flat(data)
        for at, value in enumerate(flat):
            if not isinstance(value, str | int | float):
                raise ValueError(f"output {name!r} holds {type(value).__name__}")
            found[name if len(flat) == 1 else f"{name}[{at}]"] = (
                value if isinstance(value, str) else float(value)
            )
    return found


def _flat(data: list[Any]) -> list[Any]:
    return [inner for one in data for inner in (_flat(one) if isinstance(one, list) else [one])]
