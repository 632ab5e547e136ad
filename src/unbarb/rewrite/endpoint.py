"""Asks an endpoint that speaks OpenAI's dialect over HTTP: time-out, retries with back-off, a budget."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from http.client import HTTPException, HTTPResponse
from threading import Lock
from typing import Any, Protocol
from urllib.error import HTTPError
from urllib.request import HTTPRedirectHandler, Request, build_opener

from unbarb.errors import ConfigError, RewriteError
from unbarb.wire.again import AGAIN, LONGEST_PAUSE, retry_after

LARGEST_ANSWER = 4_000_000


class Client(Protocol):
    """Sends one request and gives status, headers and body; OSError where there was no answer."""

    def post(
        self, url: str, headers: Mapping[str, str], body: bytes, timeout: float
    ) -> tuple[int, Mapping[str, str], bytes]: ...


class _NoRedirect(HTTPRedirectHandler):
    """A redirect would carry the key to wherever it points."""

    def redirect_request(self, *_: Any) -> None:
        return None


class Http:
    """The client of the standard library; proxies come from the environment."""

    def __init__(self) -> None:
        self._opener = build_opener(_NoRedirect)

    def post(
        self, url: str, headers: Mapping[str, str], body: bytes, timeout: float
    ) -> tuple[int, Mapping[str, str], bytes]:
        request = Request(url, body, dict(headers), method="POST")
        ends = time.monotonic() + timeout
        try:
            found: HTTPResponse | HTTPError
            try:
                opened: HTTPResponse = self._opener.open(request, timeout=timeout)
                found, status = opened, opened.status
            except HTTPError as error:  # a refusal is an answer too, with a body that may drip
                found, status = error, error.code
            with found as answer:
                return status, dict(answer.headers), _whole(answer, ends)
        except HTTPException as error:
            raise ConnectionError(f"{type(error).__name__}: {error}") from error


def _whole(answer: HTTPResponse | HTTPError, ends: float) -> bytes:
    """The body, read in pieces: the time-out of a socket alone lets a body drip for ever."""
    body = b""
    while piece := answer.read1(65_536):
        body += piece
        if time.monotonic() > ends:
            raise TimeoutError("the answer did not end in time")
        if len(body) > LARGEST_ANSWER:
            raise ConnectionError(f"the answer is longer than {LARGEST_ANSWER} bytes")
    return body


@dataclass
class Budget:
    """What a guard may spend in its life: requests sent, retries too, and tokens as the endpoint counts.

    None is no limit. Threads share it.
    """

    requests: int | None = None
    tokens: int | None = None
    requests_spent: int = 0
    tokens_spent: int = 0
    _lock: Lock = field(default_factory=Lock, repr=False)

    def __post_init__(self) -> None:
        wrong = [
            f"budget of {name}: {value} is not 1 or more"
            for name, value in (("requests", self.requests), ("tokens", self.tokens))
            if value is not None and value < 1
        ]
        if wrong:
            raise ConfigError("\n".join(wrong))

    def take(self) -> None:
        """One request is about to be sent.

        Raises:
            RewriteError: nothing is left.
        """
        with self._lock:
            for name, spent, limit in (
                ("requests", self.requests_spent, self.requests),
                ("tokens", self.tokens_spent, self.tokens),
            ):
                if limit is not None and spent >= limit:
                    raise RewriteError(
                        f"the budget of {limit} {name} is spent; build a guard with a larger one"
                    )
            self.requests_spent += 1

    def used(self, tokens: int) -> None:
        with self._lock:
            self.tokens_spent += tokens


@dataclass(frozen=True)
class Endpoint:
    """Where and how to ask.

    `timeout` is in seconds for all tries of one text together; `retries` come after the first try, each
    after twice the pause before, or what the endpoint's ``Retry-After`` says.
    """

    url: str
    key: str | None = field(repr=False)
    client: Client
    budget: Budget
    timeout: float
    retries: int
    sleep: Callable[[float], None] = time.sleep

    def ask(self, body: Mapping[str, Any]) -> dict[str, Any]:
        """The JSON answer to a JSON request.

        Raises:
            RewriteError: refused, unreachable, too slow, unreadable, or the budget is spent.
        """
        ends = time.monotonic() + self.timeout
        content = json.dumps(body).encode()
        headers = {"Content-Type": "application/json", "Accept": "application/json"}
        if self.key:
            headers["Authorization"] = f"Bearer {self.key}"
        pause, told = 0.5, ""
        for turn in range(self.retries + 1):
            left = ends - time.monotonic()
            if left <= 0:
                break
            self.budget.take()
            wait = pause
            try:
                status, answered, answer = self.client.post(self.url, headers, content, left)
            except OSError as error:
                told = f"no answer ({type(error).__name__}: {error})"
            else:
                if status == 200:
                    return _read(answer)
                told = f"status {status}"
                if status not in AGAIN:
                    raise RewriteError(f"{self.url}: {told}")
                wait = min(retry_after(answered) or pause, LONGEST_PAUSE)
            if turn == self.retries or time.monotonic() + wait >= ends:
                break
            self.sleep(wait)
            pause = min(2 * pause, LONGEST_PAUSE)
        raise RewriteError(f"{self.url}: {told or 'no answer'} within {self.timeout:g} s, {turn + 1} tried")


def _read(answer: bytes) -> dict[str, Any]:
    try:
        found = json.loads(answer)
    except ValueError as error:
        raise RewriteError(f"the endpoint's answer is not JSON: {error}") from error
    if not isinstance(found, dict):
        raise RewriteError("the endpoint's answer is no JSON object")
    return found
