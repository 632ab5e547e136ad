"""Requests a second of the service and of a BERT-base classifier behind FastAPI, in the same run.

    python benchmarks/serve.py            # a minute
    python benchmarks/serve.py --quick    # to see that it works

Both servers run on loopback, one after the other, each with as many workers as there are cores and one
thread of arithmetic in each worker, under the same load: 32 connections of a client of its own process
(plain asyncio sockets, one request after the other on each), texts of 12 words, one in twenty of them rude.
The service does all that it does by default: policy, record (SQLite, on the disk before the answer leaves),
metrics. The peer answers the six probabilities and records nothing. It is built from its published
configuration (12 layers, 768 wide) with random weights, for time does not depend on what a weight is; in
fp32 and in bf16, each request by itself, as in any tutorial, and the better of the two counts. Results go
to benchmarks/serve.json and to docs/benchmarks.md.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import platform
import signal
import socket
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from http.client import HTTPConnection
from pathlib import Path
from random import Random
from typing import Any

from section import write_section

HERE = Path(__file__).parent
CONNECTIONS, RUDE_SHARE = 32, 0.05
VOCABULARY = """
the a this our your new old first second page table map train
lake house letter museum garden river report summer winter morning evening meeting weather
colour number answer question is was are were has had will can may
should opens closes begins ends shows tells keeps gives takes in on at
by for with from about after before early late often today here there
again slowly gladly
"""
INSULTS = ("you are a complete idiot", "shut up you stupid moron", "what a pathetic little liar you are")


def texts(count: int, seed: int = 7) -> list[str]:
    """Texts of 12 words, all different, the rude ones spread evenly."""
    random, words = Random(seed), VOCABULARY.split()
    found = []
    for number in range(count):
        rude = INSULTS[number % len(INSULTS)].split() if random.random() < RUDE_SHARE else []
        found.append(" ".join([*rude, *random.choices(words, k=12 - len(rude))]))
    return found


@contextmanager
def running(
    command: Sequence[str], folder: str, *, ready: str = "/health/ready", **environment: str
) -> Iterator[int]:
    """A server as a process, which gets its port as last word; gives the port and stops it at the end."""
    with socket.socket() as door:
        door.bind(("127.0.0.1", 0))
        port = door.getsockname()[1]
    variables = {**os.environ, "OMP_NUM_THREADS": "1", **environment}
    with open(Path(folder, "server.log"), "ab") as log:
        process = subprocess.Popen([*command, str(port)], env=variables, stdout=log, stderr=log, cwd=folder)
    try:
        _wait_for(port, ready, process)
        yield port
    finally:
        process.send_signal(signal.SIGTERM)
        try:
            process.wait(30)
        except subprocess.TimeoutExpired:
            process.kill()


def _wait_for(port: int, path: str, process: subprocess.Popen[bytes]) -> None:
    until = time.monotonic() + 120
    while time.monotonic() < until and process.poll() is None:
        connection = HTTPConnection("127.0.0.1", port, timeout=5)
        try:
            connection.request("GET", path)
            if connection.getresponse().status == 200:
                return
        except OSError:
            time.sleep(0.1)
        finally:
            connection.close()
    raise SystemExit("the server did not start; see server.log")


async def load(port: int, seconds: float, most: int, bodies: Sequence[bytes]) -> dict[str, float]:
    """Requests a second and latency (milliseconds) under `CONNECTIONS` connections.

    It ends after `seconds` or `most` requests, whichever comes first; the first tenth is not counted.
    """
    taken: list[tuple[float, float]] = []
    began = time.perf_counter()
    until = began + seconds
    turn = iter(range(most))

    async def one() -> None:
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        try:
            for number in turn:
                start = time.perf_counter()
                if start >= until:
                    return
                writer.write(bodies[number % len(bodies)])
                head = await reader.readuntil(b"\r\n\r\n")
                if not head.startswith(b"HTTP/1.1 200"):
                    status = head.partition(b"\r")[0].decode()
                    raise SystemExit(f"the server answered {status}")
                length = head.lower().partition(b"content-length: ")[2].partition(b"\r")[0]
                await reader.readexactly(int(length))
                end = time.perf_counter()
                taken.append((end, end - start))
        finally:
            writer.close()

    await asyncio.gather(*(one() for _ in range(CONNECTIONS)))
    counted = sorted(spent for end, spent in taken if end > began + seconds / 10)
    passed = max(end for end, _ in taken) - began - seconds / 10
    return {
        "requests": len(counted),
        "requests_per_second": len(counted) / passed,
        "p50_ms": 1000 * statistics.median(counted),
        "p95_ms": 1000 * counted[int(0.95 * len(counted))],
    }


def under_load(port: int, path: str, seconds: float, most: int) -> dict[str, float]:
    """The figures of one server, from a client in a process of its own."""
    command = [sys.executable, __file__, "--client", str(port), path, str(seconds), str(most)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=seconds + 120, check=False)
    if done.returncode:
        raise SystemExit(done.stderr or done.stdout)
    found: dict[str, float] = json.loads(done.stdout)
    return found


def client(port: int, path: str, seconds: float, most: int) -> None:
    """The load's own process: prints its figures."""
    bodies = []
    for text in texts(20_000):
        body = json.dumps({"text": text}).encode()
        head = f"POST {path} HTTP/1.1\r\nhost: 127.0.0.1\r\ncontent-type: application/json\r\n"
        bodies.append(f"{head}content-length: {len(body)}\r\n\r\n".encode() + body)
    print(json.dumps(asyncio.run(load(port, seconds, most, bodies))))


def peer(port: int, workers: int, kind: str) -> None:
    """The peer's server: FastAPI round a BERT-base classifier."""
    import uvicorn

    os.environ["PEER_DTYPE"] = kind
    sys.path.insert(0, str(HERE))
    uvicorn.run(
        "serve:peer_app", factory=True, port=port, workers=workers, access_log=False, log_level="warning"
    )


def peer_app():
    """FastAPI, transformers and torch, as a tutorial puts them together."""
    import torch
    from fastapi import Body, FastAPI
    from transformers import BertConfig, BertForSequenceClassification

    from unbarb.detect.embedded import HOME
    from unbarb.detect.wordpiece import CLS, SEP, WordPiece

    torch.set_num_threads(1)
    kind = getattr(torch, os.environ["PEER_DTYPE"])
    model = BertForSequenceClassification(BertConfig(num_labels=6)).eval().to(kind)
    pieces = WordPiece(HOME / "tokenizer.json")
    app = FastAPI()

    @app.get("/health/ready")
    def ready() -> dict[str, str]:
        return {"status": "ready"}

    @app.post("/classify")
    def classify(text: str = Body(embed=True)) -> dict[str, list[float]]:
        ids = torch.tensor([[CLS, *pieces.ids([text])[0][:510], SEP]])
        with torch.inference_mode():
            scores = torch.sigmoid(model(ids).logits.float())[0]
        return {"scores": scores.tolist()}

    return app


def measured(seconds: float, most: int, workers: int) -> dict[str, Any]:
    """All figures of one run."""
    peers = {}
    with tempfile.TemporaryDirectory() as folder:
        for kind in ("float32", "bfloat16"):
            command = [sys.executable, str(HERE / "serve.py"), "--peer", str(workers), kind]
            with running(command, folder) as port:
                peers[kind] = under_load(port, "/classify", seconds, most)
        command = [sys.executable, "-m", "unbarb", "serve", "--dialects", "native", "--workers",
                   str(workers), "--audit", f"sqlite:///{folder}/audit.db", "--port"]  # fmt: skip
        with running(command, folder) as port:
            ours = under_load(port, "/v1/check", seconds, most)
    best = max(one["requests_per_second"] for one in peers.values())
    return {
        "machine": {"processor": platform.processor() or platform.machine(), "cores": os.cpu_count(),
                    "python": platform.python_version()},
        "connections": CONNECTIONS, "words": 12, "rude_share": RUDE_SHARE, "seconds": seconds,
        "workers": workers, "check": ours, "bert_base": peers,
        "times_the_requests": ours["requests_per_second"] / best,
    }  # fmt: skip


def section(result: dict[str, Any]) -> list[str]:
    """What the page of benchmarks says of a run."""
    names = {"float32": "BERT-base behind FastAPI, fp32", "bfloat16": "BERT-base behind FastAPI, bf16"}
    servers = [("`/v1/check`, recorded in SQLite", result["check"])]
    servers += [(names[kind], one) for kind, one in result["bert_base"].items()]
    machine = ", ".join(f"{key} {value}" for key, value in result["machine"].items())
    return [
        "## The service", "",
        f"Texts of {result['words']} words, {result['rude_share']:.0%} of them rude, over"
        f" {result['connections']} connections for {result['seconds']:g} seconds, {result['workers']}"
        " workers (`benchmarks/serve.py`). The load comes from a process on the same cores.", "",
        "| server | requests a second | p50 ms | p95 ms |", "|---|---|---|---|",
        *(
            f"| {name} | {one['requests_per_second']:.0f} | {one['p50_ms']:.1f} | {one['p95_ms']:.1f} |"
            for name, one in servers
        ), "",
        f"That is {result['times_the_requests']:.1f} times the requests of the better peer.", "",
        f"Measured with {machine}.",
    ]  # fmt: skip


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--quick", action="store_true", help="3 seconds each, nothing written")
    parser.add_argument("--seconds", type=float, default=20.0, help="of load on each server (default 20)")
    parser.add_argument("--workers", type=int, default=os.cpu_count() or 1)
    parser.add_argument("--out", type=Path, default=HERE / "serve.json")
    parser.add_argument("--page", type=Path, default=HERE.parent / "docs" / "benchmarks.md")
    parser.add_argument("--peer", nargs=3, metavar=("WORKERS", "DTYPE", "PORT"), help=argparse.SUPPRESS)
    parser.add_argument("--client", nargs=4, help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.peer:
        peer(int(given.peer[2]), int(given.peer[0]), given.peer[1])
        return
    if given.client:
        port, path, seconds, most = given.client
        client(int(port), path, float(seconds), int(most))
        return
    result = measured(3.0 if given.quick else given.seconds, 200_000, given.workers)
    print(json.dumps(result, indent=2))
    if not given.quick:
        given.out.write_text(json.dumps(result, indent=2) + "\n", encoding="utf-8")
        write_section(given.page, "serve", section(result))


if __name__ == "__main__":
    main()
