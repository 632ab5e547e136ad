"""Whether the process lives, whether it should get requests, and its figures."""

from __future__ import annotations

from typing import Any

from fastapi import APIRouter, Request
from prometheus_client import CONTENT_TYPE_LATEST
from starlette.responses import JSONResponse, Response

from unbarb.serve.dialects import bearer
from unbarb.serve.errors import Forbidden, Unauthorized
from unbarb.serve.keys import find
from unbarb.serve.service import Service

router = APIRouter(tags=["health"])

_STATE: dict[str, Any] = {
    "type": "object",
    "required": ["status"],
    "properties": {
        "status": {"enum": ["live", "ready", "not ready"]},
        "reasons": {"type": "array", "items": {"type": "string"}},
    },
    "additionalProperties": False,
}
_ANSWER = {"content": {"application/json": {"schema": _STATE}}}


@router.get("/health/live", response_class=JSONResponse, responses={200: _ANSWER})
async def live() -> Response:
    """The process runs and its event loop turns."""
    return JSONResponse({"status": "live"})


@router.get(
    "/health/ready",
    response_class=JSONResponse,
    responses={200: _ANSWER, 503: {"description": "Not ready", **_ANSWER}},
)
async def ready(request: Request) -> Response:
    """Requests are welcome; 503 while the service drains or its record cannot be written."""
    service: Service = request.app.state.service
    reasons = service.unready
    if reasons:
        return JSONResponse({"status": "not ready", "reasons": reasons}, 503)
    return JSONResponse({"status": "ready"})


@router.get(
    "/metrics",
    response_class=Response,
    responses={200: {"content": {"text/plain": {"schema": {"type": "string"}}}}},
)
async def metrics(request: Request) -> Response:
    """Figures for Prometheus.

    Where keys are in use, one that is good for ``metrics`` is needed, unless the service was started with
    ``--open-metrics``.
    """
    service: Service = request.app.state.service
    if service.keys is not None and not service.settings.open_metrics:
        token = bearer(request)
        key = find(service.keys, token) if token else None
        if key is None:
            raise Unauthorized("a key that is good for metrics is needed, or start with --open-metrics")
        if not key.may("metrics"):
            raise Forbidden(f"this key is good for {', '.join(key.scopes)} and not for metrics")
    return Response(service.meters.page(), headers={"content-type": CONTENT_TYPE_LATEST})
