"""KServe's binary tensors in requests: JSON first, then the data of its tensors as raw bytes.

Source: the binary tensor data extension of the Open Inference Protocol
(https://kserve.github.io/website/docs/concepts/architecture/data-plane/v2-protocol/binary-tensor-data-extension).
A string is four bytes with its length, little-endian, then that many bytes.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Coroutine, Iterator
from typing import Any

from fastapi import Request
from fastapi.routing import APIRoute
from starlette.responses import Response
from starlette.types import Message

from unbarb.serve.errors import Invalid
from unbarb.serve.surrogates import lone

NAME = "binary_tensor_data"
HEADER = "inference-header-content-length"
"""Says how many bytes the JSON has."""
SIZE = "binary_data_size"
"""The parameter of a tensor that says how many raw bytes are its data."""


class BinaryRoute(APIRoute):
    """A route that takes binary tensors, as if their data had come in the JSON."""

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        handle = super().get_route_handler()

        async def handle_binary(request: Request) -> Response:
            if HEADER not in request.headers:
                return await handle(request)
            content = plain(await request.body(), request.headers[HEADER])
            return await handle(_with_json(request, content))

        return handle_binary


def plain(body: bytes, length: str) -> dict[str, Any]:
    """The request with the data of every tensor in it; `length` is the JSON's, from the header.

    Raises:
        Invalid: it is not made as the extension says.
    """
    if not length.isdecimal() or int(length) > len(body):
        raise Invalid(f"{HEADER} is {length!r:.40}; give the bytes of the JSON, at most {len(body)}")
    at = int(length)
    if (half := lone(body[:at])) is not None:
        raise Invalid(f"half of a surrogate pair stands at byte {half} of the JSON; send whole characters")
    try:
        content = json.loads(body[:at])
        tensors = [one for one in content["inputs"] if SIZE in (one.get("parameters") or {})]
    except (ValueError, TypeError, KeyError, AttributeError, RecursionError) as error:
        raise Invalid(f"the first {at} bytes are no inference request in JSON") from error
    for tensor in tensors:
        size = tensor["parameters"][SIZE]
        if type(size) is not int or not 0 <= size <= len(body) - at:
            raise Invalid(f"{SIZE} is {size!r:.40}; {len(body) - at} bytes are left")
        tensor["data"] = list(strings(body[at : at + size]))
        at += size
    if at < len(body):
        raise Invalid(f"{len(body) - at} bytes belong to no tensor")
    return dict(content)


def strings(data: bytes) -> Iterator[str]:
    """The strings of a BYTES tensor.

    Raises:
        Invalid: a length goes over the end, or a string is not UTF-8.
    """
    at = 0
    while at < len(data):
        size = int.from_bytes(data[at : at + 4], "little")
        end = at + 4 + size
        if end > len(data):
            raise Invalid(f"a string of {size} bytes at byte {at} goes over the end of its tensor")
        try:
            yield data[at + 4 : end].decode()
        except UnicodeDecodeError as error:
            raise Invalid(f"the string at byte {at} is not UTF-8") from error
        at = end


def _with_json(request: Request, content: dict[str, Any]) -> Request:
    """The request as if `content` had been its body."""
    headers = [(name, value) for name, value in request.scope["headers"] if name != b"content-type"]
    scope = {**request.scope, "headers": [*headers, (b"content-type", b"application/json")]}
    body = json.dumps(content).encode()

    async def receive() -> Message:
        return {"type": "http.request", "body": body, "more_body": False}

    return Request(scope, receive)
