"""One file per wire dialect; each has ``DIALECT``.

A dialect is a router, the envelope of its errors, and the place where its clients put their key.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from importlib import import_module
from typing import TYPE_CHECKING

from fastapi import APIRouter
from starlette.requests import HTTPConnection
from starlette.responses import JSONResponse, Response

from unbarb.serve.errors import ServiceError

if TYPE_CHECKING:
    from unbarb.serve.settings import Settings

DIALECTS = ("native", "perspective", "moderations", "chat", "fms", "litellm", "kserve")
"""Modules of this folder, in the order of their routes; ``--dialects`` chooses among them."""


def problem(error: ServiceError) -> Response:
    """The error as ``application/problem+json`` (RFC 9457), with `code` and `problems` as extensions."""
    content = {"type": "about:blank", "title": error.title, "status": error.status, "detail": error.message}
    content |= {"code": error.code} | ({"problems": list(error.problems)} if error.problems else {})
    return JSONResponse(content, error.status, headers=error.headers, media_type="application/problem+json")


def bearer(request: HTTPConnection) -> str | None:
    """The key in ``Authorization: Bearer …`` or ``x-api-key``."""
    scheme, _, token = request.headers.get("authorization", "").partition(" ")
    if scheme.lower() == "bearer" and token:
        return token.strip()
    return request.headers.get("x-api-key")


@dataclass(frozen=True)
class Dialect:
    """How one kind of client speaks.

    Args:
        name: also the surface in the record and the metrics.
        router: builds its routes.
        error: its error envelope; requests that do not validate come here too, as a 422.
        key: where the caller's key is found.
        open: paths that need no key, such as of health.
    """

    name: str
    router: Callable[[Settings], APIRouter]
    error: Callable[[ServiceError], Response] = problem
    key: Callable[[HTTPConnection], str | None] = bearer
    open: frozenset[str] = frozenset()


def chosen(names: Sequence[str]) -> list[Dialect]:
    """The dialects of these names, which `Settings` has checked, in the order of their routes."""
    found: list[Dialect] = [
        import_module(f"unbarb.serve.dialects.{name}").DIALECT for name in DIALECTS if name in names
    ]
    return found
