"""The schema of a CustomResourceDefinition as a JSON Schema that says as much as the API server enforces.

A CRD holds a *structural schema*: OpenAPI v3 with ``x-kubernetes-…`` keywords. Source:
https://kubernetes.io/docs/tasks/extend-kubernetes/custom-resources/custom-resource-definitions, "Specifying
a structural schema". Fields that it does not know are dropped by the server, and refused by ``kubectl``
where it validates strictly; here they are refused.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

_PRESERVE = "x-kubernetes-preserve-unknown-fields"
_INT_OR_STRING = "x-kubernetes-int-or-string"
_RANGES = {"int32": (-(2**31), 2**31 - 1), "int64": (-(2**63), 2**63 - 1)}
_KEPT = (
    "type", "enum", "pattern", "required", "minLength", "maxLength", "minItems", "maxItems", "minimum",
    "maximum", "exclusiveMinimum", "exclusiveMaximum", "multipleOf", "minProperties", "maxProperties",
    "uniqueItems", "default", "x-kubernetes-list-map-keys",
)  # fmt: skip


def json_schema(structural: Mapping[str, Any]) -> dict[str, Any]:
    """The JSON Schema (2020-12) of a structural schema; a list that is a map keeps its keys."""
    schema = {name: structural[name] for name in _KEPT if name in structural}
    if structural.get(_INT_OR_STRING):
        schema["type"] = ["integer", "string"]
    if structural.get("nullable") and "type" in schema:
        kinds = schema["type"]
        schema["type"] = [*([kinds] if isinstance(kinds, str) else kinds), "null"]
    if structural.get("type") == "integer" and structural.get("format") in _RANGES:
        least, most = _RANGES[structural["format"]]
        schema.setdefault("minimum", least)
        schema.setdefault("maximum", most)
    if structural.get("x-kubernetes-list-type") == "set":
        schema["uniqueItems"] = True
    for several in ("allOf", "anyOf", "oneOf"):
        if several in structural and not structural.get(_INT_OR_STRING):
            # These say more about fields that are described beside them, and leave all others open.
            schema[several] = [_open(json_schema(one)) for one in structural[several]]
    if "not" in structural:
        schema["not"] = _open(json_schema(structural["not"]))
    if "items" in structural:
        schema["items"] = json_schema(structural["items"])
    _fields(structural, schema)
    return schema


def _fields(structural: Mapping[str, Any], schema: dict[str, Any]) -> None:
    if "properties" in structural:
        schema["properties"] = {name: json_schema(one) for name, one in structural["properties"].items()}
    more = structural.get("additionalProperties")
    if isinstance(more, Mapping):
        schema["additionalProperties"] = json_schema(more)
    elif "properties" in structural and not more and not structural.get(_PRESERVE):
        schema["additionalProperties"] = False


def _open(schema: dict[str, Any]) -> dict[str, Any]:
    schema.pop("additionalProperties", None)
    return schema
