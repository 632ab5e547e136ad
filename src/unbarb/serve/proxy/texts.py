"""Where the text is in a request and in a reply: places to read from and to write back to.

Of a request, guarded are the ``content`` of every message whatever its role (a string, or its parts
``text`` and ``refusal``, each alone and all of them together), ``refusal``, ``reasoning_content``,
``reasoning`` and the ``name`` of who speaks, and the content of a ``prediction``; of a completion the
prompts and the suffix. Tool calls, names of functions, tools, schemas, images, audio and files are left as
they are.

Of a reply, guarded are the same fields; role and tool calls pass; whatever else could carry words is
withheld, so that a field which is new tomorrow leaks nothing.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from unbarb.serve.errors import Invalid
from unbarb.wire.bodies import Json, sound, wordless

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
OF_FUNCTIONS = frozenset({"tool", "function"})
"""Roles whose name is a function's, not a speaker's."""
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


@dataclass(frozen=True, slots=True)
class Name(Place):
    """The name of who speaks; one that may not stay goes, for upstreams take few names."""

    def put(self, text: str) -> bool:
        """Leave the name as it is, or take it out."""
        changed = bool(self.holder[self.key] != text)
        if changed:
            del self.holder[self.key]
        return changed


@dataclass(frozen=True, slots=True)
class Joined:
    """All text of one content, as it reads in one go: harmless parts may not be so together.

    It stands behind its `parts`, which are judged and written back first; `content` is the list of all
    parts, of images too.
    """

    where: str
    content: list[Any]
    parts: tuple[Place, ...]

    @property
    def text(self) -> str:
        """What the parts say now."""
        return sound("".join(part.holder[part.key] for part in self.parts))

    def put(self, text: str) -> bool:
        """Where the parts do not say `text`, the first one says it all and the others go."""
        if text == self.text:
            return False
        first, *others = self.parts
        gone = {id(part.holder) for part in others}
        self.content[:] = [part for part in self.content if id(part) not in gone]
        first.put(text)
        return True


Text = Place | Joined


def of_chat(body: Json) -> list[Text]:
    """The texts of all messages of a request, in order.

    Raises:
        Invalid: the body is no chat request, or holds what cannot be checked; every problem is named.
    """
    messages = body.get("messages")
    if not isinstance(messages, list) or not messages:
        raise Invalid("messages: give a list of one message or more")
    found = [one for at, message in enumerate(messages) for one in _of_asking(message, f"messages[{at}]")]
    found += _of_prediction(body.get("prediction"))
    problems = [one for one in found if isinstance(one, str)]
    modalities = body.get("modalities")
    if isinstance(modalities, list) and "audio" in modalities:
        problems.append("modalities: speech cannot be checked; ask for text only")
    if problems:
        raise Invalid("; ".join(problems), problems=[{"detail": problem} for problem in problems])
    return [one for one in found if not isinstance(one, str)]


def of_completion(body: Json) -> list[Text]:
    """The prompts and the suffix of a request.

    Raises:
        Invalid: a prompt is missing or is not text.
    """
    prompt, suffix = body.get("prompt"), body.get("suffix")
    if isinstance(prompt, str):
        places: list[Text] = [Place("prompt", body, "prompt")]
    elif isinstance(prompt, list) and prompt and all(isinstance(one, str) for one in prompt):
        places = [Place(f"prompt[{at}]", prompt, at) for at in range(len(prompt))]
    else:
        raise Invalid("prompt: give a string or a list of strings; tokens cannot be checked")
    if not isinstance(suffix, str | None):
        raise Invalid("suffix: give a string")
    return places + ([Place("suffix", body, "suffix")] if suffix else [])


def of_message(message: Json, where: str) -> list[Text]:
    """The texts of a message in a reply.

    Raises:
        ValueError: a field that people read is no text.
    """
    places: list[Text] = []
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


def _of_asking(message: Any, where: str) -> Iterator[Text | str]:
    """The places in a message of a request, and what is wrong with it."""
    yield from _of_message(message, where)
    if not isinstance(message, dict) or str(message.get("role")) in OF_FUNCTIONS:
        return
    name = message.get("name")
    if isinstance(name, str):
        yield Name(f"{where}.name", message, "name")
    elif name is not None:
        yield f"{where}.name: is no text"


def _of_prediction(prediction: Any) -> Iterator[Text | str]:
    """The places in what a request says the reply will mostly be, and what is wrong with it."""
    if isinstance(prediction, dict):
        yield from _of_field(prediction, "content", "prediction.content")
    elif prediction is not None:
        yield "prediction: is not an object"


def _of_message(message: Any, where: str) -> Iterator[Text | str]:
    """The places in a message, and what is wrong with it."""
    if not isinstance(message, dict):
        yield f"{where}: is not an object"
        return
    for name in SPOKEN:
        yield from _of_field(message, name, f"{where}.{name}")


def _of_field(holder: Json, name: str, where: str) -> Iterator[Text | str]:
    """The places in one field, or what is wrong with it."""
    value = holder.get(name)
    if isinstance(value, str):
        if value:
            yield Place(where, holder, name)
    elif isinstance(value, list) and name == "content":
        yield from _of_parts(value, where)
    elif value is not None:
        yield f"{where}: is no text"


def _of_parts(content: list[Any], where: str) -> Iterator[Text | str]:
    """The places in a content of several parts, and behind them all of its text as one."""
    places = []
    for at, part in enumerate(content):
        kind = str(part.get("type")) if isinstance(part, dict) else ""
        key = TEXT_PARTS.get(kind)
        if key is not None and isinstance(part.get(key), str):
            if part[key]:
                places.append(Place(f"{where}[{at}].{key}", part, key))
        elif kind not in OTHER_PARTS:
            known = ", ".join([*TEXT_PARTS, *sorted(OTHER_PARTS)])
            yield f"{where}[{at}]: is none of the parts that are known here ({known})"
    yield from places
    if len(places) > 1:
        yield Joined(where, content, tuple(places))
