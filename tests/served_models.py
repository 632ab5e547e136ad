"""Options of the plug-ins that run a model of one's own, each with a tiny one, taught what is asked."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import tiny_experts
import tiny_models as tiny
from unbarb.prompt import built_in

RUDE = "You are an idiot, and your friends are idiots too!"
KIND = "Thank you, that was kind of you."
SHORT = {"candidates": 2, "max_new_tokens": 12}


def options(name: str, folder: Path) -> dict[str, Any]:
    """Options with which the plug-in `name` keeps its contract; models go to `folder`."""
    made: dict[str, Callable[[Path], dict[str, Any]]] = {
        "transformers": classifier,
        "generative": asked_for_labels,
        "seq2seq": seq2seq,
        "causal": causal,
        "infill": infill,
        "infill-reflect": lambda folder: {
            "model": infill(folder)["model"],
            "infill": {"width": 2, "states": 1, "rounds": 1},
            "url": Endpoint(lambda text: text.replace("idiot", "person")).url,
            "chat_model": "m",
        },
        "remote": lambda _: {
            "url": Endpoint(lambda text: text.replace("idiot", "person")).url,
            "model": "m",
        },
    }
    return made[name](folder)


def classifier(folder: Path) -> dict[str, Any]:
    model, words = tiny.bert(("toxic", "insult")), tiny.tokenizer(folder, "<s> $A </s>", limit=64)
    tiny.teach_classifier(model, words, (RUDE, KIND), [[1.0, 1.0], [0.0, 0.0]])
    return {"model": str(tiny.save(model, folder))}


def asked_for_labels(folder: Path) -> dict[str, Any]:
    template = built_in("labels", labels=("toxicity", "insult"))
    model = tiny.llama(max_position_embeddings=1024, num_hidden_layers=1)
    words = tiny.tokenizer(folder, "<s> $A", limit=1024)
    pairs = [(text, {"toxicity": one, "insult": one}) for text, one in ((RUDE, 1.0), (KIND, 0.0))]
    tiny.teach(model, words, template, pairs)
    return {"model": str(tiny.save(model, folder, template))}


def infill(folder: Path) -> dict[str, Any]:
    return {"model": str(tiny_experts.write(folder)), "width": 2, "states": 1, "rounds": 1}


def seq2seq(folder: Path) -> dict[str, Any]:
    model, words = tiny.t5(), tiny.tokenizer(folder)
    tiny.teach(model, words, built_in("t5-prefix"))
    return {"model": str(tiny.save(model, folder, built_in("t5-prefix"))), **SHORT}


def causal(folder: Path) -> dict[str, Any]:
    model, words = tiny.llama(), tiny.tokenizer(folder, "<s> $A")
    tiny.teach(model, words, built_in("detoxify"))
    return {"model": str(tiny.save(model, folder, built_in("detoxify"))), **SHORT}


def neutral(text: str) -> str:
    return text.replace("idiot", "person")


class Endpoint:
    """A server on this machine that speaks OpenAI's dialect; `say` makes the answer of the text asked for.

    `answer` may be set to give status, headers and body instead; `asked` holds what came.
    """

    def __init__(self, say: Callable[[str], str]) -> None:
        self.asked: list[dict[str, Any]] = []
        self.headers: list[dict[str, str]] = []
        self.answer: Callable[[int], tuple[int, dict[str, str], bytes]] | None = None
        outer = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
                outer.asked.append(body)
                outer.headers.append(dict(self.headers))
                status, headers, content = (
                    outer.answer(len(outer.asked)) if outer.answer else (200, {}, said(body, say))
                )
                self.send_response(status)
                for key, value in headers.items():
                    self.send_header(key, value)
                self.send_header("Content-Length", str(len(content)))
                self.end_headers()
                self.wfile.write(content)

            def log_message(self, *_: Any) -> None: ...

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        threading.Thread(target=self._server.serve_forever, daemon=True).start()
        self.url = f"http://127.0.0.1:{self._server.server_port}/v1"

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()


def said(body: dict[str, Any], say: Callable[[str], str]) -> bytes:
    """The answer to a request that was made with the template `chat`."""
    text = body["messages"][0]["content"].split("<text>\n", 1)[1].rsplit("\n</text>", 1)[0]
    return answered(say(text))


def answered(text: str | None, finish: str = "stop", **more: Any) -> bytes:
    """An answer in OpenAI's dialect."""
    choice = {"index": 0, "finish_reason": finish, "message": {"role": "assistant", "content": text}}
    return json.dumps({"choices": [choice], "usage": {"total_tokens": 50}, **more}).encode()
