"""unbarb's own dialect: verdicts whole, as published in ``verdict.schema.json``."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Mapping, Sequence
from contextlib import suppress
from typing import Annotated, Any

from fastapi import APIRouter, Depends
from pydantic import BaseModel, ConfigDict, Discriminator, Field, Tag
from starlette.responses import Response, StreamingResponse

from unbarb.serve.calls import Call, call_of
from unbarb.serve.dialects import Dialect, problem
from unbarb.serve.errors import ServiceError
from unbarb.serve.openapi import PROBLEMS, VERDICT
from unbarb.serve.settings import Settings
from unbarb.stream import AsyncStreamGuard, Released
from unbarb.text import Direction, Verdict

NAME = "native"
Checks = Annotated[Call, Depends(call_of(NAME))]
Rewrites = Annotated[Call, Depends(call_of(NAME, "rewrite"))]


class Asked(BaseModel):
    """How text is to be judged."""

    model_config = ConfigDict(extra="forbid", strict=True)

    direction: Direction = Field("none", description="whether it goes into a model or comes out of one")
    policy: str | None = Field(None, description="a policy by name; default the key's, or the server's")
    store: bool = Field(True, description="false: the record keeps no text, whatever the policy says")


class Item(BaseModel):
    """A text with what is known of it."""

    model_config = ConfigDict(extra="forbid", strict=True)

    text: str
    id: str | None = Field(None, description="the caller's id of the text; it stands in the verdict")
    context: str | None = Field(None, description="what stood before: a conversation, a parent comment")


class One(Asked, Item):
    """One text."""


class Many(Asked):
    """Several texts, each plain or with an id and a context."""

    texts: list[str | Item]


class Whole(Asked):
    """A stream's text in one piece."""

    direction: Direction = Field("output", description="as for one text; here mostly what a model said")
    text: str
    id: str | None = Field(None, description="the stream's id in the record and in the verdicts")


class Chunks(Asked):
    """A stream's text as a model gave it, cut anywhere."""

    direction: Direction = Field("output", description="as for one text; here mostly what a model said")
    chunks: list[str]
    id: str | None = Field(None, description="the stream's id in the record and in the verdicts")


def _form(several: str) -> Discriminator:
    """Which of two forms a body has, so that its problems are told in the words of that one."""

    def chosen(body: Any) -> str:
        return several if isinstance(body, Mapping) and several in body else "text"

    return Discriminator(chosen)


Texts = Annotated[Annotated[One, Tag("text")] | Annotated[Many, Tag("texts")], _form("texts")]
Stream = Annotated[Annotated[Whole, Tag("text")] | Annotated[Chunks, Tag("chunks")], _form("chunks")]

_VERDICTS = {
    "type": "object",
    "required": ["verdicts"],
    "properties": {"verdicts": {"type": "array", "items": VERDICT}},
    "additionalProperties": False,
}
_EVENT = {
    "type": "object",
    "required": ["event", "data"],
    "properties": {
        "event": {"enum": ["piece", "done", "error"]},
        "data": {"type": "string", "contentMediaType": "application/json"},
    },
}
_POLICIES = {
    "type": "object",
    "required": ["default", "policies"],
    "properties": {
        "default": {"type": "string", "description": "the one used when a request names none"},
        "policies": {
            "type": "array",
            "items": {
                "type": "object",
                "required": ["name", "digest", "description"],
                "properties": {name: {"type": "string"} for name in ("name", "digest", "description")},
                "additionalProperties": False,
            },
        },
    },
    "additionalProperties": False,
}


def _answers(about: str, kind: str, schema: Mapping[str, Any]) -> dict[int | str, dict[str, Any]]:
    return {200: {"description": about, "content": {kind: {"schema": schema}}}}


_JUDGED = _answers(
    "A verdict for `text`, or one for each of `texts`.",
    "application/json",
    {"anyOf": [VERDICT, _VERDICTS]},
)


def router(settings: Settings) -> APIRouter:
    """The routes ``/v1/check``, ``/v1/rewrite``, ``/v1/rewrite/stream`` and ``/v1/policies``."""
    routes = APIRouter(responses=PROBLEMS, default_response_class=Response)
    routes.post("/v1/check", responses=_JUDGED)(check)
    routes.post("/v1/rewrite", responses=_JUDGED)(rewrite)
    streamed = _answers(
        "Server-sent events: `piece` for every piece that may leave, with `start`, `text` and `verdict`;"
        " then `done`, or `error` with a problem.",
        "text/event-stream",
        _EVENT,
    )
    routes.post("/v1/rewrite/stream", responses=streamed, response_class=StreamingResponse)(stream)
    told = _answers("The policies that this key may name.", "application/json", _POLICIES)
    routes.get("/v1/policies", responses=told)(policies)
    return routes


async def check(given: Texts, call: Checks) -> Response:
    """Score texts and say what the policy decides; change nothing."""
    return await _judged(call.check, given, call)


async def rewrite(given: Texts, call: Rewrites) -> Response:
    """Decide about texts and carry the decisions out."""
    return await _judged(call.rewrite, given, call)


async def stream(given: Stream, call: Rewrites) -> Response:
    """Guard a text piece by piece: what is sent was checked, and is never taken back."""
    _choose(given, call)
    chunks = [given.text] if isinstance(given, Whole) else given.chunks
    guarding = call.stream(direction=given.direction, id=given.id, store_text=given.store)
    return StreamingResponse(
        _events(guarding, chunks, call),
        media_type="text/event-stream",
        headers={"cache-control": "no-store"},
    )


async def policies(call: Checks) -> Response:
    """Say which policies there are."""
    return Response(json.dumps(await call.policies(), ensure_ascii=False), media_type="application/json")


async def _events(guarding: AsyncStreamGuard, chunks: Sequence[str], call: Call) -> AsyncIterator[str]:
    sent = 0
    try:
        for chunk in chunks:
            if guarding.blocked:
                break
            await guarding.feed(chunk)
            for event in _pieces(guarding.released[sent:]):
                yield event
            sent = len(guarding.released)
        await guarding.close()
        for event in _pieces(guarding.released[sent:]):
            yield event
    except ServiceError as error:
        with suppress(ServiceError):  # it cannot be recorded; the metrics have it
            await call.failed(error)
        yield _event("error", json.loads(bytes(problem(error).body)))
        return
    yield _event(
        "done",
        {
            "pieces": len(guarding.released),
            "characters": sum(len(one.text) for one in guarding.released),
            "blocked": guarding.blocked,
            "message": guarding.message,
        },
    )


def _pieces(released: Sequence[Released]) -> Iterator[str]:
    for one in released:
        content = {"start": one.start, "text": one.text, "verdict": one.verdict.to_dict()}
        yield _event("piece", content)


def _event(name: str, content: Mapping[str, Any]) -> str:
    return f"event: {name}\ndata: {json.dumps(content, ensure_ascii=False)}\n\n"


def _choose(given: Asked, call: Call) -> None:
    if given.policy is not None:
        call.use_policy(given.policy)


async def _judged(judge: Callable[..., Awaitable[list[Verdict]]], given: Texts, call: Call) -> Response:
    _choose(given, call)
    one = isinstance(given, One)
    items = [given] if isinstance(given, One) else given.texts
    verdicts = await judge(
        [item if isinstance(item, str) else item.text for item in items],
        direction=given.direction,
        ids=[None if isinstance(item, str) else item.id for item in items],
        context=[None if isinstance(item, str) else item.context for item in items],
        store_text=given.store,
    )
    found = [verdict.to_dict() for verdict in verdicts]
    content = found[0] if one else {"verdicts": found}
    return Response(json.dumps(content, ensure_ascii=False), media_type="application/json")


DIALECT = Dialect(NAME, router)
