"""Caikit's runtime over REST: text generation, streamed too, and text classification.

Source: https://github.com/caikit/caikit, ``caikit/runtime/http_server`` (routes, events, errors) and
``caikit/interfaces/nlp`` (answers); the parameters are those of https://github.com/caikit/caikit-nlp.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

from unbarb.deploy.request.answer import Answer, Piece
from unbarb.errors import ConfigError
from unbarb.wire.bodies import Json

FINISHES = {
    "EOS_TOKEN": "stop",
    "STOP_SEQUENCE": "stop",
    "MAX_TOKENS": "length",
    "TOKEN_LIMIT": "length",
    "TIME_LIMIT": "time",
}
"""Reasons by our names; others are told in small letters."""
OPEN = ("NOT_FINISHED", None)
BROKEN = ("ERROR", "CANCELLED")


@dataclass(frozen=True)
class _Caikit:
    """What both tasks share."""

    model: str
    parameters: Mapping[str, Any]
    max_tokens: int
    stop: tuple[str, ...]

    example: ClassVar[str] = "http://localhost:8080"
    models_path: ClassVar[str | None] = "/info/models"

    def _request(self, prompt: str, parameters: Mapping[str, Any]) -> Json:
        body: Json = {"model_id": self.model, "inputs": prompt}
        return body | ({"parameters": dict(parameters)} if parameters else {})

    def fault(self, event: Json) -> tuple[str, int | None] | None:
        # An answer's `details` are an object, an error's are words.
        details, code = event.get("details"), event.get("code")
        if not isinstance(details, str):
            return None
        return details, code if isinstance(code, int) else None

    def models(self, reply: Json) -> list[str]:
        return [str(one["name"]) for one in reply["models"]]


class Generation(_Caikit):
    """``POST {url}/api/v1/task/text-generation`` and ``…/server-streaming-text-generation``."""

    def path(self, *, stream: bool) -> str:
        return f"/api/v1/task/{'server-streaming-' if stream else ''}text-generation"

    def body(self, prompt: str, *, stream: bool) -> Json:
        asked: Json = {"max_new_tokens": self.max_tokens} if self.max_tokens else {}
        if self.stop:
            asked["stop_sequences"] = list(self.stop)
        return self._request(prompt, asked | dict(self.parameters))

    def answer(self, reply: Json) -> Answer:
        return Answer(_text(reply), _finish(reply.get("finish_reason")))

    def piece(self, event: Json) -> Piece:
        details = event.get("details")
        finish = _finish(details.get("finish_reason")) if isinstance(details, dict) else None
        return Piece(_text(event), finish, may_end=finish is not None or not details)


class Classification(_Caikit):
    """``POST {url}/api/v1/task/text-classification``: labels and their scores."""

    def path(self, *, stream: bool) -> str:
        if stream:
            raise ConfigError("a classification is not streamed; leave --stream out")
        return "/api/v1/task/text-classification"

    def body(self, prompt: str, *, stream: bool) -> Json:
        return self._request(prompt, self.parameters)

    def answer(self, reply: Json) -> Answer:
        try:
            return Answer(None, scores={str(one["label"]): float(one["score"]) for one in reply["results"]})
        except (TypeError, KeyError, ValueError) as error:
            raise ValueError("no list of results with label and score") from error

    def piece(self, event: Json) -> Piece:
        raise NotImplementedError


def _text(body: Json) -> str:
    text = body.get("generated_text")
    if text is None and ("finish_reason" in body or "details" in body or "tokens" in body):
        return ""
    if not isinstance(text, str):
        raise ValueError("no generated_text")
    return text


def _finish(reason: object) -> str | None:
    if reason in OPEN:
        return None
    if reason in BROKEN:
        raise ValueError(f"the model stopped with {reason}")
    return FINISHES.get(str(reason), str(reason).lower())
