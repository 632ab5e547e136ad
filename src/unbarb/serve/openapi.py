"""The service's description of itself: published schemas taken over as they are, and a page for it."""

from __future__ import annotations

import json
from functools import cache
from importlib.resources import files
from typing import Any

from fastapi import FastAPI
from starlette.responses import HTMLResponse

PROBLEM = {"$ref": "#/components/schemas/Problem"}
VERDICT = {"$ref": "#/components/schemas/Verdict"}

_PROBLEM: dict[str, Any] = {
    "title": "Problem",
    "description": "What went wrong, as in RFC 9457.",
    "type": "object",
    "required": ["type", "title", "status", "detail", "code"],
    "properties": {
        "type": {"const": "about:blank"},
        "title": {"type": "string", "description": "the words of the status"},
        "status": {"type": "integer", "minimum": 400, "maximum": 599},
        "detail": {"type": "string", "description": "what was given, what is allowed, what to do"},
        "code": {"type": "string", "description": "a word for programs"},
        "problems": {
            "type": "array",
            "items": {
                "type": "object",
                "required": ["place", "what"],
                "properties": {"place": {"type": "string"}, "what": {"type": "string"}},
                "additionalProperties": False,
            },
        },
    },
    "additionalProperties": False,
}

_KEYS = {
    "bearer": {"type": "http", "scheme": "bearer"},
    "header": {"type": "apiKey", "in": "header", "name": "x-api-key"},
}
"""Where keys are in use; without any, none is asked for."""

PROBLEMS: dict[int | str, dict[str, Any]] = {
    status: {"description": about, "content": {"application/problem+json": {"schema": PROBLEM}}}
    for status, about in {
        400: "The request is not valid.",
        401: "No key, or one that is not good.",
        403: "The key may not do this.",
        404: "There is no such policy.",
        408: "The body did not come in time.",
        413: "The body is over the limit.",
        422: "The body is not of the right form.",
        429: "The key's rate is used up.",
        500: "Something broke here.",
        503: "The queue is full, the service stops, or a decision could not be made or recorded.",
        504: "Not done in time.",
    }.items()
}
"""What every route of the native dialect may answer besides its own."""


def describe(app: FastAPI) -> None:
    """Give `app` the published schemas, and a page at ``/docs`` that loads nothing from elsewhere."""
    generate = app.openapi

    def openapi() -> dict[str, Any]:
        if app.openapi_schema is None:
            schema = generate()
            known = schema.setdefault("components", {}).setdefault("schemas", {})
            known.update(_verdict(), Problem=_PROBLEM)
            schema["components"]["securitySchemes"] = _KEYS
            schema["security"] = [{}, *({name: []} for name in _KEYS)]
        return app.openapi_schema or {}

    app.openapi = openapi  # type: ignore[method-assign]

    @app.get("/docs", include_in_schema=False)
    async def page() -> HTMLResponse:
        policy = (
            "default-src 'none'; style-src 'unsafe-inline'; script-src 'unsafe-inline'; connect-src 'self'"
        )
        return HTMLResponse(_page(), headers={"content-security-policy": policy})


@cache
def _page() -> str:
    return files("unbarb.serve").joinpath("docs.html").read_text("utf-8")


@cache
def _verdict() -> dict[str, Any]:
    """The verdict's published schema and its parts, under names of their own."""
    text = files("unbarb").joinpath("models/verdict.schema.json").read_text("utf-8")
    schema: dict[str, Any] = json.loads(text)
    names = {part: f"Verdict{part.title()}" for part in schema["$defs"]}
    for part, name in names.items():
        text = text.replace(f'"#/$defs/{part}"', f'"#/components/schemas/{name}"')
    schema = json.loads(text)
    parts = schema.pop("$defs")
    whole = {key: value for key, value in schema.items() if not key.startswith("$")}
    return {"Verdict": whole} | {names[part]: content for part, content in parts.items()}
