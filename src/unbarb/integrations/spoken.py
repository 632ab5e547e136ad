"""Where the words are in the content of a chat message, as OpenAI, Anthropic and LangChain write it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from unbarb.integrations.fields import Path

SAID = {
    "text": "text",
    "input_text": "text",
    "output_text": "text",
    "summary_text": "text",
    "reasoning_text": "text",
    "text-plain": "text",
    "refusal": "refusal",
    "reasoning": "reasoning",
    "thinking": "thinking",
}
"""The field with the words in each part of a content that people read, by the part's type."""

BESIDE = ("refusal", "reasoning_content", "reasoning")
"""Fields beside the content that people read too."""


def spoken(content: Any, path: Path = ()) -> Iterator[Path]:
    """The paths of all words in `content`, which stands at `path`.

    A content is a string or a list of strings and parts. Tool calls, images and all other parts are data
    for programs, and have none.
    """
    if isinstance(content, str):
        yield path
    elif isinstance(content, list):
        for index, part in enumerate(content):
            here = (*path, index)
            if isinstance(part, str):
                yield here
            elif isinstance(part, dict):
                key = SAID.get(str(part.get("type")))
                if key is not None and isinstance(part.get(key), str):
                    yield (*here, key)
                if part.get("type") == "reasoning":
                    for inner in ("summary", "content"):
                        yield from spoken(part.get(inner), (*here, inner))


def of_message(message: Any, path: Path = ()) -> Iterator[Path]:
    """The paths of all words in a message, an object with its `content`, which stands at `path`."""
    if isinstance(message, dict):
        yield from spoken(message.get("content"), (*path, "content"))
        for name in BESIDE:
            if isinstance(message.get(name), str):
                yield (*path, name)
