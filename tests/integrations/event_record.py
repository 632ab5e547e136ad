"""A record in memory."""

from __future__ import annotations

from collections.abc import Sequence

from unbarb.audit import Event
from unbarb.errors import AuditError


class Record:
    """What integrations put on record; it fails while `failing`."""

    def __init__(self) -> None:
        self.events: list[Event] = []
        self.spilled: list[Event] = []
        self.failing = False

    def append(self, events: Sequence[Event]) -> list[int]:
        if self.failing:
            raise AuditError("no disk")
        self.events.extend(events)
        return list(range(len(self.events) - len(events), len(self.events)))

    def spill(self, events: Sequence[Event]) -> None:
        self.spilled.extend(events)
