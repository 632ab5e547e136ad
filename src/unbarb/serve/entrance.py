"""Where a request comes in: its id, dialect, key, rate and body, and whether its client is still there.

Plain ASGI. The key is looked at before the body is read, so that strangers cannot make the service read;
the body is read whole, counted and timed, before the routes see the request; and the work for a client
that has gone is cancelled.
"""

from __future__ import annotations

import asyncio
import logging
import re
from collections.abc import Sequence
from contextlib import suppress
from secrets import token_hex
from time import perf_counter
from traceback import format_tb
from typing import Any

from fastapi import APIRouter
from starlette.datastructures import MutableHeaders
from starlette.requests import HTTPConnection
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from unbarb.serve.dialects import Dialect, problem
from unbarb.serve.errors import (
    DeadlineExceeded,
    Forbidden,
    Invalid,
    ServiceError,
    TooLarge,
    Unauthorized,
)  # fmt: skip
from unbarb.serve.keys import Key, find
from unbarb.serve.service import Service
from unbarb.serve.surrogates import lone

log = logging.getLogger("unbarb.serve")

REQUEST_ID = "x-request-id"
_SANE = re.compile(r"[A-Za-z0-9._:/+=-]{1,128}")
GONE = 499
"""The status in the metrics of a request whose client did not wait for the answer."""
NOBODY = "nobody"
"""The rate's name for callers without a key."""


class Places:
    """Which dialect a path belongs to."""

    def __init__(self, routers: Sequence[tuple[Dialect, APIRouter]]) -> None:
        self._exact: dict[str, Dialect] = {}
        self._patterns: list[tuple[re.Pattern[str], Dialect]] = []
        for dialect, router in routers:
            for route in router.routes:
                path, pattern = getattr(route, "path", ""), getattr(route, "path_regex", None)
                if "{" not in path:
                    self._exact.setdefault(path, dialect)
                if pattern is not None:
                    # All of them, as the router sees them: its patterns let a last line feed pass.
                    self._patterns.append((pattern, dialect))

    def of(self, path: str) -> Dialect | None:
        """The dialect of `path`; None where no dialect has it."""
        found = self._exact.get(path)
        if found is None:
            found = next((dialect for pattern, dialect in self._patterns if pattern.match(path)), None)
        return found


class Entrance:
    """Wraps the application; see the module."""

    def __init__(self, app: ASGIApp, *, service: Service, places: Places) -> None:
        self._app = app
        self._service = service
        self._places = places

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        visit = Visit(scope, receive, send)
        dialect = self._places.of(scope["path"])
        meters = self._service.meters
        surface = dialect.name if dialect else "service"
        meters.in_flight.inc()
        try:
            await self._let_in(visit, dialect)
        except ServiceError as error:
            await self._refuse(visit, dialect, error)
        except Exception as error:  # caught here, for whoever is outside would log its message
            # Where it broke and its class, not its message: that may quote what was sent.
            frames = "".join(format_tb(error.__traceback__))
            log.error("%s in %s\n%s", type(error).__name__, scope["path"], frames)
            await self._refuse(visit, dialect, ServiceError("something broke here; it was logged"))
        finally:
            meters.in_flight.dec()
            meters.requests.labels(surface, visit.status).observe(perf_counter() - visit.began)

    async def _refuse(self, visit: Visit, dialect: Dialect | None, error: ServiceError) -> None:
        """Answer with `error`, unless an answer has begun."""
        call = visit.scope["state"].get("call")
        if call is not None and error.status >= 500:
            with suppress(ServiceError):  # it cannot be recorded either; the metrics have it
                await call.failed(error)
        if not visit.started:
            await (dialect.error if dialect else problem)(error)(visit.scope, visit.receive, visit.send)

    async def _let_in(self, visit: Visit, dialect: Dialect | None) -> None:
        settings = self._service.settings
        connection = HTTPConnection(visit.scope)
        _check_host(connection, settings.allowed_hosts)
        state = visit.scope["state"]
        if dialect is not None:
            if self._service.draining:
                visit.closing = True
            if visit.scope["path"] not in dialect.open:
                state["key"] = key = self._key(dialect, connection)
                caller, rate = (key.id, key.rate) if key else (NOBODY, None)
                visit.headers.update(self._service.limits.take(caller, rate))
            state["admitted"] = True
        await visit.read(settings.max_body, settings.body_timeout)
        await self._answered(visit)

    def _key(self, dialect: Dialect, connection: HTTPConnection) -> Key | None:
        keys = self._service.keys
        if keys is None:
            return None
        token = dialect.key(connection)
        key = find(keys, token) if token else None
        if key is None:
            raise Unauthorized(
                "this key is not known, was revoked or ran out" if token else "a key is needed"
            )
        return key

    async def _answered(self, visit: Visit) -> None:
        task = asyncio.current_task()
        assert task is not None, "ASGI applications run in tasks"
        watch = asyncio.create_task(visit.watch(task))
        try:
            await self._app(visit.scope, visit.receive, visit.send)
        except asyncio.CancelledError:
            if not visit.gone.is_set():
                raise
            task.uncancel()
            visit.status = str(GONE)
            call = visit.scope["state"].get("call")
            if call is not None:
                await call.failed(ServiceError("the client went away", status=GONE, code="client_gone"))
        finally:
            watch.cancel()


class Visit:
    """One request's way through: what came, what was sent."""

    def __init__(self, scope: Scope, receive: Receive, send: Send) -> None:
        self.scope = scope
        self.began = perf_counter()
        self.headers: dict[str, str] = {}
        self.status = "500"
        self.started = self.finished = self.closing = False
        self.gone = asyncio.Event()
        self._receive, self._send = receive, send
        self._body: bytes | None = None
        given = next((value for name, value in scope["headers"] if name == b"x-request-id"), b"")
        text = given.decode("latin-1")
        self.request_id = text if _SANE.fullmatch(text) else token_hex(16)
        scope.setdefault("state", {}).update(request_id=self.request_id, key=None, admitted=False)

    async def read(self, limit: int, timeout: float) -> None:
        """Take the whole body in.

        Raises:
            TooLarge: it is more than `limit` bytes, whatever its head says.
            DeadlineExceeded: it took more than `timeout` seconds to come.
            Invalid: it holds half of a character.
        """
        size = 0
        names = dict(self.scope["headers"])
        declared = names.get(b"content-length", b"")
        if declared.isdigit() and int(declared) > limit:
            raise _too_large(limit)
        if not declared and b"transfer-encoding" not in names and self.scope.get("http_version") != "2":
            self._body = b""
            return
        parts: list[bytes] = []
        try:
            async with asyncio.timeout(timeout):
                while True:
                    message = await self._receive()
                    if message["type"] == "http.disconnect":
                        self.gone.set()
                        raise ServiceError("the client went away", status=GONE, code="client_gone")
                    part: bytes = message.get("body", b"")
                    size += len(part)
                    if size > limit:
                        raise _too_large(limit)
                    parts.append(part)
                    if not message.get("more_body", False):
                        break
        except TimeoutError as error:
            raise DeadlineExceeded(
                f"the body did not come within {timeout:g} seconds", status=408, code="body_timeout"
            ) from error
        self._body = b"".join(parts)
        if names.get(b"content-type") != b"application/octet-stream":
            _check_characters(self._body)

    async def watch(self, task: asyncio.Task[Any]) -> None:
        """Wait until the client is gone, and cancel `task` if it is still at work."""
        while True:
            message = await self._receive()
            if message["type"] == "http.disconnect":
                break
        if not self.finished:
            self.gone.set()
            task.cancel()

    async def receive(self) -> Message:
        """The body that was read, once; then only that the client is gone."""
        if self._body is not None:
            body, self._body = self._body, None
            return {"type": "http.request", "body": body, "more_body": False}
        await self.gone.wait()
        return {"type": "http.disconnect"}

    async def send(self, message: Message) -> None:
        """Send on, with the headers that every answer has."""
        if message["type"] == "http.response.start":
            self.started = True
            self.status = str(message["status"])
            headers = MutableHeaders(scope=message)
            headers[REQUEST_ID] = self.request_id
            for name, value in self.headers.items():
                headers[name] = value
            if self.closing:
                headers["connection"] = "close"
        elif not message.get("more_body", False):
            self.finished = True
        await self._send(message)


def _check_host(connection: HTTPConnection, allowed: Sequence[str]) -> None:
    if not allowed:
        return
    host = connection.headers.get("host", "")
    name = host.rpartition(":")[0] if re.search(r":\d+$", host) else host
    if name.strip("[]").lower() not in allowed:
        raise Forbidden(
            f"the host {host!r:.80} is not one of {', '.join(allowed)}; use one of these, or start"
            " the service with --allowed-host",
            code="host_not_allowed",
        )


def _check_characters(body: bytes) -> None:
    if b"\0" in body[:4]:  # as UTF-16 and UTF-32 begin, which Python's reader of JSON takes
        raise Invalid("the body is not UTF-8; send JSON in UTF-8")
    at = lone(body)
    if at is not None:
        raise Invalid(f"half of a surrogate pair stands at byte {at} of the body; send whole characters")


def _too_large(limit: int) -> TooLarge:
    return TooLarge(f"the body is over {limit} bytes; send less at once")
