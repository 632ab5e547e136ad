"""OpenAI's chat completions and completions.

Source: https://platform.openai.com/docs/api-reference; vLLM, llama.cpp, Ollama and KServe's runtimes speak
it too.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

from unbarb.deploy.request.answer import Answer, Piece
from unbarb.wire.bodies import Json

FINISHES = {"content_filter": "filtered"}
"""Reasons that we call otherwise."""


@dataclass(frozen=True)
class _OpenAI:
    """What both tasks share."""

    model: str
    parameters: Mapping[str, Any]
    max_tokens: int
    stop: tuple[str, ...]

    example: ClassVar[str] = "http://localhost:8000/v1"
    models_path: ClassVar[str | None] = "/models"

    def body(self, prompt: str, *, stream: bool) -> Json:
        body: Json = {"model": self.model, **self._asked(prompt)}
        if self.max_tokens:
            body["max_tokens"] = self.max_tokens
        if self.stop:
            body["stop"] = list(self.stop)
        if stream:
            body["stream"] = True
        return body | dict(self.parameters)

    def _asked(self, prompt: str) -> Json:
        raise NotImplementedError

    def fault(self, event: Json) -> tuple[str, int | None] | None:
        error = event.get("error")
        if not error:
            return None
        details = error if isinstance(error, dict) else {"message": error}
        code = details.get("code")
        return str(details.get("message") or "an error"), code if isinstance(code, int) else None

    def models(self, reply: Json) -> list[str]:
        return [str(one["id"]) for one in reply["data"]]


class Chat(_OpenAI):
    """``POST {url}/chat/completions``: the prompt is the user's turn."""

    def path(self, *, stream: bool) -> str:
        return "/chat/completions"

    def _asked(self, prompt: str) -> Json:
        return {"messages": [{"role": "user", "content": prompt.strip()}]}

    def answer(self, reply: Json) -> Answer:
        choice = _choice(reply)
        message = choice.get("message")
        if not isinstance(message, dict):
            raise ValueError("a choice without a message")
        return Answer(_text(message.get("content") or "", "content"), _finish(choice))

    def piece(self, event: Json) -> Piece:
        if not _choices(event):  # as the one that tells the usage
            return Piece("")
        choice = _choice(event)
        text = _text((choice.get("delta") or {}).get("content") or "", "content")
        finish = _finish(choice)
        return Piece(text, finish, may_end=finish is not None)


class Completion(_OpenAI):
    """``POST {url}/completions``: the model goes on with the prompt."""

    def path(self, *, stream: bool) -> str:
        return "/completions"

    def _asked(self, prompt: str) -> Json:
        return {"prompt": prompt}

    def answer(self, reply: Json) -> Answer:
        choice = _choice(reply)
        return Answer(_text(choice.get("text"), "text"), _finish(choice))

    def piece(self, event: Json) -> Piece:
        if not _choices(event):
            return Piece("")
        choice = _choice(event)
        finish = _finish(choice)
        return Piece(_text(choice.get("text"), "text"), finish, may_end=finish is not None)


def _choices(body: Json) -> list[Any]:
    choices = body.get("choices")
    if not isinstance(choices, list):
        raise ValueError("no list of choices")
    return choices


def _choice(body: Json) -> Json:
    """The first choice: one is asked for."""
    choices = _choices(body)
    if not choices or not isinstance(choices[0], dict):
        raise ValueError("no choice")
    return choices[0]


def _text(value: object, name: str) -> str:
    if not isinstance(value, str):
        raise ValueError(f"a {name} that is no text")
    return value


def _finish(choice: Json) -> str | None:
    finish = choice.get("finish_reason")
    return None if finish is None else FINISHES.get(str(finish), str(finish))
