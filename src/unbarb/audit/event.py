"""What a caller hands to the record: an event, with nothing hashed or encrypted yet."""

from __future__ import annotations

import os
import time as clock
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, Literal
from uuid import UUID

from unbarb.policy import AuditRules, Policy
from unbarb.text import Verdict

Kind = Literal["decision", "failure", "policy", "admin"]

NO_DETAILS: Mapping[str, Any] = {}


def new_id() -> str:
    """A UUID of version 7: it begins with the time, so that ids sort by when they were made.

    Source: RFC 9562, section 5.7.
    """
    milliseconds = clock.time_ns() // 1_000_000
    random = int.from_bytes(os.urandom(10))
    number = (milliseconds & (1 << 48) - 1) << 80 | random
    number = number & ~(0xF << 76) | 0x7 << 76  # the version
    number = number & ~(0x3 << 62) | 0x2 << 62  # the variant
    return str(UUID(int=number))


def now() -> datetime:
    return datetime.now(UTC)


@dataclass(frozen=True, slots=True, kw_only=True)
class Event:
    """One thing that happened and must be on record.

    `id` makes recording idempotent: the same event recorded twice stands there once. `surface` is
    where it happened ("native", "perspective", "chat", "library"…), `request` the request's id,
    `key` the id of the caller's key (never the key), `stream` and `piece` the stream's id and the
    number of the piece in it, `subject` whom the text is of, of which only a keyed hash is written.
    Texts are kept only where `rules` say so (``policy.audit``) and `store_text` does not forbid it.
    """

    kind: Kind
    surface: str
    request: str
    key: str | None = None
    stream: str | None = None
    piece: int | None = None
    subject: str | None = None
    policy: Mapping[str, str] | None = None
    verdict: Verdict | None = None
    seconds: float | None = None
    error: str | None = None
    details: Mapping[str, Any] = field(default_factory=dict)
    rules: AuditRules = field(default_factory=AuditRules)
    store_text: bool = True
    id: str = field(default_factory=new_id)
    time: datetime = field(default_factory=now)

    @classmethod
    def of_verdict(
        cls,
        verdict: Verdict,
        *,
        surface: str,
        request: str,
        key: str | None = None,
        stream: str | None = None,
        piece: int | None = None,
        subject: str | None = None,
        seconds: float | None = None,
        details: Mapping[str, Any] = NO_DETAILS,
        rules: AuditRules | None = None,
        store_text: bool = True,
    ) -> Event:
        """A decision. Without `rules`, the policy's `audit`, no text is kept."""
        return cls(
            kind="decision",
            surface=surface,
            request=request,
            key=key,
            stream=stream,
            piece=piece,
            subject=subject,
            policy=verdict.policy,
            verdict=verdict,
            seconds=seconds,
            details=details,
            rules=rules or AuditRules(),
            store_text=store_text,
        )

    @classmethod
    def failure(
        cls,
        error: str,
        *,
        surface: str,
        request: str,
        key: str | None = None,
        stream: str | None = None,
        piece: int | None = None,
        policy: Mapping[str, str] | None = None,
        seconds: float | None = None,
        details: Mapping[str, Any] = NO_DETAILS,
        rules: AuditRules | None = None,
    ) -> Event:
        """An error, a time-out or a refusal; `error` is its class or code, never its message."""
        return cls(
            kind="failure",
            surface=surface,
            request=request,
            key=key,
            stream=stream,
            piece=piece,
            policy=policy,
            seconds=seconds,
            error=error,
            details=details,
            rules=rules or AuditRules(),
        )

    @classmethod
    def policy_change(
        cls,
        policy: Policy,
        *,
        before: str | None = None,
        surface: str = "policies",
        request: str | None = None,
    ) -> Event:
        """A policy came into force; `before` is the digest of the one of its name that it replaces."""
        given = new_id()
        return cls(
            kind="policy",
            surface=surface,
            request=request or given,
            policy={"name": policy.name, "digest": policy.digest},
            details={"before": before, "content": policy.to_dict()},
            id=given,
        )

    @classmethod
    def admin(cls, what: str, details: Mapping[str, Any] = NO_DETAILS) -> Event:
        """Something done to the record itself: texts erased, records pruned."""
        given = new_id()
        return cls(
            kind="admin", surface="audit", request=given, details={"what": what, **details}, id=given
        )
