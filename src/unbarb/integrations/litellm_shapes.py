"""Where the words are in LiteLLM's requests, replies and chunks, and how they are put back."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from copy import deepcopy
from dataclasses import dataclass
from typing import Any

from unbarb.integrations.fields import Path, Unreadable, put, texts
from unbarb.integrations.spoken import of_message, spoken

CONTENTS = ("prompt", "input", "instructions", "system", "suffix")
"""Fields of requests, beside the messages, that hold a string, or a list of strings, parts or messages."""
LISTED = ("thinking_blocks", "reasoning_items")
"""Fields of a message that hold lists of parts."""
SAID = ("content", "reasoning_content", "reasoning", "refusal", "text", *LISTED)
PASSING = frozenset({*SAID, "role", "tool_calls", "function_call", "images", "index", "finish_reason"})
"""Fields of a message, or of a completion's choice, that are guarded or that hold data for programs."""


@dataclass(frozen=True, slots=True)
class Part:
    """One choice of a reply or of a chunk: what holds its words, and they by their paths in it."""

    index: int
    choice: Any
    holder: Any
    texts: dict[Path, str]


def asked(data: Any) -> Iterator[Path]:
    """The paths of the texts in a request, of whatever kind it is.

    Raises:
        Unreadable: the text is given as tokens.
    """
    for index, message in enumerate(data.get("messages") or ()):
        yield from of_message(message, ("messages", index))
    for name in CONTENTS:
        value = data.get(name)
        if isinstance(value, list) and any(isinstance(one, int | list) for one in value):
            raise Unreadable(f"{name} holds tokens")
        yield from spoken(value, (name,))
        if isinstance(value, list):
            for index, one in enumerate(value):
                yield from of_message(one, (name, index))


def heard(reply: Any) -> list[Part]:
    """The choices of a reply or of a chunk; what in them is unknown and could carry words is taken out.

    Raises:
        Unreadable: it is of a kind that is not known here, or holds speech.
    """
    choices = getattr(reply, "choices", None)
    if not isinstance(choices, list):
        raise Unreadable(f"a reply of the kind {type(reply).__name__} is not known here")
    return [_part(number, choice) for number, choice in enumerate(choices)]


def changed(part: Part, new: Sequence[str]) -> None:
    """Put new texts into a choice; log-probabilities, which spell the old ones, go where these differ."""
    if list(part.texts.values()) == list(new):
        return
    for path, text in zip(part.texts, new, strict=True):
        if len(path) == 1:
            setattr(part.holder, str(path[0]), text)
        else:
            put(getattr(part.holder, str(path[0])), path[1:], text)
    if getattr(part.choice, "logprobs", None) is not None:
        part.choice.logprobs = None


def told(part: Part, message: str) -> None:
    """End a choice with what the user may be told, and with nothing of what it said or would do."""
    for name in PASSING - {"role", "index", "finish_reason"}:
        if getattr(part.holder, name, None) is not None:
            setattr(part.holder, name, None)
    setattr(part.holder, "text" if part.holder is part.choice else "content", message)
    part.choice.finish_reason = "content_filter"
    if getattr(part.choice, "logprobs", None) is not None:
        part.choice.logprobs = None


def ending(chunk: Any, message: str) -> Any:
    """A last chunk like `chunk`, in which every choice ends with what the user may be told."""
    last = deepcopy(chunk)
    for part in heard(last):
        told(part, message)
    return last


def _part(number: int, choice: Any) -> Part:
    holder = getattr(choice, "message", None) or getattr(choice, "delta", None) or choice
    if getattr(holder, "audio", None):
        raise Unreadable("the reply holds speech")
    fields = {**vars(holder), **(getattr(holder, "model_extra", None) or {})}
    for name, value in fields.items():
        passing = PASSING | ({"logprobs", "delta", "message"} if holder is choice else set())
        known = name in passing and (
            name not in LISTED or all(isinstance(one, dict) for one in value or ())
        )
        if not known and not _wordless(value):
            setattr(holder, name, None)
    body = {name: getattr(holder, name, None) for name in SAID}
    index = getattr(choice, "index", None)
    return Part(index if isinstance(index, int) else number, choice, holder, texts(body, _paths))


def _paths(body: Any) -> Iterator[Path]:
    for name, value in body.items():
        yield from spoken(value, (name,))


def _wordless(value: Any) -> bool:
    return value is None or isinstance(value, bool | int | float) or value in ("", [], {})
