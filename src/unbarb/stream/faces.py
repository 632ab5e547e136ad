"""The two faces of a stream: one that calls a guard, one that awaits whoever judges."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence

from unbarb.errors import ConfigError
from unbarb.guard import Guard
from unbarb.segment import MAX_CHARACTERS
from unbarb.stream.flow import Asking, Counts, Flow, Released
from unbarb.stream.judge import judge
from unbarb.stream.pieces import Piece
from unbarb.text import Direction, Verdict

Judge = Callable[[Sequence[Piece]], Awaitable[Sequence[Verdict]]]
"""Decides about pieces and carries the decisions out; verdicts in order, about the pieces alone."""


class _Face:
    """What both faces show of a stream."""

    def __init__(self, id: str | None, limit: int, context: str | None) -> None:
        self._flow = Flow(id, limit, context)

    @property
    def released(self) -> Sequence[Released]:
        """Every piece decided so far, with its start in the stream and its verdict, in order."""
        return self._flow.released

    @property
    def verdicts(self) -> list[Verdict]:
        """One per piece, in order; offsets are relative to the piece."""
        return [one.verdict for one in self._flow.released]

    @property
    def blocked(self) -> bool:
        """Whether a block or a route has ended the stream; nothing leaves any more."""
        return self._flow.blocked

    @property
    def message(self) -> str | None:
        """What the user may be told when the stream was ended."""
        return self._flow.released[-1].verdict.message if self.blocked else None

    @property
    def counts(self) -> Counts:
        return self._flow.counts


class StreamGuard(_Face):
    """Guards a text that comes in chunks: only what has been checked leaves, and what has left stays.

    However the same text is cut into chunks, the same leaves. An error while a piece is judged releases
    nothing and loses nothing: ``feed("")``, or :meth:`close` again, tries once more.

    Args:
        guard: what decides; it must have a rewriter.
        direction: which of the policy's rules count.
        id: the stream's name; a verdict's id is that and the number of its piece.
        limit: the most characters held back where no sentence ends, 40 to 400.
        context: the conversation before, for detectors that read it.

    Raises:
        ConfigError: the guard only checks.
        InputError: `limit` is out of its range.
    """

    def __init__(
        self,
        guard: Guard,
        *,
        direction: Direction = "output",
        id: str | None = None,
        limit: int = MAX_CHARACTERS,
        context: str | None = None,
    ) -> None:
        super().__init__(id, limit, context)
        if not guard.rewrites:
            raise ConfigError(
                "this guard only checks, and a stream must be mended: build it with a rewriter"
            )
        self._guard = guard
        self._direction: Direction = direction

    def feed(self, chunk: str) -> str:
        """Take the next chunk; the text that may leave now, often ""."""
        return self._run(self._flow.feed(chunk))

    def close(self) -> str:
        """The text that was still held back."""
        return self._run(self._flow.close())

    def _run(self, asking: Asking) -> str:
        try:
            pieces = next(asking)
            while True:
                pieces = asking.send(judge(self._guard, pieces, direction=self._direction))
        except StopIteration as done:
            return str(done.value)


class AsyncStreamGuard(_Face):
    """The same where judging must be awaited, as behind a service's batches; one call at a time.

    `judge` does with pieces what :func:`unbarb.stream.judge` does.
    """

    def __init__(
        self,
        judge: Judge,
        *,
        id: str | None = None,
        limit: int = MAX_CHARACTERS,
        context: str | None = None,
    ) -> None:
        super().__init__(id, limit, context)
        self._judge = judge

    async def feed(self, chunk: str) -> str:
        """Take the next chunk; the text that may leave now, often ""."""
        return await self._run(self._flow.feed(chunk))

    async def close(self) -> str:
        """The text that was still held back."""
        return await self._run(self._flow.close())

    async def _run(self, asking: Asking) -> str:
        try:
            pieces = next(asking)
            while True:
                pieces = asking.send(await self._judge(pieces))
        except StopIteration as done:
            return str(done.value)
