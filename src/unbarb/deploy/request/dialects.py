"""What endpoints are asked in: each dialect by its name, and its tasks."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Protocol

from unbarb.deploy.request.answer import Answer, Piece
from unbarb.deploy.request.caikit import Classification, Generation
from unbarb.deploy.request.kserve import Generate, Infer
from unbarb.deploy.request.openai import Chat, Completion
from unbarb.errors import ConfigError
from unbarb.wire.bodies import Json


class Dialect(Protocol):
    """How an endpoint is asked for one task.

    Methods that read raise ValueError, with what is missing, where an answer is not of the dialect.
    """

    model: str
    example: str
    """An address as it is to be given."""
    models_path: str | None
    """Where the names of models can be asked for."""

    def path(self, *, stream: bool) -> str:
        """What comes after the address.

        Raises:
            ConfigError: this task cannot be streamed.
        """
        ...

    def body(self, prompt: str, *, stream: bool) -> Json: ...

    def answer(self, reply: Json) -> Answer: ...

    def piece(self, event: Json) -> Piece: ...

    def fault(self, event: Json) -> tuple[str, int | None] | None:
        """Message and status of an event that tells of an error instead."""
        ...

    def models(self, reply: Json) -> list[str]: ...


KINDS: Mapping[str, Mapping[str, type[Any]]] = {
    "openai": {"chat": Chat, "completion": Completion},
    "caikit": {"generate": Generation, "classify": Classification},
    "kserve": {"infer": Infer, "generate": Generate},
}
"""Dialect → task → what speaks it; a dialect's first task is what it is asked for by default."""


def dialect(
    name: str,
    *,
    model: str,
    task: str | None = None,
    parameters: Mapping[str, Any] | None = None,
    max_tokens: int = 0,
    stop: Sequence[str] = (),
    **more: Any,
) -> Dialect:
    """The dialect `name`, for one model and one task.

    Args:
        name: ``openai``, ``caikit`` or ``kserve``.
        model: the name that the endpoint knows it by.
        task: default the dialect's first.
        parameters: sent along as they are, where the dialect puts parameters.
        max_tokens: the most tokens of an answer; 0 leaves it to the endpoint.
        stop: where an answer ends.
        more: ``input`` and ``output``, names of tensors, for KServe's infer.

    Raises:
        ConfigError: there is no such dialect or task, or no model is named.
    """
    if name not in KINDS:
        raise ConfigError(f"dialect {name!r}: there are {', '.join(KINDS)}")
    tasks = KINDS[name]
    chosen = task or next(iter(tasks))
    wrong = []
    if chosen not in tasks:
        wrong.append(f"task {chosen!r}: {name} has {', '.join(tasks)}")
    if not model:
        wrong.append("model: it is empty; give the name that the endpoint knows it by")
    if unknown := [key for key in more if (name, chosen) != ("kserve", "infer")]:
        wrong.append(f"{', '.join(unknown)}: only kserve's infer has tensors to name")
    if wrong:
        raise ConfigError("\n".join(wrong))
    made: Dialect = tasks[chosen](model, dict(parameters or {}), max_tokens, tuple(stop), **more)
    return made
