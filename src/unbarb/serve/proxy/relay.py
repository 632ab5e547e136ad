"""A streamed reply on its way through: bytes from upstream in, guarded events out."""

from __future__ import annotations

import logging
from collections.abc import AsyncIterator

import httpx2
from starlette.responses import StreamingResponse
from starlette.types import Receive, Scope, Send

from unbarb.serve.calls import Call
from unbarb.serve.dialects.openai_error import content
from unbarb.serve.errors import ServiceError, UpstreamFailed
from unbarb.serve.proxy.deltas import Deltas, Malformed, Reported
from unbarb.serve.proxy.replies import checked
from unbarb.serve.proxy.upstream import failure, told
from unbarb.wire.bodies import written
from unbarb.wire.events import DONE, EventReader, event

log = logging.getLogger("unbarb.serve")


class Relay(StreamingResponse):
    """The response of a stream; whatever ends it, the upstream's reply is closed then."""

    def __init__(self, reply: httpx2.Response, deltas: Deltas, call: Call, headers: dict[str, str]) -> None:
        self._reply, self._deltas, self._call = reply, deltas, call
        headers = headers | {"cache-control": "no-cache", "x-accel-buffering": "no"}
        super().__init__(self._events(), headers=headers, media_type="text/event-stream")

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        try:
            await super().__call__(scope, receive, send)
        finally:
            await self._reply.aclose()

    async def _events(self) -> AsyncIterator[bytes]:
        try:
            async for sent in self._guarded():
                yield sent
        except ServiceError as error:
            yield await self._ended_by(error)
        except httpx2.HTTPError as error:
            yield await self._ended_by(failure(error))
        except (Malformed, ValueError) as error:
            log.warning("upstream: %s", error)
            yield await self._ended_by(
                UpstreamFailed("the upstream sent what cannot be read", code="upstream_malformed")
            )
        except Exception as error:  # held text must not leave, and the client must not wait for it
            log.error("%s in a stream", type(error).__name__)
            yield await self._ended_by(ServiceError("something broke here; it was logged"))

    async def _guarded(self) -> AsyncIterator[bytes]:
        reader, deltas = EventReader(), self._deltas
        async for part in self._reply.aiter_bytes():
            for data in (one.data for one in reader.feed(part)):
                if data is None:
                    continue
                if data.strip() == DONE:
                    for chunk in await deltas.close():
                        yield event(chunk)
                    yield event(DONE)
                    return
                try:
                    chunks = await deltas.take(data)
                except Reported as reported:
                    raise await checked(self._call, told(reported.error)) from None
                for chunk in chunks:
                    yield event(chunk)
                if deltas.blocked:
                    # The rest would cost and could not leave.
                    yield event(DONE)
                    return
        if not deltas.finished:
            raise UpstreamFailed("the upstream broke off its reply", code="upstream_dropped")
        yield event(DONE)

    async def _ended_by(self, error: ServiceError) -> bytes:
        """The event that tells the failure, when it is on record."""
        try:
            await self._call.failed(error)
        except ServiceError as worse:
            error = worse
        return event(written(content(error)))
