"""Where the text is in a request and in a reply: places to read from and to write back to.

Of a request, guarded are the ``content`` of every message whatever its role (a string, or its parts
``text`` and ``refusal``), ``refusal``, ``reasoning_content`` and ``reasoning``; of a completion the prompts
and the suffix. Tool calls, names, tools, schemas, images, audio and files are left as they are.

Of a reply, guarded are the same fields; role and tool calls pass; whatever else could carry words is
withheld, so that a field which is new tomorrow leaks nothing.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from unbarb.serve.errors import Invalid
from unbarb.serve.proxy.bodies import Json, sound, wordless

SPOKEN = ("content", "refusal", "reasoning_content", "reasoning")
"""Fields that people read; the last two are the reasoning, as vLLM and as OpenRouter name it."""
CALLS = frozenset({"role", "tool_calls", "function_call"})
"""Fields that programs read."""
AROUND = frozenset(
    {"id", "object", "created", "model", "system_fingerprint", "service_tier", "usage", "provider"}
)
"""Fields around the choices that hold nothing of what the model said."""

TEXT_PARTS = {"text": "text", "refusal": "refusal"}
OTHER_PARTS = frozenset({"image_url", "input_audio", "file"})


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
    places: list[Place] = []
    modalities = body.get("modalities")
    speaks = isinstance(modalities, list) and "audio" in modalities
    problems = ["modalities: speech cannot be checked; ask for text only"] if speaks else []
    for at, message in enumerate(messages):
        if not isinstance(message, dict):
            problems.append(f"messages[{at}]: is not an object")
            continue
        for name in SPOKEN:
            for found in _of_field(message, name, f"messages[{at}].{name}"):
                (places if isinstance(found, Place) else problems).append(found)  # type: ignore[arg-type]
    _refuse(problems)
    return places


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
    """The texts of a message in a reply; what else could carry words is taken out.

    Raises:
        ValueError: a field that people read is no text.
    """
    places = []
    for name in SPOKEN:
        for found in _of_field(message, name, f"{where}.{name}"):
            if isinstance(found, str):
                raise ValueError(found)
            places.append(found)
    return places


def keep(holder: Json, names: frozenset[str], where: str) -> Iterator[str]:
    """Take out of `holder` what is not in `names` and could carry words; give the names of what went."""
    for name in [name for name, value in holder.items() if name not in names and not wordless(value)]:
        del holder[name]
        yield f"{where}{name}"


def _of_field(message: Json, name: str, where: str) -> Iterator[Place | str]:
    """The places in one field of a message, or what is wrong with it."""
    value = message.get(name)
    if isinstance(value, str):
        if value:
            yield Place(where, message, name)
    elif isinstance(value, list) and name == "content":
        for at, part in enumerate(value):
            kind = part.get("type") if isinstance(part, dict) else None
            key = TEXT_PARTS.get(kind) if isinstance(kind, str) else None
            if key is not None and isinstance(part.get(key), str):
                if part[key]:
                    yield Place(f"{where}[{at}].{key}", part, key)
            elif kind not in OTHER_PARTS:
                known = ", ".join([*TEXT_PARTS, *sorted(OTHER_PARTS)])
                yield f"{where}[{at}]: is none of the parts that are known here ({known})"
    elif value is not None:
        yield f"{where}: is no text"


def _refuse(problems: Sequence[str]) -> None:
    if problems:
        raise Invalid("; ".join(problems), problems=[{"detail": problem} for problem in problems])
