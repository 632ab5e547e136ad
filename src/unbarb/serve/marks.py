"""What stands in the record beside a decision."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from unbarb.audit import Event
from unbarb.policy import AuditRules
from unbarb.text import Verdict


@dataclass(frozen=True, slots=True)
class Asked:
    """Who asked and where: `key` is the name of the caller's key, `subject` whom the texts are of."""

    surface: str
    request: str
    key: str | None = None
    subject: str | None = None


@dataclass(frozen=True, slots=True)
class Marks:
    """What a caller has recorded beside its decisions; a stream's pieces are numbered from `first`.

    `later`: it may be written after the verdict is handed back.
    """

    store_text: bool = True
    details: Mapping[str, Any] = field(default_factory=dict)
    stream: str | None = None
    first: int = 0
    later: bool = False

    def events(
        self, verdicts: Sequence[Verdict], asked: Asked, rules: AuditRules, seconds: float
    ) -> list[Event]:
        """A decision each, kept as `rules` say; `seconds` is a text's share of the time."""
        return [
            Event.of_verdict(
                verdict,
                surface=asked.surface,
                request=asked.request,
                key=asked.key,
                stream=self.stream,
                piece=None if self.stream is None else self.first + at,
                subject=asked.subject,
                seconds=seconds,
                details=self.details,
                rules=rules,
                store_text=self.store_text,
            )
            for at, verdict in enumerate(verdicts)
        ]
