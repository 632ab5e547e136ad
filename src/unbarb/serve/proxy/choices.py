"""One choice of a streamed reply: a guard for each of its texts."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

from unbarb.serve.proxy.logprobs import Logprobs, Probabilities, joined
from unbarb.serve.proxy.texts import CALLS, REASONING, SPOKEN
from unbarb.stream import Released
from unbarb.wire.bodies import Halves, Json, wordless

FILTERED = "content_filter"


class Stream(Protocol):
    """What is used of a guard of streams; see `unbarb.stream.AsyncStreamGuard`."""

    @property
    def released(self) -> Sequence[Released]: ...
    @property
    def blocked(self) -> bool: ...
    @property
    def message(self) -> str | None: ...
    async def feed(self, chunk: str) -> str: ...
    async def close(self) -> str: ...


@dataclass(frozen=True, slots=True)
class Layout:
    """How a chat and how a completion are laid out.

    Args:
        reply: the ``object`` of a whole reply.
        chunk: the ``object`` of a chunk of a streamed one.
        message: the field of a choice that holds its texts; None: the choice itself.
        inner: the same of a chunk.
        spoken: the fields that people read.
    """

    reply: str
    chunk: str
    message: str | None
    inner: str | None
    spoken: tuple[str, ...]


CHAT = Layout("chat.completion", "chat.completion.chunk", "message", "delta", SPOKEN)
COMPLETION = Layout("text_completion", "text_completion", None, None, ("text",))


@dataclass(slots=True)
class Spoken:
    """One text: its guard, and the log-probabilities that wait for it."""

    name: str
    guard: Stream
    probabilities: Probabilities = field(default_factory=Probabilities)
    halves: Halves = field(default_factory=Halves)

    async def feed(self, text: str, logprobs: Logprobs | None) -> str:
        text = self.halves.feed(text)
        self.probabilities.take(len(text), logprobs)
        return await self.guard.feed(text)

    async def close(self) -> str:
        half = self.halves.close()
        rest = await self.guard.feed(half) if half else ""
        return rest + await self.guard.close()


class Choice:
    """The texts of one choice, on their way.

    Args:
        index: its number in the reply.
        layout: of a chat or of a completion.
        guard: makes the guard of a text, given its name, such as ``choices[0].content``.
    """

    def __init__(self, index: int, layout: Layout, guard: Callable[[str], Stream]) -> None:
        self._index, self._layout, self._guard = index, layout, guard
        self._open: dict[str, Spoken] = {}
        self.texts: list[Spoken] = []
        self.finished = False
        self.withheld: set[str] = set()

    @property
    def blocking(self) -> Stream | None:
        """The guard that ended this choice, if one did."""
        return next((text.guard for text in self.texts if text.guard.blocked), None)

    async def take(self, raw: Json, *, last: bool = False) -> tuple[Json | None, Json | None]:
        """Take the choice of a chunk; give what it says now, and its last word if that must stand alone.

        Clients may stop reading at a finish reason, so text that comes out at the end goes before it.
        """
        delta = await self._fed(raw)
        finish = raw.get("finish_reason")
        if finish is not None or last or self.blocking:
            await self._end(delta, [*self._open])
            self.finished = True
        if self.blocking:
            delta, finish = self._told(self.blocking, delta), FILTERED
        parts = [text.probabilities.ready(text.guard.released) for text in self.texts]
        logprobs = joined([one for part in parts for one in part])
        if finish is not None and any(delta.get(name) for name in self._layout.spoken):
            return self._written(raw, delta, None, logprobs), self._written(raw, {}, finish, None)
        if not delta and finish is None and (last or self._fields(raw)):
            return None, None
        return self._written(raw, delta, finish, logprobs), None

    def _fields(self, raw: Json) -> Json:
        """The fields of a choice that hold what it says."""
        if self._layout.inner is not None:
            return raw.get(self._layout.inner) or {}
        return {name: raw[name] for name in raw if name in self._layout.spoken}

    async def _fed(self, raw: Json) -> Json:
        """What of this delta may leave: what is for programs, and what its guards let go."""
        delta: Json = {}
        for name, value in self._fields(raw).items():
            if name in self._layout.spoken and value:
                text = await self._text(name).feed(value, _of(raw.get("logprobs"), name))
                if text:
                    delta[name] = text
            elif name in CALLS or wordless(value):
                delta[name] = value
            else:
                self.withheld.add(f"choices.{self._layout.inner}.{name}")
        if self._fields(raw).get("content"):
            # The answer begins: the reasoning before it is over, and nobody should wait for its end.
            await self._end(delta, [name for name in REASONING if name in self._open])
        return delta

    def _text(self, name: str) -> Spoken:
        """The text of this name that is open; a reasoning that goes on after its end is a new one."""
        if name not in self._open:
            again = sum(text.name == name for text in self.texts)
            place = f"choices[{self._index}].{name}" + (f".{again}" if again else "")
            self._open[name] = Spoken(name, self._guard(place))
            self.texts.append(self._open[name])
        return self._open[name]

    async def _end(self, delta: Json, names: Sequence[str]) -> None:
        """End the texts of these names; what they still held goes to `delta`."""
        for name in names:
            rest = await self._open.pop(name).close()
            if rest:
                delta[name] = (delta.get(name) or "") + rest

    def _told(self, guard: Stream, delta: Json) -> Json:
        """A delta that ends in a block: what had been let go before it, and what the user may be told."""
        kept = {name: delta[name] for name in ("role", *self._layout.spoken) if delta.get(name)}
        if self._layout.inner is not None and guard.message:
            kept["refusal"] = kept.get("refusal", "") + guard.message
        return kept

    def _written(self, raw: Json, delta: Json, finish: str | None, logprobs: Json | None) -> Json:
        inner = self._layout.inner
        written: Json = {"index": self._index}
        for name, value in raw.items():
            if name in self._layout.spoken or name in (inner, "index", "finish_reason", "logprobs"):
                continue
            if wordless(value):
                written[name] = value
            else:
                self.withheld.add(f"choices.{name}")
        written |= {"text": "", **delta} if inner is None else {inner: delta}
        if "logprobs" in raw or logprobs:
            written["logprobs"] = logprobs
        if "finish_reason" in raw or finish is not None:
            written["finish_reason"] = finish
        return written


def _of(logprobs: Any, name: str) -> Logprobs | None:
    """The part of a chunk's log-probabilities that belongs to the text `name`."""
    if not isinstance(logprobs, dict):
        return None
    if name in ("content", "refusal"):
        return {name: logprobs[name]} if logprobs.get(name) else None
    return logprobs if name == "text" else None
