"""A model server that misbehaves as it is told to: the model that a chat asks for names the way.

Plain sockets, for a web framework would not let it. ``python benchmarks/soak_upstream.py PORT``.
"""

from __future__ import annotations

import asyncio
import json
import socket
import struct
import sys
from random import Random
from typing import Any

WELL = "well"
BAD = ("dropped", "unfinished", "stalled", "malformed", "halved", "failing", "reset", "mute")
"""Ways to fail: the reply breaks off without an end to its body, or ends before its finish reason, or comes
to a halt; a frame is no JSON, or ends inside a character; status 500; the connection is reset before a
reply; a stream is asked for and something else is sent."""

STALL = 6.0
"""Seconds of a halt; the service must be told to wait less."""
CLEAN = (
    "The café opens at nine and closes late.",
    "Naïve readers — so they say — ask the best questions. ☕",
    "Take the second train, then walk along the river for ten minutes.",
    "Here is a list:\n\n- bread\n- tea 🙂",
    "Nothing in the report changes the plan for the winter.",
    '`x = {"a": 1}` is how it is written.',
)
RUDE = ("You are a complete idiot.", "Shut up, you stupid moron.")


def said(seed: int) -> str:
    """A reply of a few sentences, one in four of them rude."""
    random = Random(seed)
    return " ".join(random.choice(RUDE if random.random() < 0.25 else CLEAN) for _ in range(8))


def frames(text: str, model: str) -> list[bytes]:
    """The reply as server-sent events, with line ends of every kind and comments between."""
    random = Random(text)
    around = {"id": "chatcmpl-1", "object": "chat.completion.chunk", "created": 1, "model": model}
    deltas: list[dict[str, str]] = [{"role": "assistant", "content": ""}]
    while text:
        size = random.randint(1, 12)
        deltas.append({"content": text[:size]})
        text = text[size:]
    choices: list[dict[str, Any]] = [
        {"index": 0, "delta": delta, "finish_reason": None} for delta in deltas
    ]
    choices.append({"index": 0, "delta": {}, "finish_reason": "stop"})
    found = []
    for choice in choices:
        end = random.choice(("\n", "\r\n", "\r"))
        comment = ": still here" + end if random.random() < 0.1 else ""
        data = json.dumps(around | {"choices": [choice]}, ensure_ascii=False)
        found.append(f"{comment}data: {data}{end}{end}".encode())
    return [*found, b"data: [DONE]\n\n"]


class Upstream:
    """One connection after another, each answered as its request asks."""

    async def connected(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while await self._answered(reader, writer):
                pass
        except (asyncio.IncompleteReadError, ConnectionError):
            pass
        finally:
            writer.close()

    async def _answered(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> bool:
        """Whether the connection may be used again."""
        head = (await reader.readuntil(b"\r\n\r\n")).lower()
        length = int(head.partition(b"content-length:")[2].partition(b"\r\n")[0])
        body = json.loads(await reader.readexactly(length))
        way, text = body["model"], said(body.get("seed", 0))
        if way == "reset":
            _reset(writer)
            return False
        if way == "failing":
            content = json.dumps(
                {"error": {"message": "The model fell over.", "code": "fell_over"}}
            ).encode()
            return await _whole(writer, content, len(content), status="500 Internal Server Error")
        if body.get("stream") and way != "mute":
            return await self._streamed(writer, frames(text, way), way)
        message = {"role": "assistant", "content": text}
        content = json.dumps(
            {"id": "chatcmpl-1", "object": "chat.completion", "created": 1, "model": way,
             "choices": [{"index": 0, "message": message, "finish_reason": "stop"}]}, ensure_ascii=False,
        ).encode()  # fmt: skip
        return await self._at_once(writer, content, way)

    async def _at_once(self, writer: asyncio.StreamWriter, content: bytes, way: str) -> bool:
        size = len(content)
        if way in ("dropped", "stalled"):
            await _whole(writer, content[: size // 2], size)
            await asyncio.sleep(STALL if way == "stalled" else 0)
            return False
        broken = {
            "unfinished": content[: size // 2],
            "halved": content.replace(b"chatcmpl", b"chatcmp\xc3"),
            "malformed": b'{"choices": "none"}',
            "mute": b"[]",
        }
        content = broken.get(way, content)
        return await _whole(writer, content, len(content))

    async def _streamed(self, writer: asyncio.StreamWriter, events: list[bytes], way: str) -> bool:
        writer.write(
            b"HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\ntransfer-encoding: chunked\r\n\r\n"
        )
        middle = len(events) // 2
        wrong = {
            "malformed": b'data: {"choices": nonsense\n\n',
            "halved": b'data: {"choices": "caf\xc3"}\n\n',
        }
        if way != WELL:
            events = events[:middle] + ([wrong[way]] if way in wrong else [])
        # Cut anywhere, also inside of characters.
        random, whole = Random(len(events)), b"".join(events)
        while whole:
            size = random.randint(1, 120)
            writer.write(b"%x\r\n%b\r\n" % (len(whole[:size]), whole[:size]))
            await writer.drain()
            await asyncio.sleep(0.002)
            whole = whole[size:]
        if way == "stalled":
            await asyncio.sleep(STALL)
        if way in ("dropped", "stalled"):
            _reset(writer)
            return False
        writer.write(b"0\r\n\r\n")
        await writer.drain()
        return way == WELL


async def _whole(writer: asyncio.StreamWriter, content: bytes, size: int, status: str = "200 OK") -> bool:
    head = f"HTTP/1.1 {status}\r\ncontent-type: application/json\r\ncontent-length: {size}\r\n\r\n"
    writer.write(head.encode() + content)
    await writer.drain()
    return True


def _reset(writer: asyncio.StreamWriter) -> None:
    """Close with a reset in place of a goodbye."""
    linger = struct.pack("ii", 1, 0)
    writer.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger)
    writer.transport.abort()


async def main(port: int) -> None:
    server = await asyncio.start_server(Upstream().connected, "127.0.0.1", port)
    async with server:
        await server.serve_forever()


if __name__ == "__main__":
    asyncio.run(main(int(sys.argv[1])))
