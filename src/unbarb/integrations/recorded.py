"""A guard whose every decision is on record before anybody sees it."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from unbarb.audit import Event
from unbarb.audit.protocol import Log
from unbarb.errors import AuditError, ConfigError
from unbarb.guard import Guard
from unbarb.policy.rules import NOTICE
from unbarb.stream import Released, StreamGuard
from unbarb.text import Direction, Verdict


class Recorded:
    """A guard and, if there is one, the record of its decisions.

    Args:
        guard: what decides; it must have a rewriter.
        audit: the record; None: nothing is recorded.
        surface: where decisions are made, as the record names it.

    Raises:
        ConfigError: the guard only checks.
    """

    def __init__(self, guard: Guard, audit: Log | None, surface: str) -> None:
        if not guard.rewrites:
            raise ConfigError("this guard only checks: build it with a rewriter")
        self.guard = guard
        self._audit = audit
        self._surface = surface

    def batch(self, texts: Sequence[str], *, direction: Direction, request: str) -> list[Verdict]:
        """Decide about each text and carry it out; verdicts in order, named by the request and a number.

        Raises:
            UnbarbError: the guard failed, or its decisions could not be recorded; nothing may leave.
        """
        ids = [f"{request}:{direction}.{at}" for at in range(len(texts))]
        try:
            verdicts = self.guard.batch(texts, ids=ids, direction=direction)
        except Exception as error:
            self.failed(error, request)
            raise
        self._record([self._event(verdict, request) for verdict in verdicts])
        return verdicts

    def stream(self, *, direction: Direction, request: str, name: str) -> RecordedStream:
        """A guard of a text that comes in chunks; `name` tells it from others of the same request."""
        return RecordedStream(self, StreamGuard(self.guard, direction=direction, id=name), request, name)

    def failed(self, error: Exception, request: str) -> None:
        """Put on record that a text could not be decided about: the error's class, never its words."""
        policy = {"name": self.guard.policy.name, "digest": self.guard.policy.digest}
        what = type(error).__name__
        self._record([Event.failure(what, surface=self._surface, request=request, policy=policy)])

    def pieces(self, released: Sequence[Released], first: int, request: str, stream: str) -> None:
        """Put pieces of a stream on record, of which the first has the number `first`."""
        self._record(
            [
                self._event(one.verdict, request, stream, number)
                for number, one in enumerate(released, start=first)
            ]
        )

    def _event(
        self, verdict: Verdict, request: str, stream: str | None = None, piece: int | None = None
    ) -> Event:
        return Event.of_verdict(
            verdict,
            surface=self._surface,
            request=request,
            stream=stream,
            piece=piece,
            rules=self.guard.policy.audit,
        )

    def _record(self, events: Sequence[Event]) -> None:
        if self._audit is None or not events:
            return
        try:
            self._audit.append(events)
        except AuditError:
            if self.guard.policy.audit.on_failure != "spill":
                raise
            self._audit.spill(events)


class RecordedStream:
    """A `StreamGuard` that gives its pieces out when they are on record."""

    def __init__(self, recorded: Recorded, stream: StreamGuard, request: str, name: str) -> None:
        self._recorded, self._stream, self._request, self._name = recorded, stream, request, name
        self._seen = 0

    @property
    def blocked(self) -> bool:
        """Whether a block or a route has ended the stream; nothing leaves any more."""
        return self._stream.blocked

    @property
    def message(self) -> str:
        """What the user may be told when the stream was ended."""
        return self._stream.message or NOTICE

    def feed(self, chunk: str) -> Sequence[Released]:
        """Take the next chunk; the pieces that were decided with it, often none.

        Raises:
            UnbarbError: the guard failed, or its decisions could not be recorded; nothing more may leave.
        """
        return self._decided(lambda: self._stream.feed(chunk))

    def close(self) -> Sequence[Released]:
        """The pieces that were still held back."""
        return self._decided(self._stream.close)

    def _decided(self, work: Callable[[], str]) -> Sequence[Released]:
        try:
            work()
        except Exception as error:
            self._recorded.failed(error, self._request)
            raise
        new = self._stream.released[self._seen :]
        self._recorded.pieces(new, self._seen, self._request, self._name)
        self._seen += len(new)
        return new


def said(pieces: Sequence[Released]) -> str:
    """The text of pieces, as it may leave."""
    return "".join(one.text for one in pieces)
