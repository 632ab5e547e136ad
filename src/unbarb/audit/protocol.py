"""What may stand for a record: whatever takes events and keeps them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from unbarb.audit.event import Event


class Log(Protocol):
    """What a record must do; `unbarb.audit.AuditLog` does it."""

    def append(self, events: Sequence[Event]) -> list[int]:
        """Write the events in one transaction; durable when it returns.

        Raises:
            AuditError: they could not be written.
        """
        ...

    def spill(self, events: Sequence[Event]) -> None:
        """Keep events elsewhere, durable when it returns, until they can be written.

        Raises:
            AuditError: they could not be kept either.
        """
        ...
