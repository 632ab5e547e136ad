"""The application: routes of the chosen dialects behind one entrance."""

from __future__ import annotations

import asyncio
import logging
import signal
import threading
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from time import monotonic, sleep
from types import FrameType
from typing import Any

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException
from starlette.middleware.cors import CORSMiddleware
from starlette.responses import Response

from unbarb import __version__
from unbarb.audit import AuditLog
from unbarb.errors import AuditError
from unbarb.serve import health
from unbarb.serve.calls import POLICY_HEADER, SUBJECT_HEADER
from unbarb.serve.dialects import chosen, problem
from unbarb.serve.entrance import REQUEST_ID, Entrance, Places
from unbarb.serve.errors import Invalid, NotFound, ServiceError
from unbarb.serve.openapi import describe
from unbarb.serve.recording import ClosableLog
from unbarb.serve.service import Service
from unbarb.serve.settings import Settings

log = logging.getLogger("unbarb.serve")

PATIENCE = 30.0
"""Seconds for which a worker tries to open the record before it gives up."""
AGAIN = 0.5
"""Seconds between its tries."""


def from_environment() -> FastAPI:
    """The application that the settings in the environment describe; what every worker calls.

    A worker that takes another's place while the database is away waits for it.

    Raises:
        ConfigError: a policy, a key file or a setting is not valid.
        AuditError: the record could not be opened for half a minute.
    """
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(name)s: %(message)s")
    # It tells of every request, with the upstream's address.
    logging.getLogger("httpx2").setLevel(logging.WARNING)
    settings = Settings.from_environment()
    return create_app(settings, audit=_record(settings))


def _record(settings: Settings) -> AuditLog | None:
    """The record that the settings name, as soon as it can be opened; nothing else runs yet."""
    if settings.audit is None:
        return None
    until, told = monotonic() + PATIENCE, False
    while True:
        try:
            return AuditLog.open(settings.audit, keys=settings.audit_keys)
        except AuditError:
            if monotonic() > until:
                raise
            if not told:
                log.error("the record cannot be opened yet; trying for %g seconds", PATIENCE)
            told = True
            sleep(AGAIN)


def create_app(settings: Settings | None = None, *, audit: ClosableLog | None = None) -> FastAPI:
    """The application.

    Args:
        settings: default those of `Settings`.
        audit: another record than the one that the settings name.

    Raises:
        ConfigError: a policy, a key file or a setting is not valid.
        AuditError: the record cannot be opened.
    """
    settings = settings or Settings()
    service = Service(settings, audit)
    app = routed(settings)
    app.state.service = service
    app.add_middleware(Entrance, service=service, places=app.state.places)
    if settings.cors:
        app.add_middleware(
            CORSMiddleware,
            allow_origins=settings.cors,
            allow_methods=["GET", "POST"],
            allow_headers=[
                "authorization",
                "content-type",
                "x-api-key",
                REQUEST_ID,
                POLICY_HEADER,
                SUBJECT_HEADER,
            ],
            expose_headers=[REQUEST_ID, "retry-after", "ratelimit", "ratelimit-policy"],
        )
    return app


def routed(settings: Settings) -> FastAPI:
    """The routes with nothing behind them: enough for the description, loaded in no time."""
    app = FastAPI(
        title="unbarb",
        version=__version__,
        summary="Finds toxic language, rewrites it and checks the rewrite.",
        lifespan=_lifespan,
        docs_url=None,
        redoc_url=None,
    )
    describe(app)
    routers = [(dialect, dialect.router(settings)) for dialect in chosen(settings.dialects)]
    for dialect, router in routers:
        app.include_router(router, tags=[dialect.name])
    app.include_router(health.router)
    app.state.places = Places(routers)
    _answer_errors(app, app.state.places)
    return app


@asynccontextmanager
async def _lifespan(app: FastAPI) -> AsyncIterator[None]:
    service: Service = app.state.service
    await service.start()
    _drain_on_signal(service)
    try:
        yield
    finally:
        await service.stop()


def _answer_errors(app: FastAPI, places: Places) -> None:
    """Every error in the envelope of the dialect it happened in."""

    async def answer(request: Request, error: ServiceError) -> Response:
        call = getattr(request.state, "call", None)
        if call is not None and error.status >= 500:
            with suppress(ServiceError):  # it cannot be recorded; the metrics have it
                await call.failed(error)
        dialect = places.of(request.scope["path"])
        return (dialect.error if dialect else problem)(error)

    async def refused(request: Request, error: Exception) -> Response:
        assert isinstance(error, ServiceError)
        return await answer(request, error)

    async def invalid(request: Request, error: Exception) -> Response:
        assert isinstance(error, RequestValidationError)
        return await answer(request, _invalid(error))

    async def missing(request: Request, error: Exception) -> Response:
        assert isinstance(error, HTTPException)
        kind = NotFound if error.status_code == 404 else Invalid
        found = kind(str(error.detail), status=error.status_code)
        answered = await answer(request, found)
        answered.headers.update(error.headers or {})
        return answered

    app.add_exception_handler(ServiceError, refused)
    app.add_exception_handler(RequestValidationError, invalid)
    app.add_exception_handler(HTTPException, missing)


def _invalid(error: RequestValidationError) -> ServiceError:
    """All that is wrong with a request, at once; what was given is not repeated, for it may be text."""
    problems: list[dict[str, Any]] = [
        {"place": ".".join(map(str, one["loc"])), "what": one["msg"]} for one in error.errors()
    ]
    told = "; ".join(f"{one['place']}: {one['what']}" for one in problems[:10])
    return Invalid(told or "the request is not valid", status=422, problems=problems)


def _drain_on_signal(service: Service) -> None:
    """On SIGTERM say at once that the service is not ready, and stop after the delay that was set.

    A load balancer sends requests until it has seen that; the server takes them meanwhile.
    """
    if threading.current_thread() is not threading.main_thread():
        return
    stop = signal.getsignal(signal.SIGTERM)
    if not callable(stop):
        return
    loop = asyncio.get_running_loop()

    def drain(number: int, frame: FrameType | None) -> None:
        if service.draining:
            stop(number, frame)
            return
        service.draining = True
        loop.call_soon_threadsafe(loop.call_later, service.settings.drain_delay, stop, number, None)

    signal.signal(signal.SIGTERM, drain)
