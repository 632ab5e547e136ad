"""The way to an endpoint over HTTP: one attempt, with its time, its key and a certificate that is checked.

What is tried again, and when, is for `unbarb.deploy.request.client`.
"""

from __future__ import annotations

import ssl
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from time import monotonic
from typing import Self

import httpx2

from unbarb.deploy.request.answer import Failure, Scope
from unbarb.errors import ConfigError
from unbarb.wire.again import AGAIN, retry_after
from unbarb.wire.bodies import Json, read, written
from unbarb.wire.events import DONE, EventReader

LARGEST = 16 * 2**20
"""Bytes of an answer, streamed or not."""
SETUP = frozenset({301, 302, 303, 307, 308, 401, 403, 404, 405, 501})
"""Answers that every text would get. A redirect is not followed: it would take the key along."""


class Http:
    """Sends requests to one endpoint and keeps connections; threads share it.

    Args:
        url: the endpoint; dialects say which paths come after it.
        key: goes along as ``Authorization: Bearer``.
        ca: a file of certificates (PEM) to trust instead of the system's.
        connections: the most that are open at a time.

    Raises:
        ConfigError: `ca` cannot be read.
    """

    def __init__(
        self, url: str, *, key: str | None = None, ca: Path | None = None, connections: int = 16
    ) -> None:
        self.url = url.rstrip("/")
        headers = {"user-agent": "unbarb"} | ({"authorization": f"Bearer {key}"} if key else {})
        try:
            verified = ssl.create_default_context(cafile=ca) if ca else True
        except (OSError, ssl.SSLError) as error:
            raise ConfigError(f"{ca}: no certificates in PEM form can be read there ({error})") from error
        limits = httpx2.Limits(max_connections=connections, max_keepalive_connections=connections)
        self._client = httpx2.Client(headers=headers, verify=verified, limits=limits)

    def close(self) -> None:
        self._client.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def ask(self, path: str, body: Json | None, seconds: float) -> Json:
        """The object that is answered, to POST with a body and to GET without.

        Raises:
            Failure: there is no such answer within `seconds`.
        """
        ends = monotonic() + seconds
        with self._answered(path, body, seconds) as reply:
            data = b"".join(_within(reply, ends))
        return self._read(data)

    def events(self, path: str, body: Json, seconds: float) -> Iterator[Json]:
        """The objects of a stream of events, as they come, up to ``[DONE]`` or the end.

        Raises:
            Failure: it cannot be had, breaks off, or does not end within `seconds`.
        """
        ends = monotonic() + seconds
        with self._answered(path, body, seconds) as reply:
            kind = reply.headers.get("content-type", "").partition(";")[0].strip().lower()
            if kind != "text/event-stream":
                raise Failure(
                    f"{self.url}{path}: the answer is {kind or 'of no type'}, not a stream of events;"
                    " ask without streaming",
                    "setup",
                )
            reader = EventReader(LARGEST)
            for part in _within(reply, ends):
                for one in reader.feed(part):
                    if one.data is None:
                        continue
                    if one.data.strip() == DONE:
                        return
                    yield self._read(one.data)

    @contextmanager
    def _answered(self, path: str, body: Json | None, seconds: float) -> Iterator[httpx2.Response]:
        """An answer that has begun, with status 200; what breaks while it is read is a `Failure`."""
        address = self.url + path
        request = self._client.build_request(
            "GET" if body is None else "POST",
            address,
            content=None if body is None else written(body),
            headers={} if body is None else {"content-type": "application/json"},
            timeout=seconds,
        )
        try:
            reply = self._client.send(request, stream=True)
            try:
                if reply.status_code != 200:
                    raise _refused(address, reply, b"".join(_within(reply, monotonic() + seconds)))
                yield reply
            finally:
                reply.close()
        except httpx2.TransportError as error:
            raise _broken(address, error) from error
        except httpx2.DecodingError as error:
            raise Failure(f"{address}: the answer cannot be unpacked ({error})", "endpoint") from error

    def _read(self, data: bytes) -> Json:
        try:
            return read(data)
        except ValueError as error:
            raise Failure(
                f"{self.url}: the answer cannot be read: {error}", "endpoint", status=200
            ) from error


def _within(reply: httpx2.Response, ends: float) -> Iterator[bytes]:
    """The body in pieces: the time-out of a socket alone would let it drip for ever."""
    size = 0
    for part in reply.iter_bytes():
        size += len(part)
        if size > LARGEST:
            raise Failure(f"{reply.url}: an answer of more than {LARGEST:,} bytes", "text")
        yield part
        if monotonic() > ends:
            raise Failure(f"{reply.url}: the answer did not end in time", "endpoint", again=True)


def _refused(address: str, reply: httpx2.Response, body: bytes) -> Failure:
    status = reply.status_code
    told = f"{address}: status {status}"
    with suppress(ValueError):  # not in words that we know
        told += f": {said(read(body))}"
    return failure_of(told, status, retry_after(reply.headers))


def failure_of(message: str, status: int | None, wait: float | None = None) -> Failure:
    """What an answer with this status means for what comes next; without one, that it was this text's."""
    again = status in AGAIN
    scope: Scope = "endpoint" if again or (status or 0) >= 500 else "text"
    return Failure(message, "setup" if status in SETUP else scope, status=status, again=again, wait=wait)


def said(body: Json) -> str:
    """The message of an error, as OpenAI, Caikit, KServe or FastAPI put it; at most 500 characters.

    Raises:
        ValueError: it is put otherwise.
    """
    error = body.get("error")
    message = error.get("message") if isinstance(error, dict) else error
    for one in (message, body.get("details"), body.get("detail"), body.get("message")):
        if one and isinstance(one, str | list):
            return str(one)[:500]
    raise ValueError("no message")


def _broken(address: str, error: httpx2.TransportError) -> Failure:
    """What a failure on the way means."""
    cause: BaseException | None = error
    while cause is not None:
        if isinstance(cause, ssl.SSLCertVerificationError):
            return Failure(
                f"{address}: its certificate is not trusted ({cause.verify_message}); give the file of the"
                " authority that signed it",
                "setup",
            )
        if isinstance(cause, ssl.SSLError):
            return Failure(f"{address}: no TLS there ({cause.reason or cause}); is it http://?", "setup")
        cause = cause.__cause__ or cause.__context__
    if isinstance(error, httpx2.UnsupportedProtocol | httpx2.LocalProtocolError):
        return Failure(f"{address}: {error}", "setup")
    told = "no answer in time" if isinstance(error, httpx2.TimeoutException) else "no answer"
    return Failure(f"{address}: {told} ({type(error).__name__}: {error})", "endpoint", again=True)
