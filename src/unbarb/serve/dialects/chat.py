"""OpenAI's chat and completions, to any upstream that speaks them, guarded both ways.

``--set chat.upstream=URL`` names the upstream; without it the routes answer 404. See docs/proxy.md.
Source: https://platform.openai.com/docs/api-reference/chat
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from typing import Annotated, Any

from fastapi import APIRouter, Depends, FastAPI, Request
from starlette.requests import HTTPConnection
from starlette.responses import Response, StreamingResponse

from unbarb.serve.calls import Call, call_of
from unbarb.serve.dialects import Dialect, bearer
from unbarb.serve.dialects.openai_error import OpenaiError, envelope
from unbarb.serve.errors import Invalid, NotFound, ServiceError, UpstreamFailed
from unbarb.serve.proxy.choices import CHAT, COMPLETION, Layout
from unbarb.serve.proxy.deltas import Deltas
from unbarb.serve.proxy.relay import Relay
from unbarb.serve.proxy.replies import checked, guarded, judged, report, withheld_request, withheld_stream
from unbarb.serve.proxy.texts import Text, of_chat, of_completion
from unbarb.serve.proxy.upstream import Target, Upstream, refusal, shown, whole
from unbarb.serve.settings import Settings
from unbarb.text import Verdict
from unbarb.wire.bodies import Json, read, written
from unbarb.wire.events import DONE, event

NAME = "chat"
_ANY: dict[str, Any] = {"application/json": {"schema": {"type": "object"}}}
SAID: dict[int | str, dict[str, Any]] = {
    200: {"description": "What the upstream says, guarded", "content": {**_ANY, "text/event-stream": {}}}
}
LISTED: dict[int | str, dict[str, Any]] = {200: {"description": "The upstream's models", "content": _ANY}}
Proxied = Annotated[Call, Depends(call_of(NAME, "proxy"))]


def key(request: HTTPConnection) -> str | None:
    """The key of this service: in ``x-api-key`` where ``Authorization`` carries one for the upstream."""
    return request.headers.get("x-api-key") or bearer(request)


def router(settings: Settings) -> APIRouter:
    """The routes of the proxy.

    Raises:
        ConfigError: an option ``chat.…`` is not valid.
    """
    proxy = Proxy(Target.of(settings.options))

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        if proxy.target is not None:
            _ = proxy.upstream  # so that the first caller does not wait for certificates to load
        yield
        await proxy.close()

    failed = {"model": OpenaiError, "description": "What went wrong"}
    routes = APIRouter(lifespan=lifespan, responses={"default": failed}, default_response_class=Response)

    @routes.post("/v1/chat/completions", openapi_extra=taking("messages", "array"), responses=SAID)
    async def chat(request: Request, call: Proxied) -> Response:
        """A chat: all messages are guarded, then the reply, streamed or not."""
        return await proxy.answered(request, call, "/chat/completions", CHAT, of_chat)

    @routes.post("/v1/completions", openapi_extra=taking("prompt", "string"), responses=SAID)
    async def completion(request: Request, call: Proxied) -> Response:
        """A completion: the prompts are guarded, then the reply, streamed or not."""
        return await proxy.answered(request, call, "/completions", COMPLETION, of_completion)

    if proxy.target is not None:

        @routes.get("/v1/models", responses=LISTED)
        async def models(request: Request, call: Proxied) -> Response:
            """The upstream's models, as it lists them."""
            return await proxy.listed(request, call)

    return routes


class Proxy:
    """What stands between callers and one upstream."""

    def __init__(self, target: Target | None) -> None:
        self.target = target
        self._upstream: Upstream | None = None

    async def close(self) -> None:
        """Give the connections up."""
        if self._upstream is not None:
            await self._upstream.close()
            self._upstream = None

    @property
    def upstream(self) -> Upstream:
        """The way to the upstream; its connections belong to the event loop that asks first."""
        if self.target is None:
            raise NotFound(
                "no upstream is set here: start with `unbarb serve --set chat.upstream=URL`",
                code="no_upstream",
            )
        if self._upstream is None:
            self._upstream = Upstream(self.target)
        return self._upstream

    async def answered(
        self,
        request: Request,
        call: Call,
        path: str,
        layout: Layout,
        places_of: Callable[[Json], list[Text]],
    ) -> Response:
        """The answer to a chat or a completion."""
        upstream = self.upstream
        data = await request.body()
        body = asked(data)
        headers = upstream.headers(request.headers, guarded_by_key=call.key is not None)
        places = places_of(body)
        # What is not streamed is on record with the reply's verdicts, or while the upstream thinks.
        verdicts = await judged(call, places, "input", later=not body.get("stream"))
        changed = False
        for place, verdict in zip(places, verdicts, strict=True):
            if verdict.text is None:
                await call.settled()
                return withheld(call, layout, body, verdict, verdicts)
            changed |= place.put(verdict.text)
        reply = await upstream.ask("POST", path, headers, written(body) if changed else data)
        call.renew()
        if not reply.is_success:
            error = refusal(reply, await whole(reply), own_key=not upstream.target.forwards)
            return await refused(call, error, shown(reply))
        if not body.get("stream"):
            answer = await whole(reply)
            call.renew()
            try:
                content = await guarded(call, answer, layout, verdicts)
            except ValueError as error:
                raise UpstreamFailed(
                    "the upstream sent what cannot be read", code="upstream_malformed"
                ) from error
            await call.settled()
            return Response(written(content), headers=shown(reply), media_type="application/json")
        if not reply.headers.get("content-type", "").startswith("text/event-stream"):
            await reply.aclose()
            raise UpstreamFailed("the upstream did not stream its reply", code="upstream_malformed")
        return Relay(reply, streamed(call, layout, body, verdicts), call, shown(reply))

    async def listed(self, request: Request, call: Call) -> Response:
        """The upstream's list of models."""
        upstream = self.upstream
        headers = upstream.headers(request.headers, guarded_by_key=call.key is not None)
        reply = await upstream.ask("GET", "/models", headers)
        body = await whole(reply)
        if not reply.is_success:
            return await refused(
                call, refusal(reply, body, own_key=not upstream.target.forwards), shown(reply)
            )
        return Response(body, headers=shown(reply), media_type="application/json")


def asked(data: bytes) -> Json:
    """The body of a request.

    Raises:
        Invalid: it is no JSON object, or what the proxy itself reads in it is not what it should be.
    """
    try:
        body = read(data)
    except ValueError as error:
        raise Invalid(f"the body is not a JSON object that can be read one way: {error}") from error
    if not isinstance(body.get("stream"), bool | None):
        raise Invalid("stream: say true or false")
    choices = body.get("n")
    if choices is not None and (not isinstance(choices, int) or isinstance(choices, bool) or choices < 1):
        raise Invalid("n: give a whole number, 1 or more")
    return body


def streamed(call: Call, layout: Layout, body: Json, asked: Sequence[Verdict]) -> Deltas:
    """The guards of a streamed reply; their streams are named ``<request id>:choices[0].content``."""
    prompts = body.get("prompt")
    choices = (body.get("n") or 1) * (len(prompts) if isinstance(prompts, list) else 1)
    return Deltas(
        layout,
        guard=lambda name: call.stream(direction="output", id=f"{call.request_id}:{name}"),
        report=lambda verdicts, kept_back: report(call, [*asked, *verdicts], kept_back),
        choices=choices,
    )


def withheld(
    call: Call, layout: Layout, body: Json, verdict: Verdict, verdicts: Sequence[Verdict]
) -> Response:
    """The answer to a request that does not go upstream."""
    told = report(call, verdicts)
    if not body.get("stream"):
        content = written(withheld_request(layout, body, verdict, told))
        return Response(content, media_type="application/json")
    chunks = [event(written(chunk)) for chunk in withheld_stream(layout, body, verdict, told)]
    return StreamingResponse(iter([*chunks, event(DONE)]), media_type="text/event-stream")


async def refused(call: Call, error: ServiceError, headers: dict[str, str]) -> Response:
    """The upstream's error, its words guarded; a failure of the upstream goes on record."""
    error = await checked(call, error)
    if error.status >= 500:
        await call.failed(error)
    answer = envelope(error)
    answer.headers.update(headers)
    return answer


def taking(name: str, kind: str) -> dict[str, Any]:
    """The request body for the OpenAPI page: what must be there; everything else goes through."""
    item = {"items": {"type": "object"}, "minItems": 1} if kind == "array" else {}
    schema = {
        "type": "object",
        "required": [name],
        "properties": {name: {"type": kind, **item}, "stream": {"type": "boolean"}},
        "additionalProperties": True,
    }
    return {"requestBody": {"required": True, "content": {"application/json": {"schema": schema}}}}


DIALECT = Dialect(NAME, router, envelope, key)
