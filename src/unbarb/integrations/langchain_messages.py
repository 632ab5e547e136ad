"""The texts in LangChain's messages and prompts: taken out, and put back into copies."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from copy import deepcopy
from typing import Any

from langchain_core.messages import BaseMessage, BaseMessageChunk
from langchain_core.prompt_values import ChatPromptValue, StringPromptValue

from unbarb.errors import InputError, Withheld
from unbarb.integrations.aligned import Aligned, Stream
from unbarb.integrations.fields import Path, put, shown, texts
from unbarb.integrations.spoken import BESIDE, spoken
from unbarb.policy.rules import NOTICE
from unbarb.text import Verdict

Rebuilt = Callable[[Sequence[str]], Any]
"""Gives a value anew, with other texts in the places of its own."""


def of_message(message: BaseMessage) -> dict[Path, str]:
    """The texts in a message by their paths: its content, and the reasoning and refusals beside it."""
    return texts(_body(message), _paths)


def changed(message: BaseMessage, new: Mapping[Path, str]) -> BaseMessage:
    """A copy of `message` with `new` texts; the message itself if they are what it has."""
    old = of_message(message)
    if all(old[path] == text for path, text in new.items()):
        return message
    body = deepcopy(_body(message))
    for path, text in new.items():
        put(body, path, text)
    return message.model_copy(update=body)


def taken(value: Any) -> tuple[list[str], Rebuilt]:
    """The texts in a value that passes through a chain, and what puts others in their places.

    Raises:
        InputError: it is no string, message, prompt or list of these.
    """
    if isinstance(value, str):
        return [value], lambda new: new[0]
    if isinstance(value, BaseMessage):
        found = of_message(value)
        return list(found.values()), lambda new: changed(value, dict(zip(found, new, strict=True)))
    if isinstance(value, StringPromptValue):
        return [value.text], lambda new: value.model_copy(update={"text": new[0]})
    if isinstance(value, ChatPromptValue):
        inner, rebuilt = taken(list(value.messages))
        return inner, lambda new: value.model_copy(update={"messages": rebuilt(new)})
    if isinstance(value, list):
        return _each(value)
    raise InputError(
        f"a {type(value).__name__} has no text that is known here: give a string, a message, a prompt or a"
        " list of these; pick the text out of a mapping with operator.itemgetter"
    )


def stopped(verdicts: Iterable[Verdict]) -> Verdict | None:
    """The first verdict by which a text may not leave."""
    return next((verdict for verdict in verdicts if verdict.text is None), None)


def refused(verdict: Verdict) -> Withheld:
    return Withheld(verdict.message or NOTICE, (str(verdict.id),))


class Chunks:
    """A stream of strings or of chunks of messages, each leaving when its text has been decided.

    Args:
        guard: makes the guard of a text, given its name.
    """

    def __init__(self, guard: Callable[[str], Stream]) -> None:
        self._aligned: Aligned[tuple[str | BaseMessageChunk, list[Path]]] = Aligned(guard)

    def push(self, chunk: str | BaseMessageChunk) -> list[Any]:
        """Take the next chunk; those that may leave now."""
        if isinstance(chunk, str):
            return self._left(self._aligned.push((chunk, [()]), [("text", chunk)]))
        found = of_message(chunk)
        parts = [(_name(chunk, path), text) for path, text in found.items()]
        return self._left(self._aligned.push((chunk, list(found)), parts))

    def close(self) -> list[Any]:
        """The chunks that were still held back."""
        return self._left(self._aligned.close())

    def check(self) -> None:
        """Say when a block has ended the stream.

        Raises:
            Withheld: it has.
        """
        if self._aligned.blocking is not None:
            raise Withheld(self._aligned.blocking.message)

    def _left(self, ready: Sequence[tuple[tuple[Any, list[Path]], list[str]]]) -> list[Any]:
        left = [
            new[0] if isinstance(chunk, str) else changed(chunk, dict(zip(paths, new, strict=True)))
            for (chunk, paths), new in ready
        ]
        return [chunk for chunk in left if chunk != ""]


def _each(values: Sequence[Any]) -> tuple[list[str], Rebuilt]:
    parts = [taken(value) for value in values]

    def rebuilt(new: Sequence[str]) -> list[Any]:
        rest = iter(new)
        return [again([next(rest) for _ in found]) for found, again in parts]

    return [text for found, _ in parts for text in found], rebuilt


def _body(message: BaseMessage) -> dict[str, Any]:
    return {"content": message.content, "additional_kwargs": message.additional_kwargs}


def _paths(body: Any) -> Iterable[Path]:
    yield from spoken(body["content"], ("content",))
    for name in BESIDE:
        if isinstance(body["additional_kwargs"].get(name), str):
            yield ("additional_kwargs", name)


def _name(chunk: BaseMessageChunk, path: Path) -> str:
    """The text's name in the whole stream: a part of a content says by its index which one it goes on."""
    if len(path) > 1 and isinstance(path[1], int):
        part: Any = chunk.content[path[1]]
        if isinstance(part, dict) and "index" in part:
            return shown((path[0], str(part["index"]), *path[2:]))
    return shown(path)
