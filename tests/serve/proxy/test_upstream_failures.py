"""An upstream that is not there, hangs up or says nothing: what is tried again, and what is told."""

from __future__ import annotations

import asyncio
import socket
import threading
from collections.abc import Iterator
from contextlib import closing, contextmanager

import httpx2
import pytest
from proxying import Proxied, Record

from serving import client as client_of
from unbarb.serve.errors import DeadlineExceeded, UpstreamFailed
from unbarb.serve.proxy.upstream import PAUSES, Target, Upstream, whole

ANSWER = b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\ncontent-type: application/json\r\n\r\n{}"
CUT = b"HTTP/1.1 200 OK\r\ncontent-length: 20\r\n\r\n{"


@contextmanager
def door(*answers: bytes | None) -> Iterator[tuple[str, list[int]]]:
    """A server that gives each connection its answer and hangs up; None: it says nothing and waits."""
    asked: list[int] = []
    done = threading.Event()
    with closing(socket.create_server(("127.0.0.1", 0))) as listening:
        listening.settimeout(10)

        def serve() -> None:
            for number, answer in enumerate(answers):
                connection, _ = listening.accept()
                with connection:
                    connection.recv(65536)
                    asked.append(number)
                    if answer is None:
                        done.wait(10)
                    else:
                        connection.sendall(answer)

        thread = threading.Thread(target=serve)
        thread.start()
        try:
            yield f"http://127.0.0.1:{listening.getsockname()[1]}", asked
        finally:
            done.set()
            thread.join(10)


def ask(address: str, timeout: float = 10.0) -> bytes:
    async def once() -> bytes:
        upstream = Upstream(Target(address, timeout=timeout))
        try:
            return await whole(await upstream.ask("POST", "/x", {}, b"{}"))
        finally:
            await upstream.close()

    return asyncio.run(once())


def test_a_request_that_got_no_byte_of_an_answer_is_sent_again() -> None:
    with door(b"", b"", ANSWER) as (address, asked):
        assert ask(address) == b"{}"
        assert asked == [0, 1, 2]


def test_it_is_not_sent_again_for_ever() -> None:
    with door(*[b""] * (1 + len(PAUSES))) as (address, asked):
        with pytest.raises(UpstreamFailed) as raised:
            ask(address)
        assert raised.value.code == "upstream_dropped"
        assert len(asked) == 1 + len(PAUSES)


def test_a_request_that_got_a_byte_is_not_sent_again() -> None:
    with door(CUT) as (address, asked):
        with pytest.raises(UpstreamFailed) as raised:
            ask(address)
        assert raised.value.code == "upstream_dropped"
        assert asked == [0]


def test_silence_is_not_answered_by_asking_again() -> None:
    with door(None) as (address, asked):
        with pytest.raises(DeadlineExceeded) as raised:
            ask(address, timeout=0.2)
        assert raised.value.code == "upstream_timeout"
        assert asked == [0]


def test_an_upstream_that_is_not_there_is_a_502_on_record() -> None:
    with closing(socket.create_server(("127.0.0.1", 0))) as taken:
        port = taken.getsockname()[1]
    record = Record()
    options = {"chat.upstream": f"http://127.0.0.1:{port}"}
    body = {"messages": [{"role": "user", "content": "Hello."}]}
    with client_of(record, dialects=("chat",), options=options) as service:
        answer = service.post("/v1/chat/completions", json=body)
    assert answer.status_code == 502
    assert answer.json()["error"]["code"] == "upstream_unreachable"
    assert answer.headers["retry-after"] == "1"
    assert record.failures == ["upstream_unreachable"]


def test_a_client_that_goes_away_ends_the_wait_for_a_whole_reply(proxied: Proxied) -> None:
    proxied.upstream.streams(b"{", stays=True)
    with pytest.raises(httpx2.ReadTimeout):
        httpx2.post(
            f"{proxied.address}/v1/chat/completions",
            json={"messages": [{"role": "user", "content": "Hello."}]},
            timeout=httpx2.Timeout(10, read=0.5),
        )
    assert proxied.upstream.left.wait(10)
    assert proxied.record.failed.wait(10)
    assert proxied.record.failures == ["client_gone"]
