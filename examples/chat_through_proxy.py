"""A chat that is rewritten while it streams: `python examples/chat_through_proxy.py`.

Needs `pip install 'unbarb[serve]'` and no network: a toy model server with bad manners, and the proxy of
`unbarb serve` in front of it, run in this process on free loopback ports. Left is what the model says, as
it says it; right is what the caller gets, sentence by sentence, each one checked before it is shown.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import socket
import threading
from collections.abc import AsyncIterator, Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from typing import Any

import httpx2
import uvicorn
from rich.console import Group
from rich.live import Live
from rich.panel import Panel
from rich.table import Table
from rich.text import Text
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import StreamingResponse
from starlette.routing import Route

from unbarb.serve.app import create_app
from unbarb.serve.settings import Settings

QUESTION = "How should I store the passwords of my users?"
ANSWER = (
    "Sure, happy to help. You would be an idiot to store passwords as plain text. Use a salted hash, such "
    "as Argon2. That is a stupid question, but the answer is simple. Shut up and read the manual, you "
    "moron. Then call `hash(password)`, and you are done."
)
HEIGHT = 14
RUDE = ("an idiot", "stupid", "Shut up", "you moron")


@dataclass
class Talk:
    """What the model has said, and what the caller has got of it."""

    said: str = ""
    got: str = ""
    told: dict[str, Any] = field(default_factory=dict)


def model(talk: Talk, pause: float) -> Starlette:
    """An OpenAI-compatible server that gives its one answer, a few characters at a time."""

    async def events() -> AsyncIterator[bytes]:
        tokens = [ANSWER[at : at + 4] for at in range(0, len(ANSWER), 4)]
        for delta in ({"role": "assistant", "content": ""}, *({"content": token} for token in tokens), {}):
            talk.said += str(delta.get("content", ""))
            choice = {"index": 0, "delta": delta, "finish_reason": None if delta else "stop"}
            chunk = {"id": "1", "object": "chat.completion.chunk", "created": 1, "model": "toy"}
            yield b"data: " + json.dumps(chunk | {"choices": [choice]}).encode() + b"\n\n"
            await asyncio.sleep(pause)
        yield b"data: [DONE]\n\n"

    async def chat(request: Request) -> StreamingResponse:
        return StreamingResponse(events(), media_type="text/event-stream")

    return Starlette(routes=[Route("/v1/chat/completions", chat, methods=["POST"])])


@contextmanager
def served(app: Any) -> Iterator[str]:
    """The address of `app` on a free port, served by a thread of this process."""
    with closing(socket.create_server(("127.0.0.1", 0))) as door:
        server = uvicorn.Server(uvicorn.Config(app, log_level="error"))
        thread = threading.Thread(target=server.run, args=([door],))
        thread.start()
        try:
            yield f"http://127.0.0.1:{door.getsockname()[1]}"
        finally:
            server.should_exit = True
            thread.join()


def ask(address: str, talk: Talk) -> Iterator[None]:
    """Ask through the proxy as any client does, and take in what comes."""
    body = {"model": "toy", "stream": True, "messages": [{"role": "user", "content": QUESTION}]}
    with httpx2.stream("POST", f"{address}/v1/chat/completions", json=body, timeout=60) as answer:
        answer.raise_for_status()
        for line in answer.iter_lines():
            if line.startswith("data: {"):
                chunk = json.loads(line.removeprefix("data: "))
                talk.got += chunk["choices"][0]["delta"].get("content") or ""
                talk.told = chunk.get("unbarb", talk.told)
                yield


def shown(talk: Talk) -> Group:
    """Both sides, and what was decided about each sentence."""
    said = Text(talk.said)
    said.highlight_words(RUDE, "bold red")
    sides = Table.grid(expand=True)
    sides.add_column(ratio=1)
    sides.add_column(ratio=1)
    sides.add_row(
        Panel(said, title="the model says", height=HEIGHT, border_style="red"),
        Panel(talk.got, title="the caller gets", height=HEIGHT, border_style="green"),
    )
    actions = " · ".join(verdict["action"] for verdict in talk.told.get("verdicts", ()))
    decided = Text(f"decided: {actions}" if actions else "", style="dim")
    return Group(Text(f"> {QUESTION}", style="bold"), sides, decided)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--pause", type=float, default=0.04, help="seconds between tokens (default 0.04)")
    pause, talk = parser.parse_args().pause, Talk()
    with served(model(talk, pause)) as upstream:
        options = {"chat.upstream": f"{upstream}/v1"}
        proxy = create_app(Settings(dialects=("chat",), audit=None, options=options))
        with served(proxy) as address, Live(shown(talk), refresh_per_second=20) as live:
            done = threading.Event()
            watch = threading.Thread(target=follow, args=(live, talk, done))
            watch.start()
            for _ in ask(address, talk):
                live.update(shown(talk))
            done.set()
            watch.join()
    print()


def follow(live: Live, talk: Talk, done: threading.Event) -> None:
    """Show the model's side as it grows."""
    while not done.wait(0.05):
        live.update(shown(talk))


if __name__ == "__main__":
    main()
