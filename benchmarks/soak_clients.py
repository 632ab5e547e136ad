"""The clients of the soak, in a process of their own: they write down whatever the service acknowledges.

``python benchmarks/soak_clients.py ADDRESS LEDGER SECONDS RATE SEED``, the key in UNBARB_SOAK_KEY. The
ledger has a line of JSON for each request; see `soak_turn.Turn`.
"""

from __future__ import annotations

import asyncio
import json
import os
import socket
import sys
import time
from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable
from contextlib import aclosing
from dataclasses import asdict
from pathlib import Path
from random import Random
from typing import Any

import httpx2
from soak_turn import Turn
from soak_upstream import BAD, CLEAN, RUDE, WELL

TASKS = 24
"""Clients at a time; slow ones keep one busy for seconds."""
SPILLING = "soak-spilling"
"""The policy that spills what cannot be recorded, named by a third of the requests."""
HEAD, TAIL = '{"text": "', '"}'


class Clients:
    """All kinds of clients of one service."""

    def __init__(self, address: str, key: str, seed: int) -> None:
        self.random = Random(seed)
        self._key = key
        shared: dict[str, Any] = {
            "base_url": address, "timeout": 90.0, "headers": {"authorization": f"Bearer {key}"},
        }  # fmt: skip
        self._http = httpx2.AsyncClient(**shared, limits=httpx2.Limits(max_connections=None))
        # A small window, so that the service soon cannot send on.
        narrow = httpx2.AsyncHTTPTransport(
            socket_options=[(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)],
            limits=httpx2.Limits(max_keepalive_connections=0),
        )
        self._narrow = httpx2.AsyncClient(**shared, transport=narrow)
        kinds: dict[str, tuple[int, Callable[[Turn], Awaitable[None]]]] = {
            "check": (20, self.check),
            "rewrite": (20, self.rewrite),
            "stream": (8, self.stream),
            "perspective": (10, self.perspective),
            "moderations": (10, self.moderations),
            "chat": (10, self.chat),
            "chat stream": (12, self.chat_stream),
            "slow reader": (2, self.slow_reader),
            "slow sender": (2, self.slow_sender),
            "vanishing reader": (3, self.vanishing_reader),
            "vanishing sender": (2, self.vanishing_sender),
            "malformed": (3, self.malformed),
        }
        self._kinds = {name: one for name, (_, one) in kinds.items()}
        self._weights = [weight for weight, _ in kinds.values()]

    async def close(self) -> None:
        await self._http.aclose()
        await self._narrow.aclose()

    async def turn(self, number: int) -> Turn:
        """One request of a kind drawn by lot."""
        (kind,) = self.random.choices(list(self._kinds), self._weights)
        turn = Turn(kind, f"soak-{number}")
        turn.began = time.monotonic()
        try:
            await self._kinds[kind](turn)
        except httpx2.HTTPError as error:
            turn.failure = type(error).__name__
        except Gone:
            turn.left = True
        turn.ended = time.monotonic()
        return turn

    def text(self, sentences: int = 2) -> str:
        """Sentences, one in five of them rude."""
        chosen = (
            self.random.choice(RUDE if self.random.random() < 0.2 else CLEAN) for _ in range(sentences)
        )
        return " ".join(chosen)

    def headers(self, turn: Turn) -> dict[str, str]:
        spilling = {"unbarb-policy": SPILLING} if self.random.random() < 1 / 3 else {}
        return {"x-request-id": turn.request, "content-type": "application/json"} | spilling

    async def _post(self, turn: Turn, path: str, body: Any) -> dict[str, Any] | None:
        """The JSON of a good answer."""
        answer = await self._http.post(path, json=body, headers=self.headers(turn))
        if not answered(turn, answer):
            turn.failed(answer.content)
            return None
        turn.finished = True
        content: dict[str, Any] = answer.json()
        return content

    async def check(self, turn: Turn) -> None:
        texts = [{"text": self.text(), "id": f"t{at}"} for at in range(self.random.randint(1, 8))]
        if content := await self._post(turn, "/v1/check", {"texts": texts}):
            for verdict in content["verdicts"]:
                turn.decided(verdict["id"], verdict["text"])

    async def rewrite(self, turn: Turn) -> None:
        if content := await self._post(turn, "/v1/rewrite", {"text": self.text(), "id": "one"}):
            turn.decided(content["id"], content["text"])

    async def perspective(self, turn: Turn) -> None:
        turn.texts = 1
        body = {
            "comment": {"text": self.text()},
            "languages": ["en"],
            "requestedAttributes": {"TOXICITY": {}},
        }
        if await self._post(turn, f"/v1alpha1/comments:analyze?key={self._key}", body):
            turn.decided(None)

    async def moderations(self, turn: Turn) -> None:
        texts = [self.text() for _ in range(self.random.randint(1, 3))]
        turn.texts = len(texts)
        if content := await self._post(turn, "/v1/moderations", {"input": texts}):
            for _ in content["results"]:
                turn.decided(None)

    def _asking(self, turn: Turn, stream: bool) -> dict[str, Any]:
        turn.way = self.random.choice(BAD) if self.random.random() < 0.3 else WELL
        messages = [{"role": "user", "content": self.text()}]
        return {
            "model": turn.way, "messages": messages, "stream": stream, "seed": self.random.randrange(10**6),
        }  # fmt: skip

    async def chat(self, turn: Turn) -> None:
        if content := await self._post(turn, "/v1/chat/completions", self._asking(turn, stream=False)):
            for verdict in content["unbarb"]["verdicts"]:
                turn.decided(verdict["id"])
            turn.received = content["choices"][0]["message"]["content"]

    async def chat_stream(self, turn: Turn, leaves: bool = False) -> None:
        body = self._asking(turn, stream=True)
        turn.received = ""
        async with aclosing(self._events(self._http, turn, "/v1/chat/completions", body)) as events:
            async for _, data in events:
                if data == "[DONE]":
                    turn.finished = True
                    break
                content = json.loads(data)
                if "error" in content:
                    turn.error = content["error"]["code"]
                    break
                for choice in content["choices"]:
                    turn.received += choice["delta"].get("content") or ""
                for verdict in content.get("unbarb", {}).get("verdicts", ()):
                    turn.decided(verdict["id"])
                if leaves and turn.received:
                    raise Gone

    async def stream(
        self, turn: Turn, pause: float = 0.0, sentences: int = 12, leaves: bool = False
    ) -> None:
        text = self.text(sentences)
        body = {"chunks": [text[at : at + 9] for at in range(0, len(text), 9)], "id": turn.request}
        http = self._narrow if pause else self._http
        pieces = 0
        async with aclosing(self._events(http, turn, "/v1/rewrite/stream", body, pause)) as events:
            async for event, data in events:
                content = json.loads(data)
                if event == "piece":
                    turn.decided(content["verdict"]["id"], content["verdict"]["text"], pieces)
                    pieces += 1
                    if leaves:
                        raise Gone
                elif event == "error":
                    turn.error = content["code"]
                else:
                    turn.finished = event == "done"

    async def slow_reader(self, turn: Turn) -> None:
        await self.stream(turn, pause=0.05, sentences=60)

    async def vanishing_reader(self, turn: Turn) -> None:
        await self.random.choice((self.stream, self.chat_stream))(turn, leaves=True)

    async def slow_sender(self, turn: Turn) -> None:
        text = self.text(4)

        async def body() -> AsyncIterator[bytes]:
            for part in (HEAD, *text.split(" "), TAIL):
                yield (part if part in (HEAD, TAIL) else json.dumps(part)[1:-1] + " ").encode()
                await asyncio.sleep(0.1)

        answer = await self._http.post("/v1/rewrite", content=body(), headers=self.headers(turn))
        if answered(turn, answer):
            turn.finished = True
            turn.decided(None, answer.json()["text"])
        else:
            turn.failed(answer.content)

    async def vanishing_sender(self, turn: Turn) -> None:
        async def body() -> AsyncIterator[bytes]:
            yield HEAD.encode()
            await asyncio.sleep(0.2)
            raise Gone

        await self._http.post("/v1/rewrite", content=body(), headers=self.headers(turn))

    async def malformed(self, turn: Turn) -> None:
        path = self.random.choice(("/v1/check", "/v1/moderations", "/v1/chat/completions"))
        broken = (b"", b"{", b"[]", b'{"text": "\xff"}', b'{"text": "\\ud83d"}', b'{"texts": 7}', b"null")
        body = self.random.choice(broken)
        answer = await self._http.post(path, content=body, headers=self.headers(turn))
        answered(turn, answer)
        turn.failed(answer.content)

    async def _events(
        self, http: httpx2.AsyncClient, turn: Turn, path: str, body: Any, pause: float = 0.0
    ) -> AsyncGenerator[tuple[str, str], None]:
        """The events of a stream, each with its name; none where the answer is an error."""
        async with http.stream("POST", path, json=body, headers=self.headers(turn)) as answer:
            if not answered(turn, answer):
                turn.failed(await answer.aread())
                return
            name, data = "", ""
            async for line in answer.aiter_lines():
                key, _, value = line.partition(": ")
                if key == "event":
                    name = value
                elif key == "data":
                    data = value
                elif not line and data:
                    yield name, data
                    name, data = "", ""
                    await asyncio.sleep(pause)


def answered(turn: Turn, answer: httpx2.Response) -> bool:
    """Take the status down; whether the answer is one to read."""
    turn.status, turn.retry_after = answer.status_code, answer.headers.get("retry-after")
    return answer.is_success


class Gone(Exception):  # noqa: N818 - says what the client is
    """The client goes away here."""


async def main(address: str, ledger: Path, seconds: float, rate: float, seed: int) -> None:
    """Send `rate` requests a second for so many seconds, and write the ledger."""
    clients = Clients(address, os.environ["UNBARB_SOAK_KEY"], seed)
    until = time.monotonic() + seconds
    numbers = iter(range(10**9))
    with ledger.open("w", encoding="utf-8") as file:

        async def one() -> None:
            while True:
                await asyncio.sleep(clients.random.expovariate(rate / TASKS))
                if time.monotonic() > until:
                    return
                turn = await clients.turn(next(numbers))
                file.write(json.dumps(asdict(turn)) + "\n")

        async with asyncio.TaskGroup() as tasks:
            for _ in range(TASKS):
                tasks.create_task(one())
    await clients.close()


if __name__ == "__main__":
    address, ledger, seconds, rate, seed = sys.argv[1:]
    asyncio.run(main(address, Path(ledger), float(seconds), float(rate), int(seed)))
