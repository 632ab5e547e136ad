"""Errors as OpenAI's API says them, for every dialect that speaks like it."""

from __future__ import annotations

from typing import Any

from pydantic import BaseModel
from starlette.responses import JSONResponse, Response

from unbarb.serve.errors import ServiceError


class OpenaiErrorDetails(BaseModel):
    """What went wrong, in words and for programs."""

    message: str
    type: str
    param: str | None
    code: str


class OpenaiError(BaseModel):
    """What went wrong."""

    error: OpenaiErrorDetails


_KINDS = {
    401: "authentication_error",
    403: "permission_error",
    404: "not_found_error",
    429: "rate_limit_error",
}


def content(error: ServiceError) -> dict[str, Any]:
    """The JSON of an error, in an answer or in the middle of a stream."""
    kind = _KINDS.get(error.status, "invalid_request_error" if error.status < 500 else "server_error")
    return {"error": {"message": error.message, "type": kind, "param": None, "code": error.code}}


def envelope(error: ServiceError) -> Response:
    """The error as an answer; a request that does not validate is a 400."""
    status = 400 if error.status == 422 else error.status
    return JSONResponse(content(error), status, headers=error.headers)
