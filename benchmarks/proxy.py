"""What the chat proxy adds to a chat that is not streamed, beside what LiteLLM's proxy adds unguarded.

    python benchmarks/proxy.py            # two minutes, most of them LiteLLM's start
    python benchmarks/proxy.py --quick    # to see that it works

Servers on loopback, each a process of its own: a model server that answers at once with a clean text of 40
words, another one each time; the proxy in front of it, as `unbarb serve` starts it, every message and every
reply guarded; the same with its record (SQLite, on the disk before the answer leaves); and LiteLLM's proxy
in front of it with no guardrail, no database and its logging turned down, from an environment of its own
(`make litellm`). One client with one kept connection to each asks all of them in turn, in an order that
changes each round, so that what else the machine does falls on all of them alike. A proxy's overhead is its
median less the median of the bare server in the same run. LiteLLM keeps no record here, so the share is of
the proxy without one; what the record adds is what the disk takes to have it for good, and stands beside
it. Results go to benchmarks/proxy.json and docs/benchmarks.md.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import secrets
import statistics
import subprocess
import sys
import tempfile
import time
from http.client import HTTPConnection
from itertools import count
from pathlib import Path
from random import Random
from typing import Any

from section import write_section

from serve import VOCABULARY, running

HERE = Path(__file__).parent
WARM, QUESTION_WORDS, ANSWER_WORDS = 20, 12, 40
LITELLM = """
model_list:
  - model_name: toy
    litellm_params: {{model: openai/toy, api_base: "http://127.0.0.1:{upstream}/v1", api_key: none}}
litellm_settings: {{telemetry: false, set_verbose: false}}
"""


def sentences(random: Random, words: int) -> str:
    """Clean sentences of eight words, so many words in all."""
    said = random.choices(VOCABULARY.split(), k=words)
    return " ".join(" ".join(said[at : at + 8]).capitalize() + "." for at in range(0, words, 8))


def upstream(port: int) -> None:
    """The model server: nothing but the answer, so that it costs as little as a server can."""
    import uvicorn

    answers = [sentences(Random(seed), ANSWER_WORDS) for seed in range(4096)]
    turn = count()

    async def app(scope: dict[str, Any], receive: Any, send: Any) -> None:
        while scope["method"] == "POST" and (await receive()).get("more_body"):
            pass
        message = {"role": "assistant", "content": answers[next(turn) % len(answers)]}
        body = json.dumps({
            "id": "chatcmpl-1", "object": "chat.completion", "created": 1, "model": "toy",
            "choices": [{"index": 0, "message": message, "logprobs": None, "finish_reason": "stop"}],
            "usage": {"prompt_tokens": 20, "completion_tokens": 50, "total_tokens": 70},
        }).encode()  # fmt: skip
        headers = [(b"content-type", b"application/json"), (b"content-length", str(len(body)).encode())]
        await send({"type": "http.response.start", "status": 200, "headers": headers})
        await send({"type": "http.response.body", "body": body})

    uvicorn.run(app, port=port, lifespan="off", access_log=False, log_level="warning")


class Server:
    """One server that is asked, over one connection that is kept."""

    def __init__(self, port: int, key: str) -> None:
        self._connection = HTTPConnection("127.0.0.1", port, timeout=30)
        self._headers = {"content-type": "application/json", "authorization": f"Bearer {key}"}
        self.seconds: list[float] = []

    def ask(self, body: bytes) -> None:
        """Ask once, and keep how long the answer took."""
        began = time.perf_counter()
        self._connection.request("POST", "/v1/chat/completions", body, self._headers)
        answer = self._connection.getresponse()
        data = answer.read()
        self.seconds.append(time.perf_counter() - began)
        if answer.status != 200 or b'"content"' not in data:
            raise SystemExit(f"the server answered {answer.status}: {data[:300]!r}")

    def figures(self) -> dict[str, float]:
        counted = sorted(1000 * one for one in self.seconds[WARM:])
        return {"p50_ms": statistics.median(counted), "p95_ms": counted[int(0.95 * len(counted))]}


def asked(servers: dict[str, Server], rounds: int) -> None:
    """Ask every server once a round, another one first each time."""
    random, names = Random(7), list(servers)
    for number in range(WARM + rounds):
        messages = [
            {"role": "system", "content": "You are a helpful assistant."},
            {"role": "user", "content": sentences(random, QUESTION_WORDS)},
        ]
        body = json.dumps({"model": "toy", "messages": messages}).encode()
        for at in range(len(names)):
            servers[names[(number + at) % len(names)]].ask(body)


def measured(rounds: int, litellm: Path) -> dict[str, Any]:
    """All figures of one run."""
    key = f"sk-{secrets.token_urlsafe(32)}"
    with tempfile.TemporaryDirectory() as folder:
        model = [sys.executable, str(HERE / "proxy.py"), "--upstream"]
        with running(model, folder) as bare:
            Path(folder, "litellm.yaml").write_text(LITELLM.format(upstream=bare), encoding="utf-8")
            ours = [
                sys.executable, "-m", "unbarb", "serve", "--dialects", "chat",
                "--upstream", f"http://127.0.0.1:{bare}/v1",
            ]  # fmt: skip
            recording = [*ours, "--audit", f"sqlite:///{folder}/audit.db", "--port"]
            theirs = [str(litellm), "--config", "litellm.yaml", "--host", "127.0.0.1", "--port"]
            quiet = {
                "LITELLM_MASTER_KEY": key, "LITELLM_LOG": "ERROR", "LITELLM_MODE": "PRODUCTION",
                "LITELLM_LOCAL_MODEL_COST_MAP": "True",
            }  # fmt: skip
            with (
                running([*ours, "--no-audit", "--port"], folder) as ours_port,
                running(recording, folder) as recording_port,
                running(theirs, folder, ready="/health/liveliness", **quiet) as theirs_port,
            ):
                ports = {
                    "bare": bare, "unbarb": ours_port, "unbarb_recording": recording_port,
                    "litellm": theirs_port,
                }  # fmt: skip
                servers = {name: Server(port, key) for name, port in ports.items()}
                asked(servers, rounds)
    figures = {name: server.figures() for name, server in servers.items()}
    added = {
        name: figures[name]["p50_ms"] - figures["bare"]["p50_ms"] for name in figures if name != "bare"
    }
    return {
        "machine": {"processor": platform.processor() or platform.machine(), "cores": os.cpu_count(),
                    "python": platform.python_version()},
        "litellm": version(litellm), "rounds": rounds,
        "question_words": QUESTION_WORDS, "answer_words": ANSWER_WORDS,
        "servers": figures, "overhead_p50_ms": added,
        "share_of_litellms": added["unbarb"] / added["litellm"],
    }  # fmt: skip


def version(litellm: Path) -> str:
    """The version of LiteLLM in that environment."""
    tell = "from importlib.metadata import version; print(version('litellm'))"
    python = litellm.with_name("python")
    return subprocess.run([python, "-c", tell], capture_output=True, text=True, check=True).stdout.strip()


def section(result: dict[str, Any]) -> list[str]:
    """The lines of docs/benchmarks.md."""
    names = {
        "bare": "the model server alone", "unbarb": "the proxy, everything guarded",
        "unbarb_recording": "the same, on record before it leaves",
        "litellm": "LiteLLM's proxy, no guardrail",
    }  # fmt: skip
    rows = [
        f"| {names[name]} | {one['p50_ms']:.1f} | {one['p95_ms']:.1f} | "
        + (f"{result['overhead_p50_ms'][name]:.1f} |" if name in result["overhead_p50_ms"] else "|")
        for name, one in result["servers"].items()
    ]
    machine = ", ".join(f"{key} {value}" for key, value in result["machine"].items())
    added = result["overhead_p50_ms"]
    with_record = added["unbarb_recording"] / added["litellm"]
    return [
        "## The chat proxy", "",
        f"One chat that is not streamed: {result['question_words']} clean words and a system message in,"
        f" {result['answer_words']} clean words out; {result['rounds']} chats with each server in turn"
        " (`benchmarks/proxy.py`). What is added is the median less that of the model server.", "",
        "| | p50 ms | p95 ms | added, p50 ms |", "|---|---|---|---|", *rows, "",
        f"Without a record, as LiteLLM runs here, the proxy adds {result['share_of_litellms']:.2f} of what"
        f" LiteLLM {result['litellm']} adds; with one, which is how the service runs by default,"
        f" {with_record:.2f}.",
        "", f"Measured with {machine}.",
    ]  # fmt: skip


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--quick", action="store_true", help="40 rounds, nothing written")
    parser.add_argument("--rounds", type=int, default=500, help="questions to each server (default 500)")
    parser.add_argument("--litellm", type=Path, default=Path(".venv-litellm/bin/litellm"))
    parser.add_argument("--out", type=Path, default=HERE / "proxy.json")
    parser.add_argument("--page", type=Path, default=HERE.parent / "docs" / "benchmarks.md")
    parser.add_argument("--upstream", type=int, metavar="PORT", help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.upstream:
        upstream(given.upstream)
        return
    if not given.litellm.exists():
        raise SystemExit(f"{given.litellm} is not there: run `make litellm`, or give --litellm")
    result = measured(40 if given.quick else given.rounds, given.litellm.absolute())
    print(json.dumps(result, indent=2))
    if not given.quick:
        given.out.write_text(json.dumps(result, indent=2) + "\n", encoding="utf-8")
        write_section(given.page, "proxy", section(result))


if __name__ == "__main__":
    main()
