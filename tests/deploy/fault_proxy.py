"""Stands between a client and a server on loopback, keeps a list of what was asked, and makes faults."""

from __future__ import annotations

import http.client
import ssl
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit


@dataclass(frozen=True)
class Asked:
    """A request: its method, its path and query as they came, and how long its body is."""

    method: str
    target: str
    bytes: int

    @property
    def path(self) -> str:
        return urlsplit(self.target).path

    @property
    def part(self) -> int | None:
        """The number of the part that it sends, in a multi-part upload."""
        number = parse_qs(urlsplit(self.target).query).get("partNumber")
        return int(number[0]) if number and self.method == "PUT" else None


@dataclass(frozen=True)
class Answer:
    """Given in place of the server's own."""

    status: int
    body: bytes = b""


class Cut:
    """The connection is closed when half of the request's body, or of the answer's, has passed."""


class Flipped:
    """The server gets the body with its last byte changed."""


class Unsigned:
    """The answer tells no checksum, and an ETag that is none."""


Fault = Callable[[Asked], Answer | Cut | Flipped | Unsigned | None]


def refusing(status: int, code: str, words: str = "") -> Answer:
    """An error as S3 writes it."""
    told = f"<Error><Code>{code}</Code><Message>{words or code}</Message></Error>"
    return Answer(status, b"<?xml version='1.0'?>" + told.encode())


@dataclass
class Proxy:
    """`address` to ask, `log` of what was asked; `fault`, when set, may answer in the server's place."""

    address: str
    log: list[Asked] = field(default_factory=list)
    fault: Fault | None = None

    def parts(self) -> list[int]:
        """The numbers of the parts that came, in order."""
        return [one.part for one in self.log if one.part is not None]

    def clear(self) -> None:
        self.log.clear()
        self.fault = None


@contextmanager
def proxying(host: str, port: int, tls: ssl.SSLContext | None = None) -> Iterator[Proxy]:
    """A proxy in front of ``host:port``; it is stopped on leaving."""
    server = _Server(("127.0.0.1", 0), _Handler)
    if tls:
        server.socket = tls.wrap_socket(server.socket, server_side=True)
    server.upstream = (host, port)
    server.proxy = Proxy(f"http{'s' if tls else ''}://127.0.0.1:{server.server_port}")
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        yield server.proxy
    finally:
        server.shutdown()
        server.server_close()
        thread.join(30)


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    upstream: tuple[str, int]
    proxy: Proxy

    def handle_error(self, *_: Any) -> None:
        """A client that went away is what is tested."""


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: _Server

    def _pass_on(self) -> None:
        length = int(self.headers.get("Content-Length") or 0)
        asked = Asked(self.command, self.path, length)
        self.server.proxy.log.append(asked)
        fault = self.server.proxy.fault(asked) if self.server.proxy.fault else None
        if isinstance(fault, Cut) and length:
            self.rfile.read(length // 2)
            self.close_connection = True
            return
        body = self.rfile.read(length)
        if isinstance(fault, Answer):
            self._answer(fault.status, [("Content-Type", "application/xml")], fault.body)
            return
        if isinstance(fault, Flipped):
            body = body[:-1] + bytes([body[-1] ^ 1])
        connection = http.client.HTTPConnection(*self.server.upstream, timeout=60)
        try:
            connection.request(self.command, self.path, body or None, dict(self.headers))
            said = connection.getresponse()
            content = said.read()
            headers = [
                (name, value)
                for name, value in said.getheaders()
                if name.lower() not in ("connection", "date", "server", "transfer-encoding")
            ]
            if isinstance(fault, Unsigned):
                headers = [
                    one for one in headers if not one[0].lower().startswith(("x-amz-checksum", "etag"))
                ]
                headers.append(("ETag", '"of-the-stores-own"'))
            if isinstance(fault, Cut):
                self._answer(said.status, headers, content, len(content) // 2)
                self.close_connection = True
            else:
                self._answer(said.status, headers, content)
        finally:
            connection.close()

    def _answer(
        self, status: int, headers: list[tuple[str, str]], body: bytes, passed: int | None = None
    ) -> None:
        self.send_response(status)
        if not any(name.lower() == "content-length" for name, _ in headers):
            headers = [*headers, ("Content-Length", str(len(body)))]
        for name, value in headers:
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body if passed is None else body[:passed])

    do_GET = do_HEAD = do_PUT = do_POST = do_DELETE = _pass_on  # noqa: N815 - http.server's names

    def log_message(self, *_: object) -> None:
        """Said by `Proxy.log`."""
