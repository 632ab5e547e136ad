"""KServe's inference protocols over REST: v1 (predict) and v2, the Open Inference Protocol (infer).

Source: https://kserve.github.io/website/docs/concepts/architecture/data-plane, v1-protocol and v2-protocol,
and the OpenAPI of v2. A model is a policy and has its name; its version is that of the verdict's schema.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from math import prod
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Request
from starlette.responses import JSONResponse, Response

from unbarb import __version__
from unbarb.serve.calls import Call, call_of
from unbarb.serve.dialects import Dialect, kserve_binary
from unbarb.serve.dialects.kserve_binary import BinaryRoute
from unbarb.serve.dialects.kserve_shapes import (
    InferRequest,
    InferResponse,
    Instance,
    KserveError,
    Model,
    ModelReady,
    Models,
    OutputTensor,
    Predictions,
    PredictRequest,
    Server,
    Tensor,
    TensorMetadata,
)
from unbarb.serve.dialects.seen import scores_of
from unbarb.serve.errors import Invalid, NotFound, ServiceError
from unbarb.serve.settings import Settings
from unbarb.text import LABELS, Verdict

MODEL_VERSION = "1"
ROOT, LIVE, READY = "/", "/v2/health/live", "/v2/health/ready"


def envelope(error: ServiceError) -> Response:
    """The error as KServe says it; what is wrong with a request is a 400."""
    status = 400 if error.status == 422 else error.status
    return JSONResponse({"error": error.message}, status, headers=error.headers)


def router(settings: Settings) -> APIRouter:
    """Its routes."""
    api = APIRouter(responses={"default": {"model": KserveError, "description": "What went wrong"}})
    one = "/v2/models/{model}"
    # Before the models: their paths would match those of predict.
    for path, judging in (
        ("/v1/models/{model}:predict", predict),
        (one + "/infer", infer),
        (one + "/versions/{version}/infer", infer),
    ):
        api.add_api_route(path, judging, methods=["POST"], route_class_override=BinaryRoute)
    for path, telling in (
        (ROOT, alive),
        ("/v1/models", models),
        ("/v1/models/{model}", model_ready),
        ("/v2", server),
        ("/v2/", server),
        (LIVE, live),
        (READY, ready),
        ("/v2/models", models),
        (one, model_metadata),
        (one + "/ready", model_ready),
        (one + "/versions/{version}", model_metadata),
        (one + "/versions/{version}/ready", model_ready),
    ):
        api.add_api_route(path, telling, methods=["GET"])
    return api


_Call = Annotated[Call, Depends(call_of("kserve"))]
_Rewriting = Annotated[Call, Depends(call_of("kserve", "rewrite"))]


async def alive() -> dict[str, str]:
    """Say that the server is alive, to a client that speaks v1."""
    return {"status": "alive"}


async def live() -> dict[str, bool]:
    """Say that the server is alive."""
    return {"live": True}


async def ready(request: Request) -> dict[str, bool]:
    """Say whether the server should get requests now."""
    if reasons := request.app.state.service.unready:
        raise ServiceError("Server is not ready: " + ", ".join(reasons), status=503, code="not_ready")
    return {"ready": True}


async def server() -> Server:
    """Say what server this is."""
    return Server(name="unbarb", version=__version__, extensions=[kserve_binary.NAME])


async def models(call: _Call, request: Request) -> Models:
    """The models: the policies that the caller may use."""
    names = request.app.state.service.policies.names
    return Models(models=[name for name in names if call.key is None or call.key.may_use(name)])


async def model_ready(model: str, call: _Call, version: str = MODEL_VERSION) -> ModelReady:
    """Say that a model can be asked."""
    use(call, model, version)
    await call.prepare()
    return ModelReady(name=model, ready=True)


async def model_metadata(model: str, call: _Call, request: Request, version: str = MODEL_VERSION) -> Model:
    """Say what a model takes and gives."""
    use(call, model, version)
    await call.prepare()
    labels = request.app.state.service.policies.get(model).guard.panel.labels
    given = [(label, "FP32") for label in in_order(labels)] + [(name, "BYTES") for name in WORDS]
    return Model(
        name=model,
        versions=[MODEL_VERSION],
        platform="unbarb",
        inputs=[TensorMetadata(name="text", datatype="BYTES", shape=[-1])],
        outputs=[TensorMetadata(name=name, datatype=kind, shape=[-1]) for name, kind in given],
    )


async def predict(model: str, body: PredictRequest, call: _Rewriting) -> Predictions:
    """Judge texts and rewrite them; a prediction is a verdict."""
    use(call, model, MODEL_VERSION)
    given = [one if isinstance(one, Instance) else Instance(text=one) for one in body.instances]
    verdicts = await call.rewrite(
        [one.text for one in given],
        ids=[one.id for one in given],
        context=[one.context for one in given],
        direction=body.parameters.direction,
    )
    return Predictions(predictions=[verdict.to_dict() for verdict in verdicts])


async def infer(
    model: str, body: InferRequest, call: _Rewriting, version: str = MODEL_VERSION
) -> InferResponse:
    """Judge texts and rewrite them; what was found comes back in tensors, one value for each text."""
    use(call, model, version)
    verdicts = await call.rewrite(texts(body.inputs), direction=body.parameters.direction)
    wanted = None if body.outputs is None else [one.name for one in body.outputs]
    return InferResponse(
        model_name=model,
        model_version=MODEL_VERSION,
        id=body.id or call.request_id,
        outputs=outputs(verdicts, wanted),
    )


def use(call: Call, model: str, version: str) -> None:
    """Judge by the policy that the model is.

    Raises:
        NotFound: there is no such model, or not in this version.
        Forbidden: the key may not use it.
    """
    call.use_policy(model)
    if version != MODEL_VERSION:
        raise NotFound(f"Model {model} has no version {version}; there is {MODEL_VERSION}.")


def texts(inputs: Sequence[Tensor]) -> list[str]:
    """The texts of the one tensor of a request.

    Raises:
        Invalid: it is not one, holds no strings, or not as many as its shape says.
    """
    if len(inputs) != 1:
        raise Invalid(f"{len(inputs)} inputs; give one BYTES tensor with the texts")
    [tensor] = inputs
    if tensor.datatype != "BYTES":
        raise Invalid(f"input {tensor.name!r} is {tensor.datatype}; give a BYTES tensor with the texts")
    found = list(flat(tensor.data))
    strings = [one for one in found if isinstance(one, str)]
    if len(strings) < len(found):
        raise Invalid(f"input {tensor.name!r} holds values that are no strings; give the texts as strings")
    if any(size < 0 for size in tensor.shape) or prod(tensor.shape) != len(found):
        raise Invalid(f"input {tensor.name!r} holds {len(found)} texts, and its shape is {tensor.shape}")
    return strings


def flat(data: Sequence[Any]) -> Iterator[Any]:
    """The values of nested lists, in order."""
    todo = [iter(data)]
    while todo:
        for one in todo[-1]:
            if isinstance(one, list):
                todo.append(iter(one))
                break
            yield one
        else:
            todo.pop()


def outputs(verdicts: Sequence[Verdict], wanted: Sequence[str] | None) -> list[OutputTensor]:
    """The tensors: the score of every label, then `WORDS`; those `wanted`, or all.

    Raises:
        Invalid: one that is wanted is not there.
        DetectorFailed: a detector failed, or none gave a score.
    """
    scores = [scores_of(verdict) for verdict in verdicts]
    labels = in_order(set(scores[0]).intersection(*scores)) if scores else ()
    tensors = {label: tensor(label, "FP32", [one[label] for one in scores]) for label in labels}
    tensors |= {name: tensor(name, "BYTES", list(map(read, verdicts))) for name, read in WORDS.items()}
    if unknown := [name for name in wanted or () if name not in tensors]:
        raise Invalid(f"no output {', '.join(map(repr, unknown))}; there are {', '.join(tensors)}")
    return [tensors[name] for name in wanted or tensors]


def tensor(name: str, datatype: str, data: Sequence[str | float]) -> OutputTensor:
    """A tensor with one value for each text."""
    return OutputTensor(name=name, datatype=datatype, shape=[len(data)], data=list(data))


def in_order(labels: Iterable[str]) -> tuple[str, ...]:
    """Our six labels first, in their order, then others by name."""
    return tuple(sorted(labels, key=lambda one: (LABELS.index(one) if one in LABELS else len(LABELS), one)))


WORDS: Mapping[str, Callable[[Verdict], str]] = {
    "action": lambda verdict: verdict.action,
    "text": lambda verdict: verdict.text or "",
    "verdict": lambda verdict: json.dumps(verdict.to_dict(), ensure_ascii=False),
}
"""BYTES outputs: what was decided, what may leave (empty where nothing may), and all of the verdict."""

DIALECT = Dialect("kserve", router, envelope, open=frozenset({ROOT, LIVE, READY}))
