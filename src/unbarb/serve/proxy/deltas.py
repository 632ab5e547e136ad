"""Chunks of a streamed reply, guarded.

A chunk goes in, the chunks that may leave come out; nothing is read or sent here. Tool calls pass at
once and untouched; text leaves as its guard lets it go; and a chunk of which nothing was held back,
changed or withheld leaves as the very bytes that came.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from unbarb.serve.proxy.choices import Choice, Layout, Stream
from unbarb.serve.proxy.texts import AROUND, keep
from unbarb.text import Verdict
from unbarb.wire.bodies import Json, read, written


class Malformed(Exception):  # noqa: N818 - says what the chunk is
    """A chunk that cannot be read, and so cannot be checked."""


class Reported(Exception):  # noqa: N818 - says who found the error
    """The upstream says in the middle of its stream that it failed; `error` is what it says."""

    def __init__(self, error: Any) -> None:
        super().__init__("the upstream reported an error")
        self.error = error


class Deltas:
    """The choices of one streamed reply.

    Args:
        layout: of a chat or of a completion.
        guard: makes the guard of a text, given its name, such as ``choices[0].content``.
        report: what the last chunk tells in its field ``unbarb``, given the verdicts and the names of
            fields that were withheld.
        choices: how many the caller asked for.
    """

    def __init__(
        self,
        layout: Layout,
        guard: Callable[[str], Stream],
        report: Callable[[Sequence[Verdict], Sequence[str]], Json],
        choices: int = 1,
    ) -> None:
        self._layout, self._guard, self._report, self._asked = layout, guard, report, choices
        self._choices: dict[int, Choice] = {}
        self._withheld: set[str] = set()
        self._around: Json = {"id": "", "object": layout.chunk, "created": 0, "model": ""}
        self._reported = False

    @property
    def finished(self) -> bool:
        """Whether every choice has come to its end."""
        return len(self._choices) >= self._asked and all(one.finished for one in self._choices.values())

    @property
    def blocked(self) -> bool:
        """Whether every choice was ended by a guard, so that nothing more can leave."""
        return self.finished and all(one.blocking for one in self._choices.values())

    async def take(self, data: bytes) -> list[bytes]:
        """Give the chunks, as JSON, that may leave now that this one has come.

        Raises:
            Malformed: it cannot be read; nothing that was held back may leave any more.
            Reported: the upstream says that it failed; nothing may leave either.
        """
        chunk = self._read(data)
        self._withheld.update(keep(around := {**chunk}, AROUND | {"choices"}, ""))
        self._around |= {name: around[name] for name in self._around if name in around}
        said: list[Json] = []
        ended: list[Json] = []
        for raw in chunk["choices"]:
            choice = self._choices.setdefault(raw["index"], Choice(raw["index"], self._layout, self._guard))
            if not choice.finished:
                now, end = await choice.take(raw)
                said += [now] if now else []
                ended += [end] if end else []
        chunks = [around | {"choices": said}] if said or not chunk["choices"] else []
        if ended:
            # What counts the whole, such as the usage, goes with the last.
            for first in chunks:
                first.pop("usage", None)
            chunks.append(around | {"choices": ended})
        if self.finished:
            self._add_report(chunks)
        return [data if one == chunk else written(one) for one in chunks]

    async def close(self) -> list[bytes]:
        """The upstream says that it is done: end the choices that it left open."""
        said: list[Json] = []
        ended: list[Json] = []
        for index, choice in self._choices.items():
            if not choice.finished:
                now, end = await choice.take({"index": index, "finish_reason": None}, last=True)
                said += [now] if now else []
                ended += [end] if end else []
        chunks = [self._around | {"choices": choices} for choices in (said, ended) if choices]
        if not (chunks or self._reported):
            chunks.append(self._around | {"choices": []})
        self._add_report(chunks)
        return [written(one) for one in chunks]

    def _add_report(self, chunks: list[Json]) -> None:
        if chunks and not self._reported:
            self._reported = True
            texts = [text for choice in self._choices.values() for text in choice.texts]
            verdicts = [piece.verdict for text in texts for piece in text.guard.released]
            withheld = self._withheld.union(*(choice.withheld for choice in self._choices.values()))
            chunks[-1]["unbarb"] = self._report(verdicts, sorted(withheld))

    def _read(self, data: bytes) -> Json:
        try:
            chunk = read(data)
        except ValueError as error:
            raise Malformed(f"a chunk that cannot be read: {type(error).__name__}") from error
        if chunk.get("error"):
            raise Reported(chunk["error"])
        choices = chunk.get("choices")
        if not isinstance(choices, list):
            raise Malformed("a chunk without a list of choices")
        for choice in choices:
            self._check(choice)
        return chunk

    def _check(self, choice: Any) -> None:
        index = choice.get("index") if isinstance(choice, dict) else None
        if not isinstance(index, int) or isinstance(index, bool) or index < 0:
            raise Malformed("a choice without its index")
        inner = choice if self._layout.inner is None else choice.get(self._layout.inner)
        if inner is None:
            return
        if not isinstance(inner, dict):
            raise Malformed(f"a {self._layout.inner} that is no object")
        for name in self._layout.spoken:
            if not isinstance(inner.get(name), str | None):
                raise Malformed(f"a {name} that is not text")
        if not isinstance(choice.get("finish_reason"), str | None):
            raise Malformed("a finish_reason that is no word")
