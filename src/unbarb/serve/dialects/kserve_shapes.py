"""The messages of KServe's protocols, as its OpenAPI of v2 and its own server have them."""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field

from unbarb.text import Direction


class Tensor(BaseModel):
    """A tensor of a request; data may be nested as its shape says, or flat."""

    model_config = ConfigDict(extra="allow", strict=True)
    name: str
    shape: list[int]
    datatype: str
    data: list[Any]


class Wanted(BaseModel):
    """The name of an output that the caller wants."""

    model_config = ConfigDict(extra="allow", strict=True)
    name: str


class Parameters(BaseModel):
    """What a caller may ask besides; other keys are taken and not used."""

    model_config = ConfigDict(extra="allow", strict=True)
    direction: Annotated[Direction, Field(description="Which rules of the policy hold.")] = "none"


class InferRequest(BaseModel):
    """An inference request: one BYTES tensor of texts."""

    model_config = ConfigDict(extra="allow", strict=True)
    id: str | None = None
    parameters: Parameters = Parameters()
    inputs: list[Tensor]
    outputs: list[Wanted] | None = None


class Instance(BaseModel):
    """A text to judge, with what the caller knows of it."""

    model_config = ConfigDict(extra="allow", strict=True)
    text: str
    id: str | None = None
    context: str | None = None


class PredictRequest(BaseModel):
    """Texts to judge, as strings or objects."""

    model_config = ConfigDict(extra="allow", strict=True)
    instances: list[str | Instance]
    parameters: Parameters = Parameters()


class Predictions(BaseModel):
    """A verdict for each text."""

    predictions: list[dict[str, Any]]


class OutputTensor(BaseModel):
    """A tensor of an answer; its data are flat."""

    name: str
    datatype: str
    shape: list[int]
    data: list[str | float]


class InferResponse(BaseModel):
    """What was found, in tensors."""

    model_name: str
    model_version: str
    id: str
    outputs: list[OutputTensor]


class Models(BaseModel):
    """The names of models."""

    models: list[str]


class ModelReady(BaseModel):
    """Whether a model can be asked."""

    name: str
    ready: bool


class Server(BaseModel):
    """What server this is, and which extensions of the protocol it speaks."""

    name: str
    version: str
    extensions: list[str]


class TensorMetadata(BaseModel):
    """A tensor that a model takes or gives; -1 stands for any size."""

    name: str
    datatype: str
    shape: list[int]


class Model(BaseModel):
    """What a model takes and gives."""

    name: str
    versions: list[str]
    platform: str
    inputs: list[TensorMetadata]
    outputs: list[TensorMetadata]


class KserveError(BaseModel):
    """What went wrong."""

    error: str
