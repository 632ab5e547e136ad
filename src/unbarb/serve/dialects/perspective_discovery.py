"""The document from which Google's client libraries build themselves, in Google's discovery format.

Source: the format, https://developers.google.com/discovery/v1/reference/apis; names of methods and messages
are those of commentanalyzer v1alpha1, so that clients written for it need no change but the address.
"""

from __future__ import annotations

from typing import Any

from pydantic.json_schema import models_json_schema

from unbarb import __version__
from unbarb.serve.dialects.perspective_shapes import (
    AnalyzeCommentRequest,
    AnalyzeCommentResponse,
    Message,
    SuggestCommentScoreRequest,
    SuggestCommentScoreResponse,
)

API, VERSION = "commentanalyzer", "v1alpha1"

_FORMATS = {"number": {"format": "float"}, "integer": {"format": "int32"}}
_PARAMETERS = {
    "key": ("string", "The API key."),
    "alt": ("string", "json, the only one."),
    "fields": ("string", "Taken and not used: answers are always whole."),
    "prettyPrint": ("boolean", "Taken and not used."),
    "quotaUser": ("string", "Taken and not used."),
}
_METHODS: tuple[tuple[str, str, type[Message], type[Message]], ...] = (
    ("analyze", "Score a comment.", AnalyzeCommentRequest, AnalyzeCommentResponse),
    (
        "suggestscore",
        "Say what the scores of a comment should be.",
        SuggestCommentScoreRequest,
        SuggestCommentScoreResponse,
    ),
)


def document(root: str) -> dict[str, Any]:
    """The document of a service at `root`, its address with a slash at the end."""
    return {
        "kind": "discovery#restDescription",
        "discoveryVersion": "v1",
        "id": f"{API}:{VERSION}",
        "name": API,
        "version": VERSION,
        "revision": __version__,
        "title": "Perspective-compatible comment analysis by unbarb",
        "description": "Scores comments with unbarb's own models; the scores are not Perspective's.",
        "protocol": "rest",
        "rootUrl": root,
        "baseUrl": root,
        "basePath": "",
        "servicePath": "",
        "parameters": {
            name: {"type": kind, "description": about, "location": "query"}
            for name, (kind, about) in _PARAMETERS.items()
        },
        "resources": {"comments": {"methods": {one[0]: _method(*one) for one in _METHODS}}},
        "schemas": _schemas(),
    }


def _method(name: str, about: str, request: type[Message], response: type[Message]) -> dict[str, Any]:
    path = f"{VERSION}/comments:{name}"
    return {
        "id": f"{API}.comments.{name}",
        "description": about,
        "httpMethod": "POST",
        "path": path,
        "flatPath": path,
        "parameters": {},
        "parameterOrder": [],
        "request": {"$ref": request.__name__},
        "response": {"$ref": response.__name__},
    }


def _schemas() -> dict[str, Any]:
    """Every message by its name."""
    models = [model for _, _, *both in _METHODS for model in both]
    _, schema = models_json_schema([(model, "validation") for model in models], ref_template="{model}")
    return {name: {"id": name, **_discovered(found)} for name, found in schema["$defs"].items()}


def _discovered(schema: dict[str, Any]) -> dict[str, Any]:
    """A JSON Schema of pydantic's in the words of the discovery format."""
    if "anyOf" in schema:
        schema = next(one for one in schema["anyOf"] if one.get("type") != "null") | schema
    if "$ref" in schema:
        return {"$ref": schema["$ref"]}
    found: dict[str, Any] = {"type": schema["type"], **_FORMATS.get(schema["type"], {})}
    if "description" in schema:
        found["description"] = " ".join(schema["description"].split())
    if "items" in schema:
        found["items"] = _discovered(schema["items"])
    if "properties" in schema:
        found["properties"] = {name: _discovered(one) for name, one in schema["properties"].items()}
    elif isinstance(schema.get("additionalProperties"), dict):
        found["additionalProperties"] = _discovered(schema["additionalProperties"])
    return found
