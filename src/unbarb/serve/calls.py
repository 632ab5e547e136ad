"""What a dialect is handed for one request: a guard behind the batches, the record and the metrics."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from contextlib import suppress
from time import perf_counter
from typing import TYPE_CHECKING, Any

from starlette.requests import Request

from unbarb.audit import Event
from unbarb.audit.event import NO_DETAILS
from unbarb.errors import ConfigError, InputError
from unbarb.policy import Policy
from unbarb.serve.batching import Judged
from unbarb.serve.errors import (
    AuditFailed,
    DeadlineExceeded,
    DetectorFailed,
    Forbidden,
    Invalid,
    NotFound,
    ServiceError,
    Unauthorized,
)
from unbarb.serve.keys import Key
from unbarb.serve.marks import Asked, Marks
from unbarb.serve.policies import Loaded
from unbarb.serve.streams import MeasuredStream
from unbarb.serve.taken import Context, check_unicode, taken
from unbarb.stream import AsyncStreamGuard, Piece
from unbarb.text import Direction, Verdict

if TYPE_CHECKING:
    from unbarb.serve.service import Service

POLICY_HEADER = "unbarb-policy"
SUBJECT_HEADER = "unbarb-subject"
FAILURE_WAIT = 1.0
"""Seconds that the answer to a failed request waits for the record."""


class Call:
    """One request, after its key was found good.

    The policy is the one that the request names, else the key's, else the server's. Whatever is decided
    is on record before it is given out.
    """

    def __init__(
        self,
        service: Service,
        *,
        surface: str,
        request_id: str,
        key: Key | None,
        policy: str | None = None,
        subject: str | None = None,
    ) -> None:
        self.request_id = request_id
        self.surface = surface
        self.key = key
        self.subject = subject
        """Whom the texts are of, as the caller names them: the record keeps a keyed hash of it."""
        self._service = service
        self._deadline = asyncio.get_running_loop().time() + service.settings.deadline
        self._loaded: Loaded | None = None
        self._failed = False
        self._owed: list[asyncio.Future[None]] = []
        self._named = (key.policy if key else None) or service.policies.default
        if policy is not None:
            self.use_policy(policy)

    @property
    def policy(self) -> Policy:
        """The policy in force for this request; fixed once anything was judged by it."""
        return self._resolved().policy

    async def prepare(self) -> Policy:
        """The policy in force, where it is looked at before anything is judged by it.

        Raises:
            DetectorFailed: its guard cannot be built.
        """
        return (await self._prepared()).policy

    def use_policy(self, name: str) -> None:
        """Judge by the policy of this name.

        Raises:
            NotFound: there is none.
            Forbidden: the key may not use it.
        """
        if self.key is not None and not self.key.may_use(name):
            raise Forbidden(f"this key may not use the policy {name!r:.80}; it may use {_listed(self.key)}")
        if not self._service.policies.known(name):
            names = ", ".join(self._service.policies.names)
            raise NotFound(f"no policy named {name!r:.80}; there are {names}", code="unknown_policy")
        self._named, self._loaded = name, None

    async def policies(self) -> dict[str, Any]:
        """The policies that this request's key may name, and the one that holds when none is named."""
        known = await asyncio.to_thread(self._service.policies.listed)
        shown = [one for one in known if self.key is None or self.key.may_use(one.name)]
        return {
            "default": self._named,
            "policies": [
                {"name": one.name, "digest": one.digest, "description": one.description} for one in shown
            ],
        }

    async def check(
        self,
        texts: Sequence[str],
        *,
        direction: Direction = "none",
        ids: Sequence[str | None] | None = None,
        context: Context = None,
        store_text: bool = True,
        details: Mapping[str, Any] = NO_DETAILS,
    ) -> list[Verdict]:
        """Decide about each text and change nothing; verdicts in order, all of them on record.

        `context` is one for all texts, or one for each; `details` stand in the record beside the decision
        and may hold no text.

        Raises:
            ServiceError: too many texts, a full queue, a deadline, a failure of guard or record.
        """
        items = taken(texts, ids, context, self._service.settings)
        return await self._judge("check", items, direction, Marks(store_text, details))

    async def rewrite(
        self,
        texts: Sequence[str],
        *,
        direction: Direction = "none",
        ids: Sequence[str | None] | None = None,
        context: Context = None,
        store_text: bool = True,
        details: Mapping[str, Any] = NO_DETAILS,
        later: bool = False,
    ) -> list[Verdict]:
        """Decide about each text and carry the decision out; else as :meth:`check`.

        With `later` the verdicts come before they are on record: the caller awaits :meth:`settled` before
        it gives anything out, or has more decided, which is recorded together.
        """
        items = taken(texts, ids, context, self._service.settings)
        return await self._judge("rewrite", items, direction, Marks(store_text, details, later=later))

    def stream(
        self,
        *,
        direction: Direction = "output",
        id: str | None = None,
        store_text: bool = True,
        context: str | None = None,
        known: Callable[[Piece], Verdict | None] | None = None,
    ) -> AsyncStreamGuard:
        """A stream whose every piece is on record before it leaves; `id` is its name in the record.

        A piece that `known` has a verdict for was decided and recorded before; that is not done again.
        """
        name = id or self.request_id
        count = 0

        async def judged(pieces: Sequence[Piece]) -> list[Verdict]:
            nonlocal count
            self.renew()
            before = [found for piece in pieces if known and (found := known(piece))]
            if len(before) == len(pieces):
                count += len(pieces)
                return before
            check_unicode(pieces)
            marks = Marks(store_text, stream=name, first=count)
            verdicts = await self._judge("stream", pieces, direction, marks)
            count += len(pieces)
            return verdicts

        return MeasuredStream(judged, self._service.meters, id=name, context=context)

    async def failed(self, error: Exception) -> None:
        """Count a failure of this request and put it on record, once.

        Nothing was given out, so the answer does not wait long for a slow record.

        Raises:
            AuditFailed: it could not be recorded.
        """
        if self._failed:
            return
        self._failed = True
        code = error.kind if isinstance(error, ServiceError) else type(error).__name__
        self._service.meters.failed(self.surface, code)
        policy = self._loaded.policy if self._loaded else None
        asked = self._asked
        event = Event.failure(
            code,
            surface=asked.surface,
            request=asked.request,
            key=asked.key,
            policy={"name": policy.name, "digest": policy.digest} if policy else None,
            rules=policy.audit if policy else None,
        )
        with suppress(TimeoutError):  # it is written when the record is back; the answer does not wait
            async with asyncio.timeout(FAILURE_WAIT):
                await self._service.recorder.record([event])

    async def settled(self) -> None:
        """Wait until all that was decided is on record.

        Raises:
            AuditFailed: it could not be recorded, or not within the deadline.
        """
        owed, self._owed = self._owed, []
        if not owed:
            return
        self._service.recorder.start()
        left = self._deadline - asyncio.get_running_loop().time()
        written, late = await asyncio.wait(owed, timeout=max(0.0, left))
        if late:
            raise _unrecorded()
        for one in written:
            one.result()

    def renew(self) -> None:
        """Every piece of a stream has a deadline of its own: an upstream may speak for minutes."""
        self._deadline = asyncio.get_running_loop().time() + self._service.settings.deadline

    @property
    def _asked(self) -> Asked:
        return Asked(self.surface, self.request_id, self.key.id if self.key else None, self.subject)

    def _resolved(self) -> Loaded:
        if self._loaded is None:
            try:
                self._loaded = self._service.policies.get(self._named)
            except ConfigError as error:
                raise DetectorFailed(f"the policy {self._named!r} is not in force: {error}") from error
        return self._loaded

    async def _judge(
        self, kind: str, items: Sequence[Judged], direction: Direction, marks: Marks
    ) -> list[Verdict]:
        if not items:
            return []
        service, began = self._service, perf_counter()
        verdicts: list[Verdict] = []
        try:
            with service.tracing.guarding(self.surface, self.request_id) as span:
                async with asyncio.timeout_at(self._deadline):
                    loaded, verdicts = await self._decided(kind, items, direction)
                    span.decided(verdicts)
                    service.meters.decided(self.surface, verdicts, loaded.policy)
                    seconds = (perf_counter() - began) / len(items)
                    events = marks.events(verdicts, self._asked, loaded.policy.audit, seconds)
                    if marks.later:
                        self._owed.append(service.recorder.later(events))
                    else:
                        await service.recorder.record(events)
                        await self.settled()
        except TimeoutError as error:
            if verdicts:
                raise _unrecorded() from error
            limit = service.settings.deadline
            raise DeadlineExceeded(
                f"not done within {limit:g} seconds; send less at once, or try again", retry_after=1
            ) from error
        return verdicts

    async def _prepared(self) -> Loaded:
        if not self._service.policies.ready(self._named):
            # A preset's guard is built when it is first asked for: files are read, so not in this loop.
            await asyncio.to_thread(self._resolved)
        return self._resolved()

    async def _decided(
        self, kind: str, items: Sequence[Judged], direction: Direction
    ) -> tuple[Loaded, list[Verdict]]:
        loaded = await self._prepared()
        try:
            return loaded, await self._service.lanes[kind].submit(loaded.guard, items, direction)
        except ServiceError:
            raise
        except InputError as error:
            raise Invalid(str(error)) from error
        except Exception as error:  # a plug-in may raise anything; nothing passes unjudged
            raise DetectorFailed(
                f"the guard could not decide ({type(error).__name__}); nothing was let through",
                retry_after=1,
            ) from error


def call_of(surface: str, scope: str = "check") -> Callable[[Request], Awaitable[Call]]:
    """A FastAPI dependency that gives the request's :class:`Call`.

    `scope` is what the key must be good for: check, rewrite, proxy or admin.
    """

    async def call(request: Request) -> Call:
        service: Service = request.app.state.service
        if not request.state.admitted:
            raise Unauthorized("this path was not let in")
        key: Key | None = request.state.key
        if key is not None and not key.may(scope):
            raise Forbidden(f"this key is good for {', '.join(key.scopes)} and not for {scope}")
        found = Call(
            service,
            surface=surface,
            request_id=request.state.request_id,
            key=key,
            policy=request.headers.get(POLICY_HEADER),
            subject=request.headers.get(SUBJECT_HEADER),
        )
        request.state.call = found
        return found

    return call


def _unrecorded() -> AuditFailed:
    return AuditFailed(
        "the decision could not be recorded in time, so it is not given out; try again", retry_after=1
    )


def _listed(key: Key) -> str:
    return ", ".join(dict.fromkeys([*key.policies, *([key.policy] if key.policy else [])]))
