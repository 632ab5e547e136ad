"""Where the text is in a request and in a reply: places to read from and to write back to.

Of a request, guarded are the ``content`` of every message whatever its role (a string, or its parts
``text`` and ``refusal``), ``refusal``, ``reasoning_content`` and ``reasoning``; of a completion the prompts
and the suffix. Tool calls, names, tools, schemas, images, audio and files are left as they are.

Of a reply, guarded are the same fields; role and tool calls pass; whatever else could carry words is
withheld, so that a field which is new tomorrow leaks nothing.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from unbarb.serve.errors import Invalid
from unbarb.serve.proxy.bodies import Json, sound, wordless

REASONING = ("reasoning_content", "reasoning")
"""The reasoning, as vLLM and as OpenRouter name it."""
SPOKEN = ("content", "refusal", *REASONING)
"""Fields that people read."""
CALLS = frozenset({"role", "tool_calls", "function_call"})
"""Fields that programs read."""
AROUND = frozenset(
    {"id", "object", "created", "model", "system_fingerprint", "service_tier", "usage", "provider"}
)
"""Fields around the choices that hold nothing of what the model said."""

TEXT_PARTS = {"text": "text", "refusal": "refusal"}
OTHER_PARTS = frozenset({"image_url", "input_audio", "file"})
OF_A_PART = frozenset({"type", *TEXT_PARTS.values()})
"""Fields of a part of a reply that may leave."""


@dataclass(frozen=True, slots=True)
class Place:
    """One text inside a JSON body; `where` names it as ``messages[0].content[1].text``."""

    where: str
    holder: Any
    key: str | int

    @property
    def text(self) -> str:
        """What is judged: Unicode, even where half a surrogate pair stands in the body."""
        return sound(self.holder[self.key])

    def put(self, text: str) -> bool:
        """Set what may leave; whether that is anything else than what stood there."""
        changed = bool(self.holder[self.key] != text)
        self.holder[self.key] = text
        return changed


def of_chat(body: Json) -> list[Place]:
    """The texts of all messages of a request, in order.

    Raises:
        Invalid: the body is no chat request, or holds what cannot be checked; every problem is named.
    """
    messages = body.get("messages")
    if not isinstance(messages, list) or not messages:
        raise Invalid("messages: give a list of one message or more")
    found = [one for at, message in enumerate(messages) for one in _of_message(message, f"messages[{at}]")]
    problems = [one for one in found if isinstance(one, str)]
    modalities = body.get("modalities")
    if isinstance(modalities, list) and "audio" in modalities:
        problems.append("modalities: speech cannot be checked; ask for text only")
    if problems:
        raise Invalid("; ".join(problems), problems=[{"detail": problem} for problem in problems])
    return [one for one in found if isinstance(one, Place)]


def of_completion(body: Json) -> list[Place]:
    """The prompts and the suffix of a request.

    Raises:
        Invalid: a prompt is missing or is not text.
    """
    prompt, suffix = body.get("prompt"), body.get("suffix")
    if isinstance(prompt, str):
        places = [Place("prompt", body, "prompt")]
    elif isinstance(prompt, list) and prompt and all(isinstance(one, str) for one in prompt):
        places = [Place(f"prompt[{at}]", prompt, at) for at in range(len(prompt))]
    else:
        raise Invalid("prompt: give a string or a list of strings; tokens cannot be checked")
    if not isinstance(suffix, str | None):
        raise Invalid("suffix: give a string")
    return places + ([Place("suffix", body, "suffix")] if suffix else [])


def of_message(message: Json, where: str) -> list[Place]:
    """The texts of a message in a reply.

    Raises:
        ValueError: a field that people read is no text.
    """
    places = []
    for found in _of_message(message, where):
        if isinstance(found, str):
            raise ValueError(found)
        places.append(found)
    return places


def keep(holder: Json, names: frozenset[str], where: str) -> Iterator[str]:
    """Take out of `holder` what is not in `names` and could carry words; give the names of what went."""
    for name in [name for name, value in holder.items() if name not in names and not wordless(value)]:
        del holder[name]
        yield f"{where}{name}"


def strip(message: Json, where: str) -> Iterator[str]:
    """Take out of a message of a reply what could carry words and is not checked; give its names."""
    yield from keep(message, CALLS.union(SPOKEN), where)
    parts = message.get("content")
    for part in parts if isinstance(parts, list) else ():
        if isinstance(part, dict):
            yield from keep(part, OF_A_PART, f"{where}content.")


def _of_message(message: Any, where: str) -> Iterator[Place | str]:
    """The places in a message, and what is wrong with it."""
    if not isinstance(message, dict):
        yield f"{where}: is not an object"
        return
    for name in SPOKEN:
        yield from _of_field(message, name, f"{where}.{name}")


def _of_field(message: Json, name: str, where: str) -> Iterator[Place | str]:
    """The places in one field of a message, or what is wrong with it."""
    value = message.get(name)
    if isinstance(value, str):
        if value:
            yield Place(where, message, name)
    elif isinstance(value, list) and name == "content":
        for at, part in enumerate(value):
            kind = str(part.get("type")) if isinstance(part, dict) else ""
            key = TEXT_PARTS.get(kind)
            if key is not None and isinstance(part.get(key), str):
                if part[key]:
                    yield Place(f"{where}[{at}].{key}", part, key)
            elif kind not in OTHER_PARTS:
                known = ", ".join([*TEXT_PARTS, *sorted(OTHER_PARTS)])
                yield f"{where}[{at}]: is none of the parts that are known here ({known})"
    elif value is not None:
        yield f"{where}: is no text"
