"""The way to an OpenAI-compatible server: whose key, what is tried again, what its failures mean."""

from __future__ import annotations

import asyncio
import os
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Self
from urllib.parse import urlsplit

import httpx2

from unbarb.errors import ConfigError
from unbarb.serve.errors import DeadlineExceeded, ServiceError, Unauthorized, UpstreamFailed, UpstreamSaid
from unbarb.wire.bodies import read

KEY_VARIABLE = "UNBARB_UPSTREAM_KEY"
PAUSES = (0.05, 0.25)
"""Seconds before each new try, while no reply has begun."""
LARGEST = 64 * 2**20
"""Bytes of a reply that is not streamed."""
OF_THE_CALLER = ("openai-organization", "openai-project")
"""Headers that say whose account is used; they go along with the caller's own key only."""
OF_THE_UPSTREAM = re.compile(r"retry-after(-ms)?|x-ratelimit-.*|openai-processing-ms|openai-version")
"""Headers of a reply that its caller gets to see."""

UPSTREAM_ID = "x-upstream-request-id"
MESSAGE = 2000
"""Characters of an upstream's error message that are told."""
AGAIN = (httpx2.ConnectError, httpx2.ConnectTimeout, httpx2.RemoteProtocolError, httpx2.ReadError)
"""Failures before a reply after which the request is sent again: among them a kept connection that the
upstream had closed meanwhile."""


@dataclass(frozen=True, slots=True)
class Target:
    """What the options of the dialect say: ``--set chat.upstream=…`` and so on.

    Args:
        url: up to and with ``/v1``.
        key: the server's own key upstream; None sends the caller's.
        forwards: whether the caller's own key is sent.
        timeout: seconds without a byte after which the upstream counts as failed.
    """

    url: str
    key: str | None = None
    forwards: bool = False
    timeout: float = 300.0

    @classmethod
    def of(cls, options: Mapping[str, str]) -> Self | None:
        """The target that ``chat.…`` options name, or None when they name no upstream.

        Raises:
            ConfigError: they are not valid; the message lists all that is wrong.
        """
        mine = {name[5:]: value for name, value in options.items() if name.startswith("chat.")}
        url, keys = mine.get("upstream", ""), mine.get("keys", "server")
        variable, timeout = mine.get("key_variable", KEY_VARIABLE), mine.get("timeout", "300")
        known = ("upstream", "keys", "key_variable", "timeout")
        problems = [
            f"chat.{name}: no such option; there are {', '.join(known)}"
            for name in mine
            if name not in known
        ]
        if mine and (urlsplit(url).scheme not in ("http", "https") or not urlsplit(url).netloc):
            problems.append(f"chat.upstream is {url!r}; give an address such as https://api.openai.com/v1")
        if keys not in ("server", "caller"):
            problems.append(f"chat.keys is {keys!r}; say server (its own key) or caller (the caller's own)")
        if not re.fullmatch(r"\d+(\.\d+)?", timeout) or not float(timeout):
            problems.append(f"chat.timeout is {timeout!r}; give seconds, more than 0")
        if problems:
            raise ConfigError("\n".join(problems))
        if not mine:
            return None
        key = os.environ.get(variable) if keys == "server" else None
        return cls(url.rstrip("/"), key or None, keys == "caller", float(timeout))


class Upstream:
    """An open way to a target; it keeps connections, so it is closed once, at the end."""

    def __init__(self, target: Target) -> None:
        self.target = target
        timeout = httpx2.Timeout(target.timeout, connect=min(5.0, target.timeout))
        limits = httpx2.Limits(max_connections=None, max_keepalive_connections=128)
        self._client = httpx2.AsyncClient(timeout=timeout, limits=limits)
        self._urls: dict[str, httpx2.URL] = {}

    async def close(self) -> None:
        await self._client.aclose()

    def headers(self, given: Mapping[str, str], *, guarded_by_key: bool) -> dict[str, str]:
        """What is sent along: one key, and only the one that is meant for the upstream.

        Args:
            given: the headers of the caller.
            guarded_by_key: whether the caller had to show a key of this service.

        Raises:
            Unauthorized: the caller's own key is to be sent, and what came is a key of this service.
        """
        sent = {"content-type": "application/json", "accept-encoding": "identity"}
        if not self.target.forwards:
            return sent | ({"authorization": f"Bearer {self.target.key}"} if self.target.key else {})
        token = given.get("authorization", "").rpartition(" ")[2]
        if token.startswith("unbarb_") or (guarded_by_key and "x-api-key" not in given):
            raise Unauthorized(
                "the upstream wants your own key: give it in Authorization, and this service's in x-api-key"
            )
        return sent | {name: given[name] for name in ("authorization", *OF_THE_CALLER) if name in given}

    async def ask(
        self, method: str, path: str, headers: Mapping[str, str], body: bytes | None = None
    ) -> httpx2.Response:
        """Send a request and give the reply, open, as soon as its headers are here; who asks closes it.

        A request is sent again only while no reply has begun.

        Raises:
            UpstreamFailed: the upstream cannot be reached, or hung up.
            DeadlineExceeded: it was silent for too long.
        """
        if path not in self._urls:  # an address is read once, not for every chat
            self._urls[path] = httpx2.URL(self.target.url + path)
        url = self._urls[path]
        request = self._client.build_request(method, url, headers=headers, content=body)
        for pause in (*PAUSES, None):
            try:
                return await self._client.send(request, stream=True)
            except AGAIN as error:
                if pause is None:
                    raise failure(error) from error
                await asyncio.sleep(pause)
            except httpx2.HTTPError as error:
                raise failure(error) from error
        raise AssertionError("the last try returns or raises")


async def whole(reply: httpx2.Response) -> bytes:
    """The body of a reply that is not streamed; the reply is closed.

    Raises:
        UpstreamFailed: it broke off, or is too long to be one.
        DeadlineExceeded: it was silent for too long.
    """
    parts: list[bytes] = []
    size = 0
    try:
        async for part in reply.aiter_bytes():
            parts.append(part)
            size += len(part)
            if size > LARGEST:
                raise UpstreamFailed(f"the upstream's reply is over {LARGEST} bytes")
    except httpx2.HTTPError as error:
        raise failure(error) from error
    finally:
        await reply.aclose()
    return b"".join(parts)


def failure(error: httpx2.HTTPError) -> ServiceError:
    """What a failure on the way means for the caller; never what the upstream said."""
    if isinstance(error, httpx2.ConnectError | httpx2.ConnectTimeout):
        return UpstreamFailed("the upstream cannot be reached", code="upstream_unreachable", retry_after=1)
    if isinstance(error, httpx2.TimeoutException):
        return DeadlineExceeded("the upstream was silent for too long", code="upstream_timeout")
    return UpstreamFailed("the upstream broke off its reply", code="upstream_dropped", retry_after=1)


def refusal(reply: httpx2.Response, body: bytes, *, own_key: bool) -> ServiceError:
    """What an upstream's error answer means for the caller. Its words are still to be guarded.

    That it does not take the service's own key is no fault of the caller, and what it says of that key is
    nobody's business.
    """
    status, wait = reply.status_code, reply.headers.get("retry-after", "")
    if status in (401, 403) and own_key:
        return UpstreamFailed("the upstream does not take this service's key", code="upstream_key_refused")
    try:
        error = told(read(body).get("error"))
    except ValueError:
        error = told(None)
    if not (400 <= status < 500 or status in (503, 504)):
        status = UpstreamFailed.status
    retry = int(wait) if wait.isdecimal() else None
    return UpstreamSaid(error.message, status=status, code=error.code, retry_after=retry)


def told(error: object) -> UpstreamSaid:
    """Message and code of an error as OpenAI words it, or ones of our own where it has none."""
    details = error if isinstance(error, dict) else {"message": error}
    message, code = details.get("message"), details.get("code")
    if not isinstance(message, str) or not message:
        message = "the upstream failed and did not say why"
    if not isinstance(code, str) or not re.fullmatch(r"[\w.-]{1,64}", code, re.ASCII):
        code = UpstreamSaid.code
    return UpstreamSaid(message[:MESSAGE], code=code)


def shown(reply: httpx2.Response) -> dict[str, str]:
    """Headers of a reply that its caller gets to see; the upstream's request id under a name of its own."""
    headers = {name: value for name, value in reply.headers.items() if OF_THE_UPSTREAM.fullmatch(name)}
    request = reply.headers.get("x-request-id")
    return headers | ({UPSTREAM_ID: request} if request else {})
